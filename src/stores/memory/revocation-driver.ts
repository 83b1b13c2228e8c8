/** The revocation outbox in the memory of the process, with the semantics of the Redis driver. */
import { type Outbox, postGrants, putOutbox } from './outbox.ts'
import type { MemorySpace } from './space.ts'
import { type RedisKeys, redisKeys } from '../keys.ts'
import { OUTBOX_LIFE_MS, type OutboxEntry, type RevocationDriver } from '../../token/revocation-driver.ts'

const ENTRY_BYTES = 64

/** User keys, by the time at which a worker should check their outbox. */
type Index = Map<string, number>

export function createMemoryRevocationDriver(space: MemorySpace, keys: RedisKeys = redisKeys('')): RevocationDriver {
  const nowMs = (): number => space.clock.now()
  const readIndex = (): Index => new Map(space.get<Index>(keys.revocationIndex()) ?? [])
  const writeIndex = (index: Index): void => {
    if (index.size === 0) space.delete(keys.revocationIndex())
    else space.put(keys.revocationIndex(), index, index.size * ENTRY_BYTES, OUTBOX_LIFE_MS)
  }
  const outboxOf = (userKey: string): Outbox => new Map(space.get<Outbox>(keys.revocations(userKey)) ?? [])

  // async, so that an error rejects as in the Redis driver
  return {
    async announce(userKey, dueInMs) {
      const due = nowMs() + dueInMs
      const index = readIndex()
      writeIndex(index.set(userKey, Math.min(index.get(userKey) ?? due, due)))
      return Promise.resolve()
    },

    async add(userKey, entry, lifeMs) {
      postGrants(space, keys.revocations(userKey), new Map([[fieldOf(entry), Buffer.from(entry.record)]]), lifeMs)
      return Promise.resolve()
    },

    async claim(max, forMs) {
      const index = readIndex()
      const claim = nowMs() + forMs
      const due = [...index].filter(([, at]) => at <= nowMs()).slice(0, max)
      for (const [userKey] of due) index.set(userKey, claim)
      if (due.length > 0) writeIndex(index)
      return Promise.resolve(due.map(([userKey]) => ({ userKey, claim: String(claim) })))
    },

    async list(userKey) {
      const entries = [...outboxOf(userKey)].map(([field, record]) => {
        const at = field.lastIndexOf(':')
        return {
          provider: field.slice(0, at),
          nonce: Buffer.from(field.slice(at + 1), 'hex'),
          record: Buffer.from(record),
        }
      })
      return Promise.resolve(entries)
    },

    async remove(userKey, entry) {
      const outbox = outboxOf(userKey)
      const lifeMs = space.ttlMs(keys.revocations(userKey)) ?? OUTBOX_LIFE_MS
      if (outbox.delete(fieldOf(entry))) putOutbox(space, keys.revocations(userKey), outbox, lifeMs)
      return Promise.resolve()
    },

    async completeClaim({ userKey, claim }, retryInMs) {
      const index = readIndex()
      if (index.get(userKey) !== Number(claim)) return Promise.resolve()
      if (retryInMs === null) index.delete(userKey)
      else index.set(userKey, nowMs() + retryInMs)
      writeIndex(index)
      return Promise.resolve()
    },
  }
}

function fieldOf({ provider, nonce }: OutboxEntry): string {
  return `${provider}:${nonce.toString('hex')}`
}
