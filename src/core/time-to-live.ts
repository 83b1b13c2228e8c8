/**
 * Checks every time to live before it reaches a store. Stores get whole milliseconds that they can add to their clock. So no invalid
 * value reaches a script or makes a key that never expires.
 */
import { MisuseError } from './errors.ts'
import { describeValue } from './redact.ts'

const DAY_MS = 86_400_000

/** The longest life that another session library can ask for: ten years, as for lifetimes in the options. */
export const MAX_TTL_MS = 3650 * DAY_MS

/**
 * How long a store remembers that a session was revoked, milliseconds. It is longer than any request takes, so no late write brings the session
 * back. After this time, the missing record alone shows that the session has ended.
 */
export const ENDED_REMEMBERED_MS = 60 * 60_000

/**
 * Returns a time to live as whole milliseconds, at least 1.
 * @param name the name of the value in the message
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for NaN, an infinite or a negative number, one beyond 2^53, and another type
 */
export function checkedTtlMs(ttlMs: number, name = 'ttlMs'): number {
  if (typeof ttlMs !== 'number' || !(ttlMs >= 0) || ttlMs > Number.MAX_SAFE_INTEGER) {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      `"${name}" must be a time to live: a number from 0 to 2^53 - 1; it got ${describeValue(ttlMs)}.`,
    )
  }
  return Math.max(1, Math.ceil(ttlMs))
}

/**
 * Returns the life that another library requests, within the limits of a store: `fallbackMs` for a value that is no number, ten years for
 * a longer life. 0 or less means that the life is over.
 */
export function boundedLifeMs(lifeMs: unknown, fallbackMs: number): number {
  if (typeof lifeMs !== 'number' || Number.isNaN(lifeMs)) return fallbackMs
  return Math.min(lifeMs, MAX_TTL_MS)
}
