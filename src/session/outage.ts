/**
 * Decides what a request gets while the store does not answer: an error, the session as this process verified it last, or an anonymous
 * visitor. The stored session stays as it is: this module writes nothing, and issues or removes no ticket.
 */
import type { OutagePolicy } from '../config/session-settings.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import { type CoatcheckError, isCoatcheckError, MisuseError } from '../core/errors.ts'
import { isExpired, statusOf } from './session-policy.ts'
import type { SessionRef } from './session-driver.ts'
import type { Loaded } from './session-vault.ts'
import { parseSessionId, type ParsedTicket } from './ticket.ts'

const MAX_SESSIONS = 10_000

interface Verified {
  readonly loaded: Loaded
  readonly atMs: number
}

/** Sessions that the store has confirmed recently, with the time of the confirmation. */
export class VerifiedSessions {
  readonly #clock: Clock
  readonly #forMs: number
  /** By session id, in the order of their confirmation. */
  readonly #verified = new Map<string, Verified>()

  /** @param forMs how long a confirmation is trusted; 0: never, and no session is kept */
  constructor(clock: Clock, forMs: number) {
    this.#clock = clock
    this.#forMs = forMs
  }

  keep(loaded: Loaded): void {
    if (this.#forMs === 0) return
    const { id } = loaded.ref
    this.#verified.delete(id)
    this.#verified.set(id, { loaded, atMs: this.#clock.now() })
    if (this.#verified.size <= MAX_SESSIONS) return
    const [oldest = ''] = this.#verified.keys()
    this.#verified.delete(oldest)
  }

  /** From now on, forgets each session that this process ends, whichever module ends it. */
  forgetEnded(events: Pick<Events, 'on'>): void {
    if (this.#forMs === 0) return
    events.on('session.ended', ({ sessionId }) => {
      const address = parseSessionId(sessionId)
      if (address) this.forget(address)
    })
  }

  forget({ id }: Pick<SessionRef, 'id'>): void {
    this.#verified.delete(id)
  }

  /** Scans many entries, but revocations of all sessions of a user are rare. */
  forgetUser(userKey: string, exceptId: string | undefined): void {
    for (const [id, { loaded }] of this.#verified) {
      if (loaded.ref.userKey === userKey && id !== exceptId) this.#verified.delete(id)
    }
  }

  /** Returns the verified session that the ticket opens. It applies the same checks to the record as `find`. */
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

/** True if the store does not answer now but may answer later. The outage policy covers no other error. */
export function isOutage(error: unknown): error is CoatcheckError {
  return isCoatcheckError(error) && error.name === 'RedisError' && error.retryable
}

/** Where an error is the only possible answer. An unidentified visitor may be signed in, so a request to sign in would be wrong. */
export function policyForUsers(policy: OutagePolicy | undefined): OutagePolicy | undefined {
  return policy === 'anonymous' ? 'fail' : policy
}
