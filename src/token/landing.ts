/**
 * What callers get where the provider gives no new token: the one that is stored, as long as it is valid, or the error that
 * says who can do something about it. Decides only; it asks nobody and stores nothing.
 */
import { TokenError } from '../core/errors.ts'
import type { StoredTokens } from './grant-vault.ts'
import { outcomeActions, type RefreshFailure } from './refresh-outcome.ts'
import type { AccessEntry } from './token-codec.ts'
import { isAlive } from './token-life.ts'
import { describeTarget, type Target } from './token-target.ts'

export interface Landed {
  readonly entry: AccessEntry
  /** No better one can be had at the moment. */
  readonly final: boolean
}

/** Sign-in returned a token that serves this target as well: no need to ask for another one. */
export function covers({ scopes }: AccessEntry, target: Target): boolean {
  return target.key !== '' && target.resource === null && target.scopes.every((scope) => scopes.includes(scope))
}

/** @throws {TokenError} the code that the outcome has in `refresh-outcome.ts`, when no valid token may be served */
export function afterFailure(target: Target, { own }: StoredTokens, failure: RefreshFailure, nowMs: number): Landed {
  const { code, dropsTokens } = outcomeActions[failure.outcome]
  if (own && !dropsTokens && isAlive(own, nowMs)) return { entry: own, final: true }
  const { error, claims } = failure.facts
  throw new TokenError(code, {
    cause: failure,
    details: { provider: target.provider, target: describeTarget(target), outcome: failure.outcome, error, claims },
  })
}

/**
 * There is nothing to refresh with, or nobody to ask.
 * @throws {TokenError} `COATCHECK_TOKEN_NONE` without a grant, `COATCHECK_REAUTH_REQUIRED` with one
 */
export function withoutRefresh(target: Target, { own, grant }: StoredTokens, nowMs: number): Landed {
  if (own && isAlive(own, nowMs)) return { entry: own, final: true }
  const details = { provider: target.provider, target: describeTarget(target) }
  if (!grant) throw new TokenError('COATCHECK_TOKEN_NONE', { details })
  throw new TokenError('COATCHECK_REAUTH_REQUIRED', {
    message: grant.value.refreshToken
      ? 'No provider of this name is configured, so nothing can refresh its tokens.'
      : 'The access token has expired, and there is no refresh token.',
    details,
  })
}
