/**
 * Decides the result of a refresh that brought no new token: the stored token while it is valid, or else an error that says who must act.
 * This module only decides. It sends no request and stores nothing.
 */
import { TokenError } from '../core/errors.ts'
import type { StoredTokens } from './stored-tokens.ts'
import { outcomeActions, reasonInFacts, refusalTexts, type RefreshFailure } from './refresh-outcome.ts'
import type { SignInUrl } from './sign-in-url.ts'
import type { AccessEntry } from './token-codec.ts'
import { isAlive } from './token-life.ts'
import { describeTarget, type Target } from './token-target.ts'

export interface RefreshResult {
  readonly entry: AccessEntry
  /** True: no better token can be obtained at the moment. */
  readonly final: boolean
}

export interface RefreshConditions {
  readonly nowMs: number
  readonly userKey: string
  readonly signInUrl: SignInUrl | undefined
}

/** True if the token of the sign-in also serves this target: no other token is needed. */
export function covers({ scopes }: AccessEntry, target: Target): boolean {
  return target.key !== '' && target.resource === null && target.scopes.every((scope) => scopes.includes(scope))
}

/** Returns the sign-in URL, for a failure that only the user can resolve. */
function signInUrlFor(
  target: Target,
  claims: string | null,
  { userKey, signInUrl }: RefreshConditions,
): { readonly signInUrl?: string } {
  const { provider, scopes } = target
  return signInUrl ? { signInUrl: signInUrl({ provider, userKey, claims, scopes }) } : {}
}

/** @throws {TokenError} the code of the outcome in `refresh-outcome.ts`, when no valid token may be served */
export function afterFailure(
  target: Target,
  { own }: StoredTokens,
  failure: RefreshFailure,
  conditions: RefreshConditions,
): RefreshResult {
  const { code, dropsTokens } = outcomeActions[failure.outcome]
  // The resource has just refused this token, so it does not answer the resource's claims challenge.
  if (own && !dropsTokens && target.claims === null && isAlive(own, conditions.nowMs))
    return { entry: own, final: true }
  const link =
    code === 'COATCHECK_REAUTH_REQUIRED' ? signInUrlFor(target, failure.facts.claims ?? null, conditions) : {}
  throw failureError(target, failure, link)
}

/** Returns the error for a caller that gets no token because of this failure. */
export function failureError(
  target: Target,
  failure: RefreshFailure,
  link: { readonly signInUrl?: string } = {},
): TokenError {
  const { outcome, facts } = failure
  const { code } = outcomeActions[outcome]
  const { provider } = target
  const { claims, retryAfterMs } = facts
  const shown = describeTarget(target)
  return new TokenError(code, {
    ...refusalTexts(code, provider, shown, facts),
    cause: failure,
    details: { provider, target: shown, outcome, ...reasonInFacts(facts), claims, retryAfterMs, ...link },
  })
}

/**
 * Handles a target without a refresh token or without a configured provider.
 * @param hasEnded a grant existed not long ago, and the provider refused it
 * @throws {TokenError} `COATCHECK_TOKEN_NONE` without a grant, `COATCHECK_REAUTH_REQUIRED` with one
 */
export function withoutRefresh(
  target: Target,
  { own, grant }: StoredTokens,
  hasEnded: boolean,
  conditions: RefreshConditions,
): RefreshResult {
  if (own && target.claims === null && isAlive(own, conditions.nowMs)) return { entry: own, final: true }
  const details = { provider: target.provider, target: describeTarget(target) }
  if (!grant && !hasEnded) throw new TokenError('COATCHECK_TOKEN_NONE', { details })
  throw new TokenError('COATCHECK_REAUTH_REQUIRED', {
    ...(grant && {
      message: grant.value.refreshToken
        ? 'No provider of this name is configured, so nothing can refresh its tokens.'
        : 'The access token has expired, and there is no refresh token.',
    }),
    details: { ...details, ...signInUrlFor(target, target.claims, conditions) },
  })
}
