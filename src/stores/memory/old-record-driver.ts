/** Records of another library in the memory of the process, for development and tests: plain strings next to Coatcheck's own records. */
import { checkedTtlMs } from '../../core/time-to-live.ts'
import type { MemorySpace } from './space.ts'
import type { OldRecord, OldRecordDriver } from '../../migrate/old-record-driver.ts'

/** Every entry of the space expires, so this is longer than any process lives. */
const FOREVER_MS = 100 * 365 * 86_400_000

export function createMemoryOldRecordDriver(space: MemorySpace): OldRecordDriver {
  const recordAt = (key: string): OldRecord | null => {
    const text = space.get<unknown>(key)
    const ttlMs = space.ttlMs(key)
    if (typeof text !== 'string' || ttlMs === null) return null
    if (ttlMs > FOREVER_MS / 2) return { text, ttlMs: null, endsAtMs: null }
    return { text, ttlMs, endsAtMs: space.clock.now() + ttlMs }
  }
  const put = (key: string, text: string, lifeMs: number): { readonly status: 'written' } => {
    space.put(key, text, Buffer.byteLength(text), lifeMs)
    return { status: 'written' }
  }

  // All methods are async, so that an error rejects as in the Redis driver.
  return {
    read: async (key) => Promise.resolve(recordAt(key)),

    async replace(key, expected, text, ttlMs) {
      const current = recordAt(key)
      const lifeMs = ttlMs === null ? (space.ttlMs(key) ?? FOREVER_MS) : checkedTtlMs(ttlMs)
      if (!current) return Promise.resolve({ status: 'missing' })
      if (current.text !== expected && current.text !== text) return { status: 'changed', current }
      return put(key, text, lifeMs)
    },

    async create(key, text, ttlMs) {
      const lifeMs = ttlMs === null ? FOREVER_MS : checkedTtlMs(ttlMs)
      const current = recordAt(key)
      if (current)
        return Promise.resolve(current.text === text ? { status: 'written' } : { status: 'changed', current })
      return space.has(key) ? { status: 'missing' } : put(key, text, lifeMs)
    },

    async expire(key, ttlMs) {
      const lifeMs = checkedTtlMs(ttlMs)
      return Promise.resolve(recordAt(key) !== null && space.expire(key, lifeMs))
    },

    async remove(key, expected) {
      const current = recordAt(key)
      if (!current || (expected !== undefined && current.text !== expected)) return Promise.resolve(false)
      return space.delete(key)
    },

    async *scan(prefix) {
      for (const key of space.keys(prefix)) if (recordAt(key)) yield Promise.resolve(key)
    },
  }
}
