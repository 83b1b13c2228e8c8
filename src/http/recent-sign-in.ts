/**
 * How recently a user has authenticated: the option `maxAge` of `requireUser()` in every adapter (OWASP ASVS 7.5.3, NIST SP 800-63B-4
 * section 2.1.3). The time is the claim `auth_time` of the provider. A session without a known time never counts as recent.
 */
import { type Duration, LEAST_LIFETIME_NUMBER_MS, parseDurationMs } from '../core/duration.ts'
import { MisuseError } from '../core/errors.ts'
import { describeValue } from '../core/redact.ts'
import type { Authentication } from '../session/sign-in-input.ts'

const LEAST_MS = 1000

/**
 * Returns the option `maxAge` in milliseconds. `null`: not given.
 * @param caller for the message
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function maxAgeMsOf(maxAge: Duration | undefined, caller: string): number | null {
  if (maxAge === undefined) return null
  const maxAgeMs = parseDurationMs(maxAge)
  const isMistakenUnit = typeof maxAge === 'number' && maxAge < LEAST_LIFETIME_NUMBER_MS
  if (maxAgeMs !== null && maxAgeMs >= LEAST_MS && !isMistakenUnit) return maxAgeMs
  throw new MisuseError(
    'COATCHECK_INVALID_ARGUMENT',
    `"maxAge" of ${caller} must be a duration with a unit such as '5m', of 1 s or more; it got ${describeValue(maxAge)}.`,
    { fix: "Write the unit: maxAge: '5m'." },
  )
}

/** Whether the user authenticated at most `maxAgeMs` ago, according to the provider. */
export function isRecent(authentication: Authentication | null, maxAgeMs: number, nowMs: number): boolean {
  if (!authentication || authentication.isAuthTimeUnknown === true) return false
  // A time that is not a number makes the comparison false.
  const ageMs = nowMs - authentication.authenticatedAtMs
  return ageMs <= maxAgeMs
}
