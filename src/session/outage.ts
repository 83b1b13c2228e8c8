/**
 * The sessions that the policy `stale` serves while the store does not answer, and the question whether an error is such an outage.
 * `duringOutage` in `session-store.ts` applies the policy. The stored session stays as it is: nothing is written, and no ticket is issued or
 * removed.
 */
import type { OutagePolicy } from '../config/session-settings.ts'
import type { Cache, CacheBudget } from '../core/cache-budget.ts'
import type { Clock } from '../core/clock.ts'
import type { Events } from '../core/events.ts'
import { type CoatcheckError, isCoatcheckError, MisuseError } from '../core/errors.ts'
import { isExpired, statusOf } from './session-policy.ts'
import type { SessionRef } from './session-driver.ts'
import type { Loaded } from './loaded.ts'
import { parseSessionId, type ParsedTicket } from './ticket.ts'

/** Memory of an entry for each byte of its sealed record, and without it. */
const BYTES_PER_SEALED_BYTE = 4
const ENTRY_BYTES = 512

interface Verified {
  loaded: Loaded
  atMs: number
}

/** Sessions that the store has confirmed recently, with the time of the confirmation. */
export class VerifiedSessions {
  readonly #clock: Clock
  readonly #forMs: number
  /** By session id. */
  readonly #verified: Cache<Verified>

  /** @param forMs how long a confirmation is trusted; 0: never, and no session is kept */
  constructor(clock: Clock, forMs: number, caches: CacheBudget) {
    this.#clock = clock
    this.#forMs = forMs
    this.#verified = caches.cache('sessions for an outage', ({ loaded }) => bytesOf(loaded))
  }

  keep(loaded: Loaded): void {
    if (this.#forMs === 0) return
    const { id } = loaded.ref
    const atMs = this.#clock.now()
    const known = this.#verified.get(id)
    if (known?.loaded.record === loaded.record) {
      known.atMs = atMs
      return
    }
    // The bytes of a reply belong to a larger buffer.
    const kept = { ...loaded, sealed: Buffer.from(loaded.sealed) }
    this.#verified.set(id, { loaded: kept, atMs })
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
    for (const { loaded } of [...this.#verified.values()]) {
      if (loaded.ref.userKey === userKey && loaded.ref.id !== exceptId) this.#verified.delete(loaded.ref.id)
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
