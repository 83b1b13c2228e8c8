/**
 * The one place that understands the errors of openid-client. They are told apart by the OAuth `error` field (RFC 6749
 * section 5.2), the HTTP status and the library's codes, never by message text. What the library attaches to its errors
 * (request parameters, answers, claims) can hold codes and tokens and is left behind: only scalars go on.
 */
import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'
import type { Clock } from '../core/clock.ts'
import type { OidcErrorCode } from '../core/error-catalogue.ts'
import { OidcError } from '../core/errors.ts'
import { safeText } from '../core/redact.ts'
import type { RefreshFacts } from '../token/refresh-outcome.ts'

/** What is known of a failed request to a provider. */
export interface ProviderFacts extends RefreshFacts {
  /** A code of openid-client or of the network (`ECONNREFUSED`, …), for people who look for the cause. */
  readonly reason?: string
  /** An answer came and fails a check: state, nonce, issuer, signature, audience, times. */
  readonly isInvalidAnswer?: boolean
}

const MAX_CLAIMS_CHARACTERS = 8192
const MAX_RETRY_AFTER_MS = 3_600_000

/** OAuth errors of the authorization and token endpoints (RFC 6749 sections 4.1.2.1 and 5.2, OIDC Core section 3.1.2.6). */
const CODE_OF_ERROR: Readonly<Record<string, OidcErrorCode>> = {
  access_denied: 'COATCHECK_SIGNIN_DENIED',
  interaction_required: 'COATCHECK_SIGNIN_DENIED',
  login_required: 'COATCHECK_SIGNIN_DENIED',
  consent_required: 'COATCHECK_SIGNIN_DENIED',
  account_selection_required: 'COATCHECK_SIGNIN_DENIED',
  invalid_client: 'COATCHECK_OIDC_CLIENT_REJECTED',
  unauthorized_client: 'COATCHECK_OIDC_CLIENT_REJECTED',
  server_error: 'COATCHECK_OIDC_UNAVAILABLE',
  temporarily_unavailable: 'COATCHECK_OIDC_UNAVAILABLE',
}

/** Codes of openid-client which say that what answered is not a working endpoint of the provider. */
const NO_ANSWER: ReadonlySet<unknown> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
])

/** Whatever openid-client or `fetch` threw, as facts. */
export function factsOf(error: unknown, clock: Clock): ProviderFacts {
  if (error instanceof ResponseBodyError) {
    const body = error.cause as Readonly<Record<string, unknown>>
    const errorCodes = Array.isArray(body.error_codes) ? body.error_codes.filter((c) => typeof c === 'number') : []
    const { claims, suberror } = body
    return {
      status: error.status,
      error: safeText(error.error, 60),
      ...(typeof suberror === 'string' && { suberror: safeText(suberror, 60) }),
      ...(errorCodes.length > 0 && { errorCodes }),
      ...(typeof claims === 'string' && claims.length <= MAX_CLAIMS_CHARACTERS && { claims }),
      ...retryAfterOf(error.response, clock),
    }
  }
  if (error instanceof AuthorizationResponseError) return { error: safeText(error.error, 60) }
  // 401 with a challenge: RFC 6749 section 5.2 knows it for a client that failed to authenticate.
  if (error instanceof WWWAuthenticateChallengeError) {
    const isClient = error.status === 401
    return {
      status: error.status,
      ...(isClient && { error: 'invalid_client' }),
      ...retryAfterOf(error.response, clock),
    }
  }
  if (error instanceof ClientError) {
    const answer =
      error.cause instanceof Response ? { status: error.cause.status, ...retryAfterOf(error.cause, clock) } : {}
    const reason = error.code ?? networkCodeOf(error)
    const isInvalidAnswer = error.code !== undefined && !NO_ANSWER.has(error.code)
    return { ...answer, ...(reason && { reason }), ...(isInvalidAnswer && { isInvalidAnswer }) }
  }
  const reason = networkCodeOf(error)
  return reason ? { reason } : {}
}

/** An error of the authorization response or the code grant. One of ours passes through. */
export function toSignInError(error: unknown, clock: Clock): OidcError {
  if (error instanceof OidcError) return error
  const facts = factsOf(error, clock)
  return new OidcError(signInCodeOf(facts), { details: detailsOf(facts), cause: scrubbed(error) })
}

/** An error of discovery. Whatever it is, the provider cannot be used at the moment. */
export function toDiscoveryError(error: unknown, clock: Clock): OidcError {
  if (error instanceof OidcError) return error
  return new OidcError('COATCHECK_OIDC_DISCOVERY', {
    details: detailsOf(factsOf(error, clock)),
    cause: scrubbed(error),
  })
}

/** A check of ours refuses the sign-in. `reason` is a fixed word, never a value that came from outside. */
export function signInRefused(
  code: 'COATCHECK_SIGNIN_REJECTED' | 'COATCHECK_SIGNIN_EXPIRED' | 'COATCHECK_SIGNIN_DENIED',
  reason: string,
): OidcError {
  return new OidcError(code, { details: { reason } })
}

/** The application said no. Its reason goes to the log and never to the visitor. */
export function applicationDenial(reason: string | null): OidcError {
  return new OidcError('COATCHECK_SIGNIN_DENIED', {
    ...(reason !== null && { message: `The application refused: ${safeText(reason)}.` }),
    details: { reason: 'authorize' },
  })
}

export function isApplicationDenial(error: unknown): boolean {
  return error instanceof OidcError && error.details['reason'] === 'authorize'
}

/** Name, the library's own fixed text and the stack: without `cause`, `response` and whatever else hangs on it. */
export function scrubbed(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined
  const copy = new Error(safeText(error.message))
  copy.name = error.name
  if (error.stack !== undefined) copy.stack = error.stack
  return copy
}

function signInCodeOf({ status, error, isInvalidAnswer }: ProviderFacts): OidcErrorCode {
  if (status !== undefined && (status === 408 || status === 429 || status >= 500)) return 'COATCHECK_OIDC_UNAVAILABLE'
  if (error !== undefined) {
    return (Object.hasOwn(CODE_OF_ERROR, error) ? CODE_OF_ERROR[error] : undefined) ?? 'COATCHECK_SIGNIN_REJECTED'
  }
  return isInvalidAnswer ? 'COATCHECK_SIGNIN_REJECTED' : 'COATCHECK_OIDC_UNAVAILABLE'
}

function detailsOf({
  status,
  error,
  suberror,
  errorCodes,
  reason,
}: ProviderFacts): Record<string, string | number | undefined> {
  return { status, error, suberror, providerCode: errorCodes?.[0], reason }
}

/** RFC 9110 section 10.2.3: seconds or a date. */
function retryAfterOf(response: Response, clock: Clock): { retryAfterMs?: number } {
  const text = response.headers.get('retry-after')?.trim()
  if (!text) return {}
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - clock.now()
  return Number.isFinite(ms) && ms > 0 ? { retryAfterMs: Math.min(ms, MAX_RETRY_AFTER_MS) } : {}
}

/** `ECONNREFUSED`, `UND_ERR_SOCKET`, …: from the error or what it was caused by. */
function networkCodeOf(error: unknown): string | null {
  for (let e = error, depth = 0; e instanceof Error && depth < 4; e = e.cause, depth++) {
    const { code } = e as { code?: unknown }
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(code)) return code
  }
  return null
}
