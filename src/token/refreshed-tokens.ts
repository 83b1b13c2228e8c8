/**
 * What the provider's answer to a refresh becomes: the next generation of the grant, and the access token as it is kept.
 * Values only; `grant-vault.ts` seals and stores them.
 */
import type { Random } from '../core/random.ts'
import type { AccessEntry, Grant } from './token-codec.ts'
import { refreshAheadAt } from './token-life.ts'
import { ASSUMED_LIFE_MS } from './token-set.ts'
import { subjectIn, type TokenSubject } from './token-subject.ts'
import { describeTarget, type Target } from './token-target.ts'
import type { RefreshedTokens } from './types.ts'

/** Keeps lineage and owner. A provider that does not rotate sends no refresh token: the old one stays. */
export function nextGrant(
  grant: Grant,
  answer: Pick<RefreshedTokens, 'refreshToken' | 'idToken' | 'subject'>,
  nowMs: number,
  grantLifetimeMs: number,
): Grant {
  // Only a verified ID token names the owner of a grant that has none.
  const owner = ownerOf(grant) ?? (answer.idToken === undefined ? undefined : answer.subject)
  return {
    lineage: grant.lineage,
    generation: grant.generation + 1,
    refreshToken: answer.refreshToken ?? grant.refreshToken,
    idToken: answer.idToken ?? grant.idToken,
    ...(owner && { owner }),
    obtainedAtMs: nowMs,
    expiresAtMs: nowMs + grantLifetimeMs,
  }
}

/** Returns the owner of a grant. Records of earlier builds name it only in their ID token, which that build had checked. */
export function ownerOf({ owner, idToken }: Grant): TokenSubject | null {
  return owner ?? subjectIn(idToken)
}

/** Its life counts from the moment of the question: the answer may have been long on its way. */
export function refreshedEntry(
  target: Target,
  grant: Pick<Grant, 'lineage' | 'generation'>,
  answer: RefreshedTokens,
  askedAtMs: number,
  random: Random,
): AccessEntry {
  const { expiresInSeconds } = answer
  const lifeMs = expiresInSeconds === null ? ASSUMED_LIFE_MS : Math.max(0, expiresInSeconds * 1000)
  const expiresAtMs = Math.floor(askedAtMs + lifeMs)
  return {
    lineage: grant.lineage,
    generation: grant.generation,
    accessToken: answer.accessToken,
    expiresAtMs,
    obtainedAtMs: askedAtMs,
    refreshAheadAtMs: refreshAheadAt(askedAtMs, expiresAtMs, random),
    scopes: answer.scopes.length > 0 ? answer.scopes : target.scopes,
    target: describeTarget(target),
    ...(target.claimsKey !== null && { claimsKey: target.claimsKey }),
  }
}
