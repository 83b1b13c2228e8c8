/**
 * better-auth's secondary storage: texts under keys, most of them sessions under their token. Beyond the contract:
 *
 * - A deleted session is not stored again by a request that had read it before.
 * - `active-sessions-<user id>` is a list that better-auth reads, changes and writes back, so concurrent sign-ins lose entries. Here the
 *   list is derived from the stored sessions: each session enters its user's set in one step. The list that better-auth writes is not
 *   needed.
 */
import type { Clock } from '../core/clock.ts'
import { ENDED_REMEMBERED_MS, checkedTtlMs } from '../core/time-to-live.ts'
import type { DocumentRef } from '../documents/document-driver.ts'
import type { Documents } from '../documents/documents.ts'
import { readMembers } from '../documents/set-members.ts'

/** The `secondaryStorage` that better-auth expects. */
export interface SecondaryStorage {
  /** Returns the text; `null` if there is none. */
  get(key: string): Promise<string | null>
  /**
   * Stores a text.
   * @param ttl seconds; absent: until it is deleted
   */
  set(key: string, value: string, ttl?: number): Promise<void>
  /** Deletes a value. Deleting an absent value is fine. */
  delete(key: string): Promise<void>
  /** Reads and deletes in one step: of any number of callers exactly one gets the text. */
  getAndDelete(key: string): Promise<string | null>
  /** Increments in one step. A new counter begins at 1 and lives for `ttl` seconds from then on. */
  increment(key: string, ttl: number): Promise<number>
}

/** `t`: the text. `u`: the set of the user, if the text is a session. */
export interface StoredText {
  readonly t: string
  readonly u?: string
}

/** better-auth creates session tokens of 32 letters and digits, and uses them unchanged as keys. */
const SESSION_TOKEN = /^[A-Za-z0-9]{32}$/
const LIST = /^active-sessions-(.+)$/s
const KIND = 'better-auth'
const COUNTER_KIND = 'better-auth-count'

export function createSecondaryStorage(documents: Documents<StoredText>, clock: Clock): SecondaryStorage {
  const { driver, refOf } = documents
  const counterOf = (key: string): DocumentRef => ({ ...refOf(key), kind: COUNTER_KIND })
  const setNamed = (name: string): DocumentRef => ({ kind: KIND, name })
  const setOf = (userId: string): string => refOf(`user ${userId}`).name

  const listOf = async (userId: string): Promise<string | null> => {
    const set = setOf(userId)
    const rows = (await readMembers(documents, setNamed(set))).flatMap(({ value }) => {
      if (value?.u !== set) return []
      const session = sessionIn(value.t)
      return session && session.expiresAtMs > clock.now()
        ? [{ token: session.token, expiresAt: session.expiresAtMs }]
        : []
    })
    return rows.length > 0 ? JSON.stringify(rows) : null
  }

  return {
    async get(key) {
      const list = LIST.exec(key)
      if (list) return listOf(list[1] ?? '')
      const stored = await documents.read(refOf(key))
      if (stored) return stored.value.t
      // Counters have their own kind, so that they can be incremented without being opened.
      const count = SESSION_TOKEN.test(key) ? null : await driver.counted(counterOf(key))
      return count === null ? null : String(count)
    },

    async set(key, value, ttl) {
      if (LIST.test(key)) return
      const ref = refOf(key)
      if (ttl !== undefined && ttl <= 0) {
        await driver.remove(ref)
        return
      }
      const ttlMs = ttl === undefined ? null : checkedTtlMs(ttl * 1000, 'ttl')
      const session = SESSION_TOKEN.test(key) ? sessionIn(value) : null
      if (!session) {
        await documents.put(ref, { t: value }, { ttlMs })
        return
      }
      const set = setOf(session.userId)
      // Enters the set first, so that ending all sessions of the user includes this one.
      await driver.enter(setNamed(set), ref.name, ttlMs)
      await documents.put(ref, { t: value, u: set }, { ttlMs })
    },

    async delete(key) {
      if (LIST.test(key)) return
      const ref = refOf(key)
      if (SESSION_TOKEN.test(key)) await driver.end(ref, ENDED_REMEMBERED_MS)
      else await Promise.all([driver.remove(ref), driver.remove(counterOf(key))])
    },

    getAndDelete: async (key) => (await documents.take(refOf(key)))?.t ?? null,
    increment: async (key, ttl) => driver.count(counterOf(key), checkedTtlMs(ttl * 1000, 'ttl')),
  }
}

/** Returns the session that a text of better-auth contains. `null`: the text is not a session. */
export function sessionIn(
  text: string,
): { readonly token: string; readonly userId: string; readonly expiresAtMs: number } | null {
  try {
    const { session } = JSON.parse(text) as { session?: { token?: unknown; userId?: unknown; expiresAt?: unknown } }
    if (typeof session?.token !== 'string' || typeof session.userId !== 'string') return null
    const expiresAtMs = new Date(session.expiresAt as string).getTime()
    return Number.isNaN(expiresAtMs) ? null : { token: session.token, userId: session.userId, expiresAtMs }
  } catch {
    return null
  }
}
