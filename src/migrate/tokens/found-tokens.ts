/** Converts the tokens that an origin found to one shape, and their times to milliseconds. */
import type { CheckedTokenSet } from '../../token/token-set.ts'
import type { OldKeys } from '../old-keys.ts'
import type { OldRecordDriver } from '../old-record-driver.ts'

export interface FoundTokens {
  /** The user id in Coatcheck that they belong to. */
  readonly userId: string
  readonly tokens: CheckedTokenSet
  /** Deletes the old value. Absent: it contains other data, or the mode keeps it. */
  readonly forget?: () => Promise<unknown>
  /** Added to the name of the origin in events, such as the unit of a time. */
  readonly variant?: string
}

/** Reads the tokens of an origin. */
export interface TokenSource {
  /** `null`: the user has no old tokens. `unreadable`: the value stays as it is. */
  find(old: OldRecordDriver, userId: string): Promise<FoundTokens | 'unreadable' | null>
  /** Lists user ids in Coatcheck. Absent: the origin cannot list them. */
  users?(old: OldRecordDriver): AsyncIterable<string>
  /** Recognizes the old keys. Absent: their names do not identify them. */
  readonly keys?: OldKeys
  /** Names of the forms that old values have. Absent: there is one. */
  readonly variants?: readonly string[]
}

// In milliseconds this is March 1973, in seconds the year 5138. No token expires at either time.
const SECONDS_BELOW = 100_000_000_000
const TOKEN_CHARACTERS = 256 * 1024
/** RFC 6749 section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** Converts a time in seconds or milliseconds to epoch milliseconds. The size of the number decides the unit. `null`: it is no time. */
export function epochMs(value: unknown): { readonly ms: number; readonly unit: 'seconds' | 'milliseconds' } | null {
  if (value instanceof Date) return { ms: value.getTime(), unit: 'milliseconds' }
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && /^\d{1,16}$/.test(value))
  if (!isNumeric) {
    const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
    return Number.isNaN(ms) ? null : { ms, unit: 'milliseconds' }
  }
  const number = Number(value)
  if (!Number.isFinite(number) || number <= 0) return null
  return number < SECONDS_BELOW
    ? { ms: Math.floor(number * 1000), unit: 'seconds' }
    : { ms: Math.floor(number), unit: 'milliseconds' }
}

/** Returns the value if it is a token, otherwise `null`. */
export function tokenIn(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= TOKEN_CHARACTERS ? value : null
}

/** Returns scopes that are separated by spaces or commas. `null`: the value names none. */
export function scopesIn(value: unknown): readonly string[] | null {
  const scopes = typeof value === 'string' ? value.split(/[\s,]+/).filter((scope) => SCOPE.test(scope)) : []
  return scopes.length > 0 ? [...new Set(scopes)].sort() : null
}

/**
 * Returns the tokens to store. It leaves out an access token that has expired or whose end is unknown, because the refresh token gets another.
 * `null`: no usable token is left.
 */
export function tokenSet(
  given: {
    readonly accessToken: string | null
    readonly expiresAtMs: number | null
    readonly refreshToken: string | null
    readonly idToken: string | null
    readonly scopes: readonly string[] | null
  },
  nowMs: number,
): CheckedTokenSet | null {
  const { accessToken, expiresAtMs, refreshToken } = given
  const alive =
    accessToken !== null && expiresAtMs !== null && expiresAtMs > nowMs ? { accessToken, expiresAtMs } : null
  if (!alive && refreshToken === null) return null
  return {
    ...(alive ?? { accessToken: '', expiresAtMs: 0 }),
    refreshToken,
    idToken: given.idToken,
    scopes: given.scopes,
  }
}
