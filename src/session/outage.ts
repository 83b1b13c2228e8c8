/**
 * What a visitor gets while the store cannot be asked: an error, the session as this process verified it last, or nobody. Never a
 * decision about the session itself: nothing is written, no ticket is issued or taken away.
 */
import type { OutagePolicy } from '../config/session-settings.ts'
import type { Clock } from '../core/clock.ts'
import { type CoatcheckError, isCoatcheckError, MisuseError } from '../core/errors.ts'
import { isExpired, statusOf } from './session-policy.ts'
import type { SessionRef } from './session-driver.ts'
import type { Loaded } from './session-vault.ts'
import type { ParsedTicket } from './ticket.ts'

const MOST_SESSIONS = 10_000

interface Verified {
  readonly loaded: Loaded
  readonly atMs: number
}

/** Sessions that the store has confirmed lately, with the time at which it did. */
export class VerifiedSessions {
  readonly #clock: Clock
  readonly #forMs: number
  /** By session id, in the order in which they were confirmed. */
  readonly #verified = new Map<string, Verified>()

  /** @param forMs how long a confirmation is believed; 0: never, and nothing is kept */
  constructor(clock: Clock, forMs: number) {
    this.#clock = clock
    this.#forMs = forMs
  }

  keep(loaded: Loaded): void {
    if (this.#forMs === 0) return
    const { id } = loaded.ref
    this.#verified.delete(id)
    this.#verified.set(id, { loaded, atMs: this.#clock.now() })
    if (this.#verified.size <= MOST_SESSIONS) return
    const [oldest = ''] = this.#verified.keys()
    this.#verified.delete(oldest)
  }

  forget({ id }: Pick<SessionRef, 'id'>): void {
    this.#verified.delete(id)
  }

  /** Many, but endings of all of a user's sessions are rare. */
  forgetUser(userKey: string, exceptId: string | undefined): void {
    for (const [id, { loaded }] of this.#verified) {
      if (loaded.ref.userKey === userKey && id !== exceptId) this.#verified.delete(id)
    }
  }

  /** The session that the ticket opens, as far as is known here: all that `find` asks of a record is asked of this one too. */
  find({ ref, secretHash }: ParsedTicket): Loaded | null {
    if (this.#forMs === 0) {
      throw new MisuseError(
        'COATCHECK_INVALID_ARGUMENT',
        "onUnavailable: 'stale' needs session.staleFor, so that this process keeps sessions for it.",
      )
    }
    const nowMs = this.#clock.now()
    const verified = this.#verified.get(ref.id)
    if (!verified || verified.loaded.ref.userKey !== ref.userKey || nowMs - verified.atMs > this.#forMs) return null
    const { record } = verified.loaded
    if (isExpired(record, nowMs) || statusOf(secretHash, record.secrets, nowMs) === 'refused') return null
    return verified.loaded
  }
}

/** The store cannot be asked now, and might be later. Anything else is not what a policy for outages is about. */
export function isOutage(error: unknown): error is CoatcheckError {
  return isCoatcheckError(error) && error.name === 'RedisError' && error.retryable
}

/** Where an error is the only answer: who is nobody to us may be signed in, so asking for a sign-in would be wrong. */
export function policyForUsers(policy: OutagePolicy | undefined): OutagePolicy | undefined {
  return policy === 'anonymous' ? 'fail' : policy
}
