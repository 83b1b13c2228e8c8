/**
 * Answers to a refresh that are not what the grant may become (OpenID Connect Core section 12.2). Values only: `refreshing.ts` acts
 * on the failure, and docs/decisions/0024 says why.
 */
import { safeUrl } from '../core/redact.ts'
import { RefreshFailure } from './refresh-outcome.ts'
import { ownerOf } from './refreshed-tokens.ts'
import type { Grant } from './token-codec.ts'
import { differenceOf, type TokenSubject } from './token-subject.ts'
import type { RefreshedTokens } from './types.ts'

/** @throws {RefreshFailure} `subject-mismatch` when the answer names another issuer or subject than the grant */
export function assertSameSubject(grant: Grant, { subject }: RefreshedTokens): void {
  const mismatch = subject && mismatchOf(grant, subject)
  if (mismatch) throw mismatch
}

/**
 * A refused answer that names somebody else is a mismatch first, whatever else is wrong with it: then its refresh token must not be
 * kept.
 */
export function judged(grant: Grant, failure: RefreshFailure): RefreshFailure {
  if (failure.outcome !== 'invalid-answer') return failure
  const subject = failure.refusedAnswer()?.subject
  const mismatch = subject && mismatchOf(grant, subject)
  if (mismatch) return mismatch
  // Not the issuer of this provider, whatever the grant knows of its owner.
  return failure.facts.check === 'issuer'
    ? new RefreshFailure(failure.facts, { outcome: 'subject-mismatch', cause: failure })
    : failure
}

/** The refresh token that replaces that of the grant, although the rest of its answer is of no use. `null`: it stays. */
export function successorOf({ refreshToken }: Grant, failure: RefreshFailure): string | null {
  if (failure.outcome !== 'invalid-answer') return null
  const successor = failure.refusedAnswer()?.refreshToken ?? null
  return successor === refreshToken ? null : successor
}

function mismatchOf(grant: Grant, named: TokenSubject): RefreshFailure | null {
  const owner = ownerOf(grant)
  const check = owner && differenceOf(owner, named)
  if (!owner || !check) return null
  const compared = check === 'issuer' ? { expected: safeUrl(owner.issuer), got: safeUrl(named.issuer) } : {}
  return new RefreshFailure({ check, ...compared }, { outcome: 'subject-mismatch' })
}
