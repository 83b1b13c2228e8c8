/** Provider sessions in the memory of the process, with the semantics of the Redis driver. */
import type { MemorySpace } from './space.ts'
import { type RedisKeys, redisKeys } from '../keys.ts'
import { CLOCKS_APART_SECONDS, CROWD_SLACK, type ProviderSessionDriver } from '../../oidc/provider-session-driver.ts'

const SESSION_BYTES = 128

/** Larger numbers are milliseconds, not seconds, as in the Redis driver. */
const FIRST_MS = 100_000_000_000

interface Entry {
  readonly endsAtMs: number
  /** When the ID token was issued. An unusable time counts as older than every logout. */
  readonly issuedAtSeconds: number
}

interface ProviderSession {
  /** Keyed by Coatcheck session id. */
  readonly sessions: ReadonlyMap<string, Entry>
  readonly endedAtSeconds: number
  /** Number of sessions after the last sweep. */
  readonly swept: number
}

function issuedUntil(seconds: number, sessions: ReadonlyMap<string, Entry>): string[] {
  return [...sessions].filter(([, { issuedAtSeconds }]) => issuedAtSeconds <= seconds).map(([id]) => id)
}

export function createMemoryProviderSessionDriver(
  space: MemorySpace,
  keys: RedisKeys = redisKeys(''),
): ProviderSessionDriver {
  const find = (name: string): ProviderSession =>
    space.get<ProviderSession>(keys.providerSession(name)) ?? { sessions: new Map(), endedAtSeconds: -1, swept: 0 }
  const put = (name: string, session: ProviderSession, lifeMs: number): void => {
    const key = keys.providerSession(name)
    space.put(key, session, session.sessions.size * SESSION_BYTES, Math.max(lifeMs, space.ttlMs(key) ?? 0))
  }
  const live = ({ sessions }: ProviderSession): Map<string, Entry> =>
    new Map([...sessions].filter(([, { endsAtMs }]) => endsAtMs > space.clock.now()))

  // async, so that an error rejects as in the Redis driver
  return {
    async register(name, sessionId, issuedAtSeconds, lifeMs) {
      const found = find(name)
      if (found.endedAtSeconds >= issuedAtSeconds) return Promise.resolve('ended')
      const sessions = live(found).set(sessionId, {
        endsAtMs: space.clock.now() + lifeMs,
        issuedAtSeconds: issuedAtSeconds < FIRST_MS ? issuedAtSeconds : -Infinity,
      })
      const isCrowded = sessions.size > 2 * found.swept + CROWD_SLACK
      const swept = isCrowded ? sessions.size : Math.min(found.swept, sessions.size)
      put(name, { ...found, sessions, swept }, lifeMs)
      return Promise.resolve(isCrowded ? 'crowded' : 'registered')
    },

    async list(name) {
      return Promise.resolve([...find(name).sessions.keys()])
    },

    async sweep(name, sessionIds) {
      const found = find(name)
      const sessions = live(found)
      for (const id of sessionIds) sessions.delete(id)
      if (space.has(keys.providerSession(name))) put(name, { ...found, sessions, swept: sessions.size }, 1)
      return Promise.resolve()
    },

    async end(name, endedAtSeconds, markLifeMs) {
      if (markLifeMs === null && !space.has(keys.providerSession(name))) return Promise.resolve([])
      const found = find(name)
      const sessions = live(found)
      const lastEnd = Math.max(found.endedAtSeconds, endedAtSeconds)
      put(name, { ...found, sessions, endedAtSeconds: lastEnd }, markLifeMs ?? 1)
      return Promise.resolve(issuedUntil(markLifeMs === null ? Infinity : lastEnd + CLOCKS_APART_SECONDS, sessions))
    },

    async remove(name, sessionIds) {
      const found = find(name)
      const sessions = live(found)
      for (const id of sessionIds) sessions.delete(id)
      if (space.has(keys.providerSession(name))) put(name, { ...found, sessions }, 1)
      return Promise.resolve()
    },

    async isUsed(name) {
      return Promise.resolve(space.has(keys.logoutToken(name)))
    },

    async markUsed(name, lifeMs) {
      space.setBuffer(keys.logoutToken(name), Buffer.from('1'), lifeMs)
      return Promise.resolve()
    },
  }
}
