/**
 * Storage of one development provider: a Map per provider, so that several can run in one process without sharing data. The package's own
 * in-memory adapter drops entries beyond 1,000 and warns at every start.
 */
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'
import { systemClock } from '../core/clock.ts'

interface Entry {
  readonly payload: AdapterPayload
  /** Epoch milliseconds; `Infinity` without expiry. */
  readonly expiresAtMs: number
}

export interface MemoryStorage {
  readonly adapter: AdapterFactory
  /** Deletes sessions, grants, codes and tokens. */
  clear(): void
}

export function createMemoryStorage(): MemoryStorage {
  const entries = new Map<string, Entry>()

  const read = (key: string): AdapterPayload | undefined => {
    const entry = entries.get(key)
    if (entry && entry.expiresAtMs > systemClock.now()) return entry.payload
    entries.delete(key)
    return undefined
  }

  const search = (model: string, matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined => {
    for (const key of entries.keys()) {
      if (!key.startsWith(`${model}:`)) continue
      const payload = read(key)
      if (payload && matches(payload)) return payload
    }
    return undefined
  }

  // oidc-provider expects promises. All operations are synchronous, and therefore atomic.
  const adapter = (model: string): Adapter => ({
    upsert(id, payload, expiresIn) {
      const expiresAtMs = expiresIn === undefined ? Infinity : systemClock.now() + expiresIn * 1000
      entries.set(`${model}:${id}`, { payload, expiresAtMs })
      return Promise.resolve()
    },
    find: (id) => Promise.resolve(read(`${model}:${id}`)),
    findByUid: (uid) => Promise.resolve(search(model, (payload) => payload.uid === uid)),
    findByUserCode: (code) => Promise.resolve(search(model, (payload) => payload.userCode === code)),
    consume(id) {
      const payload = read(`${model}:${id}`)
      if (payload) payload.consumed = Math.floor(systemClock.now() / 1000)
      return Promise.resolve()
    },
    destroy(id) {
      entries.delete(`${model}:${id}`)
      return Promise.resolve()
    },
    revokeByGrantId(grantId) {
      for (const [key, { payload }] of entries) if (payload.grantId === grantId) entries.delete(key)
      return Promise.resolve()
    },
  })

  return { adapter, clear: () => entries.clear() }
}
