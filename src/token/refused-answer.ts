/**
 * Judges answers to a refresh that a check refused, or that name another subject (OpenID Connect Core section 12.2). It returns values
 * only: `single-refresh.ts` acts on them. docs/decisions/0024 gives the reasons.
 */
import { safeUrl } from '../core/redact.ts'
import { RefreshFailure } from './refresh-outcome.ts'
import { ownerOf } from './next-grant.ts'
import type { Grant } from './token-codec.ts'
import { differenceOf, type TokenSubject } from './token-subject.ts'
import type { RefreshedTokens } from './token-requester.ts'

/** @throws {RefreshFailure} `subject-mismatch` when the answer names another issuer or subject than the grant */
export function assertSameSubject(grant: Grant, { subject }: RefreshedTokens): void {
  const mismatch = subject && mismatchOf(grant, subject)
  if (mismatch) throw mismatch
}

/**
 * Turns a refused answer that names another subject into a `subject-mismatch`, whichever check it failed. The refresh token of such an
 * answer must not be kept.
 */
export function judged(grant: Grant, failure: RefreshFailure): RefreshFailure {
  if (failure.outcome !== 'invalid-answer') return failure
  const subject = failure.refusedAnswer()?.subject
  const mismatch = subject && mismatchOf(grant, subject)
  if (mismatch) return mismatch
  // The token names another issuer than this provider, even if the owner of the grant is unknown.
  return failure.facts.check === 'issuer'
    ? new RefreshFailure(failure.facts, { outcome: 'subject-mismatch', cause: failure })
    : failure
}

/** Returns the refresh token of a refused answer, which replaces that of the grant. `null`: the grant keeps its own. */
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
