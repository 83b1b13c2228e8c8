/**
 * Checks tokens that the application passes in: shapes, and the unit of `expiresAt`. Messages name the field and the type of its value,
 * never the value: a wrong field may hold a token.
 */
import { type ErrorTexts, MisuseError } from '../core/errors.ts'
import { describeValue } from '../core/redact.ts'
import { sortedScopes } from './token-target.ts'
import type { OAuthAccount, TokenSet } from './types.ts'

/** Assumed when a provider does not report the life of a token (RFC 6749 section 5.1 only recommends it). */
export const ASSUMED_LIFE_MS = 5 * 60_000
// As milliseconds this is March 1973, as seconds the year 5138: no token expires at either time.
const SECONDS_BELOW = 100_000_000_000
// November 2286. A larger value is microseconds or invalid.
const MILLISECONDS_BELOW = 10_000_000_000_000
const TOKEN_CHARACTERS = 256 * 1024
const USER_ID_CHARACTERS = 4096
const FIELDS = new Set(['accessToken', 'expiresAt', 'refreshToken', 'idToken', 'scopes'])

export interface CheckedTokenSet {
  readonly accessToken: string
  readonly expiresAtMs: number
  readonly refreshToken: string | null
  readonly idToken: string | null
  /** `null`: unknown. */
  readonly scopes: readonly string[] | null
}

/** @throws {MisuseError} `COATCHECK_TOKEN_SECONDS`, `COATCHECK_INVALID_ARGUMENT` */
export function checkTokenSet(tokens: unknown): CheckedTokenSet {
  if (typeof tokens !== 'object' || tokens === null || Array.isArray(tokens)) {
    throw refused('tokens', 'an object with accessToken and expiresAt', tokens)
  }
  const given = tokens as { readonly [Field in keyof TokenSet]?: unknown }
  const unknown = Object.keys(given).find((field) => !FIELDS.has(field))
  if (unknown !== undefined) {
    const known = [...FIELDS].join(', ')
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      `"tokens" has a field that is none of ${known}. An account of Auth.js goes through fromOAuth(account) first.`,
    )
  }
  return {
    accessToken: requiredToken('accessToken', given.accessToken),
    expiresAtMs: epochMilliseconds(given.expiresAt),
    refreshToken: optionalToken('refreshToken', given.refreshToken),
    idToken: optionalToken('idToken', given.idToken),
    scopes: given.scopes === undefined ? null : sortedScopes(given.scopes),
  }
}

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` */
export function checkAssertion(assertion: unknown): string {
  return requiredToken('assertion', assertion)
}

/** RFC 6749 section 5.1 and Auth.js count in seconds; Coatcheck counts in milliseconds. */
export function tokenSetFromOAuth(account: unknown, nowMs: number): TokenSet {
  if (typeof account !== 'object' || account === null) throw refused('account', 'an object with access_token', account)
  const given = account as { readonly [Field in keyof OAuthAccount]?: unknown }
  const scope = given.scope ?? ''
  if (typeof scope !== 'string') throw refused('account.scope', 'a text of scopes separated by spaces', scope)
  return {
    accessToken: requiredToken('account.access_token', given.access_token),
    refreshToken: optionalToken('account.refresh_token', given.refresh_token),
    idToken: optionalToken('account.id_token', given.id_token),
    expiresAt: expiryOf(given.expires_at ?? null, given.expires_in ?? null, nowMs),
    ...(scope.trim() === '' ? {} : { scopes: sortedScopes(scope.trim().split(/\s+/)) }),
  }
}

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` */
export function checkUserId(userId: unknown): string {
  if (typeof userId === 'string' && userId !== '' && userId.length <= USER_ID_CHARACTERS) return userId
  throw refused('userId', `a text of 1 to ${USER_ID_CHARACTERS} characters`, userId, {
    fix: 'Pass the id of a signed-in user, which is session.user.id.',
  })
}

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` */
export function checkMinValidity(value: unknown): number | null {
  if (value === undefined) return null
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw refused('minValidityMs', 'milliseconds, 0 or more', value)
}

function expiryOf(expiresAtSeconds: unknown, expiresInSeconds: unknown, nowMs: number): number {
  if (expiresAtSeconds !== null) {
    const seconds = Number(expiresAtSeconds)
    if (Number.isFinite(seconds) && seconds > 0 && seconds < SECONDS_BELOW) return Math.floor(seconds * 1000)
    throw refused('account.expires_at', 'epoch seconds, as Auth.js has them', expiresAtSeconds)
  }
  if (expiresInSeconds === null) return nowMs + ASSUMED_LIFE_MS
  const seconds = Number(expiresInSeconds)
  if (Number.isFinite(seconds) && seconds >= 0 && seconds < SECONDS_BELOW / 1000)
    return nowMs + Math.floor(seconds * 1000)
  throw refused('account.expires_in', 'a number of seconds', expiresInSeconds)
}

function epochMilliseconds(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value >= MILLISECONDS_BELOW) {
    throw refused('tokens.expiresAt', 'epoch milliseconds', value)
  }
  if (value < SECONDS_BELOW)
    throw new MisuseError(
      'COATCHECK_TOKEN_SECONDS',
      'tokens.expiresAt must be in milliseconds; this value can only be seconds.',
    )
  return Math.floor(value)
}

function requiredToken(field: string, value: unknown): string {
  const token = optionalToken(field, value)
  if (token === null) throw refused(field, 'a token', value)
  return token
}

function optionalToken(field: string, value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' && value !== '' && value.length <= TOKEN_CHARACTERS) return value
  throw refused(field, `a text of 1 to ${TOKEN_CHARACTERS} characters`, value)
}

function refused(field: string, wanted: string, got: unknown, texts: ErrorTexts = {}): MisuseError {
  return new MisuseError(
    'COATCHECK_INVALID_ARGUMENT',
    `"${field}" must be ${wanted}; it got ${describeValue(got)}.`,
    texts,
  )
}
