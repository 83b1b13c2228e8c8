/**
 * The sessions that the policy `stale` serves while the store does not answer, and the question whether an error is such an outage.
 * `duringOutage` in `session-store.ts` applies the policy. The stored session stays as it is: nothing is written, and no ticket is issued or
 * removed.
 */
import type { OutagePolicy } from '../config/session-settings.ts'
import type { Cache, CacheBudget } from '../core/cache-budget.ts'
import type { Clock } from '../core/clock.ts'
import { type CoatcheckError, isCoatcheckError, MisuseError } from '../core/errors.ts'
import { isExpired, statusOf } from './session-policy.ts'
import type { SessionRef } from './session-driver.ts'
import type { Loaded } from './loaded.ts'
import type { ParsedTicket } from './ticket.ts'

/** Memory of an entry for each byte of its sealed record, and without it. */
const BYTES_PER_SEALED_BYTE = 4
const ENTRY_BYTES = 512

/** More endings than happen while one call of the store is under way. */
const MAX_FORGOTTEN = 1000

interface Verified {
  loaded: Loaded
  atMs: number
}

/**
 * Sessions that the store has confirmed recently, with the time of the confirmation. A reply of the store may arrive after the session has
 * ended in this process. So each caller takes a mark before it asks the store, and what was forgotten since that mark is not kept.
 */
export class VerifiedSessions {
  readonly #clock: Clock
  /** By session id. */
  readonly #verified: Cache<Verified>
  /** When each session or user was forgotten, in steps of `#step`. By session id and by user key. */
  readonly #forgotten = new Map<string, number>()
  #step = 0

  constructor(clock: Clock, caches: CacheBudget) {
    this.#clock = clock
    this.#verified = caches.cache('sessions for an outage', ({ loaded }) => bytesOf(loaded))
  }

  /** Returns the present, for `keep`. */
  mark(): number {
    return this.#step
  }

  /** @param since the mark from before the store was asked */
  keep(loaded: Loaded, since: number): void {
    const { id, userKey } = loaded.ref
    if (this.#wasForgotten(id, since) || this.#wasForgotten(userKey, since)) return
    const atMs = this.#clock.now()
    const known = this.#verified.get(id)
    if (!known) return this.#verified.set(id, { loaded, atMs })
    this.#verified.grow(bytesOf(loaded) - bytesOf(known.loaded))
    known.loaded = loaded
    known.atMs = atMs
  }

  /** For a session that this process has ended or is about to end. */
  forget({ id }: Pick<SessionRef, 'id'>): void {
    this.#verified.delete(id)
    this.#remember(id)
  }

  /** For a session that the store no longer has. */
  drop({ id }: Pick<SessionRef, 'id'>): void {
    this.#verified.delete(id)
  }

  /** Scans many entries, but revocations of all sessions of a user are rare. */
  forgetUser(userKey: string, exceptId: string | undefined): void {
    const all = [...this.#verified.values()].map(({ loaded }) => loaded.ref)
    for (const ref of all) if (ref.userKey === userKey && ref.id !== exceptId) this.#verified.delete(ref.id)
    this.#remember(userKey)
  }

  /**
   * Returns the verified session that the ticket opens. It applies the same checks to the record as `find`.
   * @param forMs how long a confirmation is trusted
   */
  find({ ref, secretHash }: ParsedTicket, forMs: number): Loaded | null {
    if (forMs === 0) {
      throw new MisuseError(
        'COATCHECK_INVALID_ARGUMENT',
        "onUnavailable: 'stale' needs session.staleFor, so that this process keeps sessions for it.",
      )
    }
    const nowMs = this.#clock.now()
    const verified = this.#verified.get(ref.id)
    if (!verified || verified.loaded.ref.userKey !== ref.userKey || nowMs - verified.atMs > forMs) return null
    const { record } = verified.loaded
    if (isExpired(record, nowMs) || statusOf(secretHash, record.secrets, nowMs) === 'refused') return null
    return verified.loaded
  }

  #wasForgotten(name: string, since: number): boolean {
    return (this.#forgotten.get(name) ?? 0) > since
  }

  #remember(name: string): void {
    this.#forgotten.delete(name)
    this.#forgotten.set(name, ++this.#step)
    if (this.#forgotten.size <= MAX_FORGOTTEN) return
    const [oldest = ''] = this.#forgotten.keys()
    this.#forgotten.delete(oldest)
  }
}

function bytesOf({ sealed }: Loaded): number {
  return ENTRY_BYTES + sealed.length * BYTES_PER_SEALED_BYTE
}

/** True if the store does not answer now but may answer later. The outage policy covers no other error. */
export function isOutage(error: unknown): error is CoatcheckError {
  return isCoatcheckError(error) && error.name === 'RedisError' && error.retryable
}

/**
 * The policy where the application asks for a user. During an outage, a visitor without a session may be signed in all the same, so neither
 * "nobody is signed in" nor a redirect to the sign-in would be true.
 */
export function policyForUsers(policy: OutagePolicy | undefined): OutagePolicy | undefined {
  return policy === 'anonymous' ? 'fail' : policy
}
