/**
 * Sends one token request to a provider. The gate must allow it. If the answer was lost, the request is repeated once. The outcome is
 * reported to the gate. For a lost answer a repeat may help, and waiting does not. With the refresh token that is still stored, a provider
 * that follows FAPI 2.0 (section 5.3.2.1) or rotates like Entra ID answers again.
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { ProviderGate } from './provider-gate.ts'
import { asksForPause, type RefreshFailure, toRefreshFailure } from './refresh-outcome.ts'

/** A request that took longer is not repeated: its callers have already waited too long. */
const REPEATED_WITHIN_MS = 10_000

export interface RequestSubject {
  readonly userKey: string
  readonly provider: string
  readonly resource: string
}

export interface ProviderRequests {
  /**
   * @param hasClaims the request holds claims that an API has chosen. Its failure says nothing about the provider unless the provider
   *   asks for a pause: a firewall may refuse such claims, and an API must not keep other users from their tokens.
   * @throws {RefreshFailure} for each failure
   */
  send<T>(subject: RequestSubject, request: () => Promise<T>, hasClaims?: boolean): Promise<T>
}

export function createProviderRequests(deps: {
  readonly gate: ProviderGate
  readonly clock: Clock
  readonly events: EventBus
}): ProviderRequests {
  const { gate, clock, events } = deps

  const sendOnceOrTwice = async <T>(subject: RequestSubject, request: () => Promise<T>): Promise<T> => {
    const startedMs = clock.monotonic()
    try {
      return await request()
    } catch (error) {
      const failure = toRefreshFailure(error)
      if (!isAnswerLost(failure) || clock.monotonic() - startedMs > REPEATED_WITHIN_MS) throw failure
      events.emit('token.refresh-repeated', subject)
      return await request()
    }
  }

  return {
    async send(subject, request, hasClaims = false) {
      // A trial must report. A request that does not report failures must not start a trial.
      const passage = await (hasClaims ? gate.check(subject.provider) : gate.enter(subject.provider))
      try {
        const answer = await sendOnceOrTwice(subject, request)
        await passage.worked()
        return answer
      } catch (error) {
        const failure = toRefreshFailure(error)
        if (!hasClaims || asksForPause(failure)) await passage.failed(failure)
        throw failure
      }
    },
  }
}

/** True if the provider may have carried out the request but its answer was lost. */
function isAnswerLost({ facts }: RefreshFailure): boolean {
  return facts.status === undefined && facts.error === undefined && facts.wasNeverSent !== true
}
