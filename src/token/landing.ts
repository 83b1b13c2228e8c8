/**
 * What callers get where the provider gives no new token: the one that is stored, as long as it is valid, or the error that
 * says who can do something about it. Decides only; it asks nobody and stores nothing.
 */
import { TokenError } from '../core/errors.ts'
import type { StoredTokens } from './stored-tokens.ts'
import { outcomeActions, reasonInFacts, refusalTexts, type RefreshFailure } from './refresh-outcome.ts'
import type { SignInUrl } from './sign-in-url.ts'
import type { AccessEntry } from './token-codec.ts'
import { isAlive } from './token-life.ts'
import { describeTarget, type Target } from './token-target.ts'

export interface Landed {
  readonly entry: AccessEntry
  /** No better one can be had at the moment. */
  readonly final: boolean
}

export interface Circumstances {
  readonly nowMs: number
  readonly userKey: string
  readonly signInUrl: SignInUrl | undefined
}

/** Sign-in returned a token that serves this target as well: no need to ask for another one. */
export function covers({ scopes }: AccessEntry, target: Target): boolean {
  return target.key !== '' && target.resource === null && target.scopes.every((scope) => scopes.includes(scope))
}

/** What only the user can mend comes with the address where that is done. */
function wish(
  target: Target,
  claims: string | null,
  { userKey, signInUrl }: Circumstances,
): { readonly signInUrl?: string } {
  const { provider, scopes } = target
  return signInUrl ? { signInUrl: signInUrl({ provider, userKey, claims, scopes }) } : {}
}

/** @throws {TokenError} the code that the outcome has in `refresh-outcome.ts`, when no valid token may be served */
export function afterFailure(
  target: Target,
  { own }: StoredTokens,
  failure: RefreshFailure,
  circumstances: Circumstances,
): Landed {
  const { code, dropsTokens } = outcomeActions[failure.outcome]
  // A token that a resource has just refused is of no use to whoever comes with its challenge.
  if (own && !dropsTokens && target.claims === null && isAlive(own, circumstances.nowMs))
    return { entry: own, final: true }
  const { claims, retryAfterMs } = failure.facts
  const { provider } = target
  const { outcome } = failure
  throw new TokenError(code, {
    ...refusalTexts(code, provider, describeTarget(target), failure.facts),
    cause: failure,
    details: {
      provider,
      target: describeTarget(target),
      outcome,
      ...reasonInFacts(failure.facts),
      claims,
      retryAfterMs,
      ...(code === 'COATCHECK_REAUTH_REQUIRED' && wish(target, claims ?? null, circumstances)),
    },
  })
}

/**
 * There is nothing to refresh with, or nobody to ask.
 * @param hasEnded there was a grant not long ago, and the provider refused it
 * @throws {TokenError} `COATCHECK_TOKEN_NONE` without a grant, `COATCHECK_REAUTH_REQUIRED` with one
 */
export function withoutRefresh(
  target: Target,
  { own, grant }: StoredTokens,
  hasEnded: boolean,
  circumstances: Circumstances,
): Landed {
  if (own && target.claims === null && isAlive(own, circumstances.nowMs)) return { entry: own, final: true }
  const details = { provider: target.provider, target: describeTarget(target) }
  if (!grant && !hasEnded) throw new TokenError('COATCHECK_TOKEN_NONE', { details })
  throw new TokenError('COATCHECK_REAUTH_REQUIRED', {
    ...(grant && {
      message: grant.value.refreshToken
        ? 'No provider of this name is configured, so nothing can refresh its tokens.'
        : 'The access token has expired, and there is no refresh token.',
    }),
    details: { ...details, ...wish(target, target.claims, circumstances) },
  })
}
