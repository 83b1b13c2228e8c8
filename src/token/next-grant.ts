/**
 * Turns the provider's answer to a refresh into the next grant and the access token. It computes values only; `grant-vault.ts` seals and
 * stores them.
 */
import type { Random } from '../core/random.ts'
import type { AccessEntry, Grant } from './token-codec.ts'
import { refreshAheadAt } from './token-life.ts'
import { ASSUMED_LIFE_MS } from './token-set.ts'
import { subjectIn, type TokenSubject } from './token-subject.ts'
import { describeTarget, type Target } from './token-target.ts'
import type { RefreshedTokens } from './token-requester.ts'

/** Returns the next grant of the same token family and owner. If the provider sends no new refresh token, the old one stays. */
export function nextGrant(
  grant: Grant,
  answer: Pick<RefreshedTokens, 'refreshToken' | 'idToken' | 'subject'>,
  nowMs: number,
  grantLifetimeMs: number,
): Grant {
  // Only a verified ID token names the owner of a grant that has none.
  const owner = ownerOf(grant) ?? (answer.idToken === undefined ? undefined : answer.subject)
  return {
    family: grant.family,
    refreshCount: grant.refreshCount + 1,
    refreshToken: answer.refreshToken ?? grant.refreshToken,
    idToken: answer.idToken ?? grant.idToken,
    ...(owner && { owner }),
    obtainedAtMs: nowMs,
    expiresAtMs: nowMs + grantLifetimeMs,
  }
}

/** Returns the owner of a grant. Records of earlier builds name the owner only in their ID token, which that build had verified. */
export function ownerOf({ owner, idToken }: Grant): TokenSubject | null {
  return owner ?? subjectIn(idToken)
}

/** The life of the token counts from the moment of the request, because the answer may have taken long. */
export function refreshedEntry(
  target: Target,
  grant: Pick<Grant, 'family' | 'refreshCount'>,
  answer: RefreshedTokens,
  askedAtMs: number,
  random: Random,
): AccessEntry {
  const { expiresInSeconds } = answer
  const lifeMs = expiresInSeconds === null ? ASSUMED_LIFE_MS : Math.max(0, expiresInSeconds * 1000)
  const expiresAtMs = Math.floor(askedAtMs + lifeMs)
  return {
    family: grant.family,
    refreshCount: grant.refreshCount,
    accessToken: answer.accessToken,
    expiresAtMs,
    obtainedAtMs: askedAtMs,
    refreshAheadAtMs: refreshAheadAt(askedAtMs, expiresAtMs, random),
    scopes: answer.scopes.length > 0 ? answer.scopes : target.scopes,
    target: describeTarget(target),
    ...(target.claimsKey !== null && { claimsKey: target.claimsKey }),
  }
}
