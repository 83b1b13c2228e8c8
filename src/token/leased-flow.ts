/**
 * Obtains a token that only the lease holder may request, across all processes. Refreshes of a grant and direct tokens use it; each passes a
 * `LeasedSource`, which reads its stored state and sends its request.
 *
 * - Each pass first reads the stored state, because another process may have stored a token or a failure.
 * - If another process holds the lease, the flow waits for it and starts the next pass.
 * - Under the lease, the flow reads again before it sends a request: the previous holder may have stored a result.
 */
import type { Clock } from '../core/clock.ts'
import { TokenError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { Lease, Leases, Waiting } from './lease.ts'
import type { TokenField } from './token-driver.ts'
import type { Target } from './token-target.ts'

/** Longer than a chain of refreshes of one grant that other processes run one after the other. */
const MAX_WAIT_FOR_REFRESH_MS = 45_000
/** Each further attempt means that another process has changed the stored state meanwhile. */
const ATTEMPTS = 4

/** The stored state of one kind of token, and the request for a new one. */
export interface LeasedSource<S, R> {
  read(): Promise<S>
  /** Returns the result that the stored state allows without the lease. `null`: a request is needed. Throws the error of a known failure. */
  resultOf(stored: S): Promise<R | null> | R | null
  /**
   * As `resultOf`, under the lease. `retry`: the state has changed so that the next pass must start without the lease.
   */
  resultUnderLease(stored: S): R | 'retry' | null
  /** Returns the result for a caller that need not wait while another process holds the lease. `null`: it waits. */
  resultWhileLeaseTaken(stored: S): R | null
  /** True: this process alone knows the state, so it needs no lease. */
  isPrivate(stored: S): boolean
  /** Sends the request and stores the answer. `null`: the stored state has changed meanwhile. */
  request(stored: S, lease: Lease | null): Promise<R | null>
}

export type LeasedFlow = <S, R>(
  userKey: string,
  target: Target,
  leaseField: TokenField,
  source: LeasedSource<S, R>,
) => Promise<R>

/** @throws {TokenError} `COATCHECK_TOKEN_REFRESH_UNAVAILABLE` after 45 s of waiting, `COATCHECK_TOKEN_CONFLICT` after 4 lost races */
export function createLeasedFlow(deps: {
  readonly leases: Leases
  readonly clock: Clock
  readonly events: EventBus
}): LeasedFlow {
  const { leases, clock, events } = deps

  const underLease = async <S, R>(source: LeasedSource<S, R>, lease: Lease): Promise<R | null> => {
    try {
      const stored = await source.read()
      const result = source.resultUnderLease(stored)
      if (result !== null) return result === 'retry' ? null : result
      return await source.request(stored, lease)
    } finally {
      await lease.release()
    }
  }

  return async (userKey, target, leaseField, source) => {
    const { provider } = target
    const waitUntilMs = clock.monotonic() + MAX_WAIT_FOR_REFRESH_MS
    let waiting: Waiting | null = null
    let waitingSinceMs = 0
    try {
      for (let attempt = 0; attempt < ATTEMPTS;) {
        const stored = await source.read()
        const known = await source.resultOf(stored)
        if (known !== null) return known
        const lease = source.isPrivate(stored) ? null : await leases.take(userKey, leaseField)
        if (lease === null && !source.isPrivate(stored)) {
          const served = source.resultWhileLeaseTaken(stored)
          if (served !== null) return served
          if (clock.monotonic() > waitUntilMs)
            throw new TokenError('COATCHECK_TOKEN_REFRESH_UNAVAILABLE', { details: { provider } })
          if (waiting === null) waitingSinceMs = clock.monotonic()
          waiting ??= leases.waiting(userKey)
          await waiting.next()
          continue
        }
        const result = await (lease === null ? source.request(stored, null) : underLease(source, lease))
        if (result !== null) return result
        attempt++
      }
    } finally {
      if (waiting !== null) {
        waiting.close()
        const durationMs = clock.monotonic() - waitingSinceMs
        events.emit('token.waited', { userKey, provider, resource: target.key, durationMs })
      }
    }
    throw new TokenError('COATCHECK_TOKEN_CONFLICT', { details: { provider } })
  }
}
