/**
 * The only module that interprets the errors of openid-client. It classifies them by the OAuth `error` field (RFC 6749
 * section 5.2), the HTTP status and the library's codes, never by message text. The library attaches request parameters, answers and claims
 * to its errors, which can hold codes and tokens. This module passes on only scalars.
 */
import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'
import type { ResolvedProvider } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import { errorCatalogue, type OidcErrorCode } from '../core/error-catalogue.ts'
import { type AnyCoatcheckError, OidcError, type SafeDetails } from '../core/errors.ts'
import { type ProviderReason, providerReasonIn } from '../core/provider-reason.ts'
import { safeText, safeUrl } from '../core/redact.ts'
import { reasonInFacts, type RefreshFacts } from '../token/refresh-outcome.ts'
import { noteOf } from './bounded-fetch.ts'
import { entraFactsIn, wordIn } from './entra-reason.ts'
import { failedCheckOf } from './failed-checks.ts'

/** The facts about a failed request to a provider. */
export interface ProviderFacts extends RefreshFacts {
  /** An answer arrived and fails a check: state, nonce, issuer, signature, audience, times. */
  readonly isInvalidAnswer?: boolean
}

const MAX_CLAIMS_CHARACTERS = 8192
const DEEPEST_CAUSE = 4
/** Replaces an `error` that is no identifier. */
const UNREADABLE = 'unreadable'
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

/** Codes of openid-client for an answer that does not come from a working endpoint of the provider. */
const NO_ANSWER: ReadonlySet<unknown> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
])

/** Converts any error of openid-client or `fetch` to facts. */
export function factsOf(error: unknown, clock: Clock): ProviderFacts {
  if (error instanceof ResponseBodyError) return factsOfAnswer(error.response, error.cause, clock)
  if (error instanceof AuthorizationResponseError) {
    const { cause } = error
    return { error: wordIn(error.error) ?? UNREADABLE, ...entraFactsIn((name) => cause.get(name) ?? undefined) }
  }
  // 401 with a challenge: RFC 6749 section 5.2 defines it for a client that failed to authenticate.
  if (error instanceof WWWAuthenticateChallengeError) {
    const facts = factsOfAnswer(error.response, null, clock)
    return error.status === 401 ? { error: 'invalid_client', ...facts } : facts
  }
  const request = requestOf(error)
  if (!(error instanceof ClientError)) return { ...request, ...reasonOf(networkCodeOf(error)) }
  const answer = error.cause instanceof Response ? factsOfAnswer(error.cause, null, clock) : request
  const check = failedCheckOf(error)
  const isInvalidAnswer = error.code !== undefined && (!NO_ANSWER.has(error.code) || check?.check === 'format')
  return {
    ...answer,
    ...reasonOf(error.code ?? networkCodeOf(error)),
    ...check,
    ...(isInvalidAnswer && { isInvalidAnswer }),
  }
}

/** @param body the JSON that openid-client has read; `null` if it has not read the body */
function factsOfAnswer(answer: Response, body: unknown, clock: Clock): ProviderFacts {
  const note = noteOf(answer)
  const refusal = (body ?? note?.refusal ?? {}) as Readonly<Record<string, unknown>>
  const { error, claims } = refusal
  return {
    status: answer.status,
    ...(note && { url: note.url }),
    ...(typeof error === 'string' && { error: wordIn(error) ?? UNREADABLE }),
    ...entraFactsIn((name) => refusal[name], answer.headers),
    ...(typeof claims === 'string' && claims.length <= MAX_CLAIMS_CHARACTERS && { claims }),
    ...retryAfterOf(answer, clock),
  }
}

/** The address of a request that ended without an answer. */
function requestOf(error: unknown): { readonly url?: string } {
  for (let e = error, depth = 0; e instanceof Error && depth < DEEPEST_CAUSE; e = e.cause, depth++) {
    const note = noteOf(e)
    if (note) return { url: note.url }
  }
  return {}
}

function reasonOf(reason: string | null): { readonly reason?: string } {
  return reason === null ? {} : { reason }
}

/** Converts an error of the authorization response or the code grant. An `OidcError` passes unchanged. */
export function toSignInError(error: unknown, clock: Clock): OidcError {
  if (error instanceof OidcError) return error
  const facts = factsOf(error, clock)
  return new OidcError(signInCodeOf(facts), { details: detailsOf(facts), cause: scrubbed(error) })
}

