/** How long tokens live, and when one is good enough. Pure functions: time and randomness are arguments. */
import type { Random } from '../core/random.ts'
import type { AccessEntry } from './token-codec.ts'

/** After this part of its life a token is refreshed in the background. */
const REFRESH_AHEAD_AT = 0.8
/** ±, so that tokens of the same moment are not refreshed at the same moment. */
const REFRESH_AHEAD_JITTER = 0.1
/** A token with a life shorter than the default validity is never good enough. For such a token, a fifth of its life suffices. */
const MIN_VALIDITY_PART = 0.2

export function refreshAheadAt(obtainedAtMs: number, expiresAtMs: number, random: Random): number {
  const chance = random.bytes(4).readUInt32BE(0) / 2 ** 32
  const part = REFRESH_AHEAD_AT * (1 + REFRESH_AHEAD_JITTER * (2 * chance - 1))
  return Math.floor(obtainedAtMs + Math.max(0, expiresAtMs - obtainedAtMs) * part)
}

/** How much validity a caller requires. `askedMs` is the caller's own value, `defaultMs` the configuration's. */
export interface Need {
  readonly askedMs: number | null
  readonly defaultMs: number
  /** Only a token that answers this claims challenge is good; `null`: any token. */
  readonly claimsKey: string | null
}

/**
 * Returns true if the token has the required life left. If the caller requires more than the whole life of a token, a refresh cannot help.
 * The default rule then decides; otherwise each call refreshes.
 */
export function isGood(
  { obtainedAtMs, expiresAtMs, claimsKey }: AccessEntry,
  { askedMs, defaultMs, claimsKey: wantedClaims }: Need,
  nowMs: number,
): boolean {
  if (wantedClaims !== null && claimsKey !== wantedClaims) return false
  const lifeMs = Math.max(0, expiresAtMs - obtainedAtMs)
  const wantedMs = askedMs !== null && askedMs < lifeMs ? askedMs : Math.min(defaultMs, lifeMs * MIN_VALIDITY_PART)
  return expiresAtMs - nowMs > wantedMs
}

export function isAlive({ expiresAtMs }: AccessEntry, nowMs: number): boolean {
  return expiresAtMs > nowMs
}
