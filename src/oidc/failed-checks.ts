/**
 * Names the check that a token or an answer of a provider failed, from the fields that openid-client attaches to its errors. It
 * shows public values only (issuer, audience, algorithm, times). The other fields hold tokens, claims and the nonce.
 */
import type { ClientError } from 'openid-client'
import type { ProviderReason } from '../core/provider-reason.ts'
import { safeText, safeUrl } from '../core/redact.ts'

export type FailedCheck = Required<Pick<ProviderReason, 'check'>> & Pick<ProviderReason, 'expected' | 'got'>

/** Limit for a list, such as audiences. */
const SHOWN_VALUES = 10

type Attached = Readonly<Record<string, unknown>>
type Claims = Readonly<Record<string, unknown>>

/** The check for each claim (OpenID Connect Core section 3.1.3.7). */
const CHECK_OF_CLAIM: Readonly<Record<string, string>> = {
  iss: 'issuer',
  aud: 'audience',
  azp: 'authorized-party',
  exp: 'expiry',
  nbf: 'not-before',
  iat: 'issued-at',
  auth_time: 'authentication-time',
  sub: 'subject',
  nonce: 'nonce',
}
const TYPE_OF_CLAIM: readonly (readonly [claim: string, isRight: (value: unknown) => boolean])[] = [
  ['exp', (value) => typeof value === 'number'],
  ['iat', (value) => typeof value === 'number'],
  ['iss', (value) => typeof value === 'string'],
  ['nbf', (value) => value === undefined || typeof value === 'number'],
  ['aud', (value) => typeof value === 'string' || Array.isArray(value)],
  ['sub', (value) => typeof value === 'string'],
]

/** Returns the failed check. `null`: the error is not about a check. */
export function failedCheckOf(error: ClientError): FailedCheck | null {
  const { cause } = error
  const attached = cause instanceof Error ? cause.cause : cause
  // The attached value is the token itself: it does not have three parts, or it is encrypted.
  if (typeof attached === 'string') return { check: 'format' }
  // The library uses one code for answers and tokens that are not JSON. Its fixed text distinguishes them.
  if (error.code === 'OAUTH_PARSE_ERROR' && cause instanceof Error && cause.message.startsWith('failed to parse JWT '))
    return { check: 'format' }
  if (!isObject(attached) || attached instanceof Response) return null
  if (attached['attribute'] === 'issuer' && isObject(attached['body'])) {
    return { check: 'issuer', ...compared(attached['expected'], attached['body']['issuer']) }
  }
  if (isObject(attached['claims'])) return checkOfClaims(attached, attached['claims'])
  if (attached['parameters'] instanceof URLSearchParams) return checkOfResponse(attached, attached['parameters'])
  if ('signature' in attached) return { check: 'signature' }
  if (isObject(attached['header'])) return checkOfHeader(attached, attached['header'])
  if (typeof attached['alg'] === 'string') return { check: 'algorithm', got: shown(attached['alg']) }
  return 'body' in attached ? { check: 'token-answer' } : null
}

function checkOfClaims({ claim, expected, now }: Attached, claims: Claims): FailedCheck | null {
  if (typeof claim !== 'string') return missingOrMistyped(claims)
  const check = CHECK_OF_CLAIM[claim] ?? safeText(claim, 40)
  if (claim === 'azp' || (claim === 'aud' && expected === undefined)) {
    return { check: 'authorized-party', ...compared(expected, claims['azp'] ?? claims['aud']) }
  }
  if (claim === 'iss' || claim === 'aud') return { check, ...compared(expected, claims[claim]) }
  const at = claims[claim]
  if (typeof at !== 'number' || typeof now !== 'number') return { check }
  return { check, expected: `${claim === 'nbf' ? 'before' : 'after'} ${timeOf(now)}`, got: timeOf(at) }
}

/** The library does not name the claim, so the rules of section 2 are checked again. */
function missingOrMistyped(claims: Claims): FailedCheck | null {
  const missing = ['aud', 'exp', 'iat', 'iss', 'sub'].find((claim) => claims[claim] === undefined)
  if (missing !== undefined) return { check: CHECK_OF_CLAIM[missing] ?? missing, got: 'none' }
  const mistyped = TYPE_OF_CLAIM.find(([claim, isRight]) => !isRight(claims[claim]))
  if (mistyped) return { check: CHECK_OF_CLAIM[mistyped[0]] ?? mistyped[0], got: 'another type' }
  return claims['nonce'] === undefined ? { check: 'nonce', got: 'none' } : { check: 'claims' }
}

/** RFC 9207: the issuer that an authorization response names. */
function checkOfResponse({ expected }: Attached, parameters: URLSearchParams): FailedCheck {
  const issuer = parameters.get('iss')
  // Without this test, `expected` could be the state.
  const isAboutIssuer = expected === undefined || (typeof expected === 'string' && URL.canParse(expected))
  return isAboutIssuer ? { check: 'response-issuer', ...compared(expected, issuer ?? 'none') } : { check: 'response' }
}

function checkOfHeader({ expected, candidates }: Attached, header: Attached): FailedCheck {
  // None of the published keys has the id and the type that the token names.
  if (candidates !== undefined) return { check: 'signing-key' }
  if (header['crit'] !== undefined && expected === undefined) return { check: 'critical-header' }
  if ('typ' in header && expected === undefined) return { check: 'type' }
  return { check: 'algorithm', ...compared(expected, header['alg']) }
}

function compared(expected: unknown, got: unknown): Pick<FailedCheck, 'expected' | 'got'> {
  return {
    ...(expected !== undefined && { expected: shown(expected) }),
    ...(got !== undefined && { got: shown(got) }),
  }
}

/**
 * Formats a public value of a token for a log: limited in length, and a URL without credentials and query. The token may be forged, so the
 * value may have any type and any depth. Only the first values of a list are shown, and no list inside it.
 */
export function shown(value: unknown): string {
  if (!Array.isArray(value)) return shownOne(value)
  return safeText(value.slice(0, SHOWN_VALUES).map(shownOne).join(' '))
}

function shownOne(value: unknown): string {
  if (value === undefined) return 'none'
  if (typeof value === 'object') return 'an object'
  if (typeof value !== 'string') return `a ${typeof value}`
  return /^https?:/.test(value) ? safeUrl(value) : safeText(value, 100)
}

function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? 'no time' : date.toISOString()
}

function isObject(value: unknown): value is Attached {
  return typeof value === 'object' && value !== null
}
