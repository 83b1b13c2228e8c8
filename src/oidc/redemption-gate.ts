/**
 * Connects code redemptions with the provider gate. Any visitor can cause a redemption with a forged code. So redemptions have their own
 * count and pause, and their failures never block the refreshes of signed-in users. While the provider's gate refuses requests,
 * no code is sent either. A pause that the provider requests applies to both. See docs/decisions/0007-provider-gate.md.
 */
import type { Clock } from '../core/clock.ts'
import { OidcError } from '../core/errors.ts'
import type { Passage, ProviderGate } from '../token/provider-gate.ts'
import { asksForPause, isRefreshFailure, type RefreshFailure, TOO_MANY_REQUESTS } from '../token/refresh-outcome.ts'
import { failureOf } from './token-requester.ts'

/** Statuses below 500 with which a provider requests a pause. */
const PAUSE_STATUSES: readonly number[] = [408, 425, TOO_MANY_REQUESTS]

export interface RedemptionGate {
  /**
   * Checks that a code may be sent now. It starts no trial.
   * @throws {OidcError} `COATCHECK_OIDC_UNAVAILABLE` with `details.retryAfterMs`; `COATCHECK_OIDC_CLIENT_REJECTED` while the gate refuses
   *   requests because the provider refuses this client
   */
  check(provider: string): Promise<RedemptionPassage>
}

export interface RedemptionPassage {
  /** Sends the request and reports its outcome. @throws as `check`, and the errors of the request */
  redeem<T>(request: () => Promise<T>): Promise<T>
}

export function createRedemptionGate(deps: { readonly gate: ProviderGate; readonly clock: Clock }): RedemptionGate {
  const { gate, clock } = deps

  const through = async <T>(provider: string, pass: Promise<T>): Promise<T> => {
    try {
      return await pass
    } catch (error) {
      throw shutError(provider, error)
    }
  }

  return {
    async check(provider) {
      const name = gateOfRedemptions(provider)
      const [common] = await through(provider, Promise.all([gate.check(provider), gate.check(name)]))
      return {
        async redeem(request) {
          const own = await through(provider, gate.enter(name))
          try {
            const result = await request()
            await Promise.all([own.worked(), common.worked()])
            return result
          } catch (error) {
            await reportFailure(own, common, error, failureOf(error, clock))
            throw error
          }
        },
      }
    },
  }
}

/** No provider can have this name, because a name contains no line break. */
function gateOfRedemptions(provider: string): string {
  return `${provider}\nredemptions`
}

async function reportFailure(own: Passage, common: Passage, error: unknown, failure: RefreshFailure): Promise<void> {
  // An `OidcError` says that Coatcheck refused the answer, for example because a visitor sent the code of another sign-in. The token
  // endpoint has worked.
  if (error instanceof OidcError || isOfTheCode(failure)) return own.worked()
  await Promise.all([own.failed(failure), asksForPause(failure) ? common.failed(failure) : null])
}

/** Whether the code was refused. A firewall may refuse a forged code with a page: a status below 500 without an OAuth error. */
function isOfTheCode({ outcome, facts: { status = 500, error } }: RefreshFailure): boolean {
  if (outcome === 'invalid-answer') return true
  return outcome === 'transient' && error === undefined && status < 500 && !PAUSE_STATUSES.includes(status)
}

function shutError(provider: string, error: unknown): unknown {
  if (!isRefreshFailure(error)) return error
  const { outcome, facts } = error
  if (outcome !== 'operator-error') return redemptionUnavailable(provider, 'gate', facts.retryAfterMs)
  const details = { provider, reason: 'gate', retryAfterMs: facts.retryAfterMs }
  return new OidcError('COATCHECK_OIDC_CLIENT_REJECTED', { details })
}

/** Returns the error of a callback whose code was not sent. `busy`: too many codes are under way. */
export function redemptionUnavailable(
  provider: string,
  reason: 'gate' | 'busy',
  retryAfterMs: number | undefined,
): OidcError {
  return new OidcError('COATCHECK_OIDC_UNAVAILABLE', { details: { provider, reason, retryAfterMs } })
}
