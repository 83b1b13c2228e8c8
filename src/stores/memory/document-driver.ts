/** Documents in the memory of the process, for the embedded development store. The space bounds their size. */
import { checkedTtlMs } from '../../core/time-to-live.ts'
import { nonceOf } from '../../keyring/seal.ts'
import type { MemorySpace } from './space.ts'
import { type RedisKeys, redisKeys } from '../keys.ts'
import type { DocumentDriver, DocumentRef } from '../../documents/document-driver.ts'

const ENDED = Buffer.from('x')
const MEMBER_BYTES = 64
/** Life of documents without a TTL: longer than any process lives. */
const FOREVER_MS = 100 * 365 * 86_400_000

/** @param keys builds names in the space, for several applications that share one */
export function createMemoryDocumentDriver(
  space: MemorySpace,
  keys: Pick<RedisKeys, 'document' | 'documentSet'> = redisKeys(''),
): DocumentDriver {
  const keyOf = ({ kind, name }: DocumentRef): string => keys.document(kind, name)
  const setOf = ({ kind, name }: DocumentRef): string => keys.documentSet(kind, name)
  const recordAt = (key: string): Buffer | null => {
    const record = space.getBuffer(key)
    return record && record.length > 1 ? record : null
  }
  /** Returns members with the end of their life. Expired members are left out. */
  const entriesOf = (key: string): Map<string, number> => {
    const entries = space.get<Map<string, number>>(key) ?? new Map<string, number>()
    return new Map([...entries].filter(([, endsAtMs]) => endsAtMs > space.clock.now()))
  }
  const putEntries = (key: string, entries: Map<string, number>): void => {
    if (entries.size === 0) space.delete(key)
    else space.put(key, entries, entries.size * MEMBER_BYTES, Math.max(...entries.values()) - space.clock.now())
  }

  // All methods are async, so that an error rejects as in the Redis driver.
  return {
    read: async (ref) => Promise.resolve(recordAt(keyOf(ref))),

    readVerified: async (ref, evaluate) => Promise.resolve(evaluate(recordAt(keyOf(ref)))),

    async write(ref, record, { ttlMs, expect }) {
      const lifeMs = ttlMs === null ? FOREVER_MS : checkedTtlMs(ttlMs)
      const key = keyOf(ref)
      const current = recordAt(key)
      if (!current && space.has(key)) return Promise.resolve({ status: 'ended' })
      if (current && nonceOf(current).equals(nonceOf(record))) return { status: 'done' }
      if (Buffer.isBuffer(expect) && !current) return { status: 'gone' }
      if (expect !== undefined && current && (expect === 'absent' || !nonceOf(current).equals(expect))) {
        return { status: 'conflict', current }
      }
      space.setBuffer(key, record, lifeMs)
      return { status: 'done' }
    },

    async take(ref) {
      const record = recordAt(keyOf(ref))
      if (record) space.delete(keyOf(ref))
      return Promise.resolve(record)
    },

    async end(ref, rememberMs, alsoUnstored = false) {
      const rememberedMs = checkedTtlMs(rememberMs, 'rememberMs')
      const key = keyOf(ref)
      const wasThere = recordAt(key) !== null
      const isRemembered = space.delete(key) || alsoUnstored
      if (isRemembered) space.setBuffer(key, ENDED, rememberedMs)
      return Promise.resolve(wasThere)
    },

    async reopen(ref) {
      const key = keyOf(ref)
      if (space.has(key) && recordAt(key) === null) space.delete(key)
      return Promise.resolve()
    },

    remove: async (ref) => Promise.resolve(space.delete(keyOf(ref))),

    async count(ref, ttlMs) {
      const lifeMs = checkedTtlMs(ttlMs)
      const key = keyOf(ref)
      const count = (space.get<number>(key) ?? 0) + 1
      space.put(key, count, 8, space.ttlMs(key) ?? lifeMs)
      return Promise.resolve(count)
    },

    counted: async (ref) => Promise.resolve(space.get<number>(keyOf(ref))),

    async enter(set, member, ttlMs) {
      const lifeMs = ttlMs === null ? FOREVER_MS : checkedTtlMs(ttlMs)
      const key = setOf(set)
      putEntries(key, entriesOf(key).set(member, space.clock.now() + lifeMs))
      return Promise.resolve()
    },

    async leave(set, members) {
      const entries = entriesOf(setOf(set))
      for (const member of members) entries.delete(member)
      putEntries(setOf(set), entries)
      return Promise.resolve()
    },

    async members(set) {
      const entries = [...entriesOf(setOf(set))].sort(([, first], [, second]) => second - first)
      return Promise.resolve(entries.map(([member]) => member))
    },

    async *names(kind) {
      const prefix = keys.document(kind, '')
      for (const key of space.keys(prefix)) yield Promise.resolve(key.slice(prefix.length))
    },
  }
}