/**
 * Converts an error of discovery. In each case the provider is unusable at the moment.
 * @param provider the provider of the metadata: the error names it and the address
 */
export function toDiscoveryError(error: unknown, clock: Clock, provider?: ResolvedProvider): OidcError {
  if (error instanceof OidcError) return error
  const asked = provider && { provider: provider.name, url: safeUrl(provider.discoveryUrl) }
  const facts = factsOf(error, clock)
  // The library reports every answer of a wrong shape in the same way.
  const shape = facts.check === 'token-answer' ? { check: 'metadata' } : {}
  return new OidcError('COATCHECK_OIDC_DISCOVERY', {
    details: { ...asked, ...detailsOf(facts), ...shape },
    cause: scrubbed(error),
  })
}

/**
 * Returns the error of a check in Coatcheck that refuses the sign-in.
 * @param check a fixed word, never a value from outside
 * @param compared public values only
 */
export function signInRefused(
  code: 'COATCHECK_SIGNIN_REJECTED' | 'COATCHECK_SIGNIN_EXPIRED' | 'COATCHECK_SIGNIN_DENIED',
  check: string,
  compared: Pick<ProviderReason, 'expected' | 'got'> = {},
): OidcError {
  return new OidcError(code, { details: { check, ...compared } })
}

/** Returns the error for a refusal by the application. Its reason goes to the log and never to the visitor. */
export function applicationDenial(reason: string | null): OidcError {
  return new OidcError('COATCHECK_SIGNIN_DENIED', {
    ...(reason !== null && { message: `The application refused: ${safeText(reason)}.` }),
    details: { reason: 'authorize' },
  })
}

export function isApplicationDenial(error: unknown): boolean {
  return error instanceof OidcError && error.details['reason'] === 'authorize'
}

/**
 * Copies name, message and the calls of the stack, without `cause`, `response` and other properties. The message of a parser
 * quotes its input, so it is escaped in both places.
 */
export function scrubbed(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined
  const { name, message, stack = '' } = error
  const copy = new Error(safeText(message))
  copy.name = name
  const at = stack.indexOf(message)
  const calls = at < 0 ? '' : stack.slice(at + message.length)
  copy.stack = `${name}: ${copy.message}${calls.slice(Math.max(0, calls.search(/\n {4}at /)))}`
  return copy
}

function signInCodeOf({ status, error, isInvalidAnswer }: ProviderFacts): OidcErrorCode {
  if (status !== undefined && (status === 408 || status === 429 || status >= 500)) return 'COATCHECK_OIDC_UNAVAILABLE'
  if (error !== undefined) {
    return (Object.hasOwn(CODE_OF_ERROR, error) ? CODE_OF_ERROR[error] : undefined) ?? 'COATCHECK_SIGNIN_REJECTED'
  }
  return isInvalidAnswer ? 'COATCHECK_SIGNIN_REJECTED' : 'COATCHECK_OIDC_UNAVAILABLE'
}

/** Returns the facts that may be shown: all except `claims` and `isInvalidAnswer`, which are for the program. */
export function detailsOf(facts: RefreshFacts): SafeDetails {
  return { ...reasonInFacts(facts) }
}

/** Returns what an error says about the provider. Empty for errors of Redis, sessions and keys, which do not concern the provider. */
export function providerReasonOf(error: AnyCoatcheckError): ProviderReason {
  const { family } = errorCatalogue[error.code]
  return 'details' in error && (family === 'oidc' || family === 'token') ? providerReasonIn(error.details) : {}
}

/** RFC 9110 section 10.2.3: seconds or a date. */
function retryAfterOf(response: Response, clock: Clock): { retryAfterMs?: number } {
  const text = response.headers.get('retry-after')?.trim()
  if (!text) return {}
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - clock.now()
  return Number.isFinite(ms) && ms > 0 ? { retryAfterMs: Math.min(ms, MAX_RETRY_AFTER_MS) } : {}
}

/** Returns `ECONNREFUSED`, `UND_ERR_SOCKET`, …: from the error or from one of its causes. */
function networkCodeOf(error: unknown): string | null {
  for (let e = error, depth = 0; e instanceof Error && depth < DEEPEST_CAUSE; e = e.cause, depth++) {
    const { code } = e as { code?: unknown }
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(code)) return code
  }
  return null
}
