/**
 * Classifies failed refreshes, as data. Providers report them in OAuth's `error` (RFC 6749 section 5.2, OpenID Connect Core section
 * 3.1.2.6), in Entra ID's `suberror`, `error_codes` and `claims`, and in the HTTP status. The classification never reads a message text.
 * `oidc/` collects the facts and throws a `RefreshFailure`; `single-refresh.ts` acts on its outcome.
 */
import type { TokenErrorCode } from '../core/error-catalogue.ts'
import type { ErrorOptions } from '../core/errors.ts'
import { type ProviderReason, providerReasonIn } from '../core/provider-reason.ts'
import type { Random } from '../core/random.ts'
import { safeText } from '../core/redact.ts'
import type { TokenSubject } from './token-subject.ts'

export type RefreshOutcome =
  /** Network, overload, maintenance: the same request may succeed later. Nothing is wrong with the user. */
  | 'transient'
  /** The refresh token is not valid (any more). Final only after the store was read again. */
  | 'invalid-grant'
  /** `invalid-grant`, but the store holds a newer grant: another caller refreshed. `single-refresh.ts` decides this; no rule does. */
  | 'rotated-elsewhere'
  /** The user must act at the provider: second factor, consent, new terms. The session stays. */
  | 'interaction-required'
  /** The application's registration or credentials are wrong. All users stay signed in. */
  | 'operator-error'
  /** The provider does not grant this scope or resource; others of the same grant still work. */
  | 'caller-error'
  /** The answer of the provider fails a check. Coatcheck uses only a rotated refresh token from it. */
  | 'invalid-answer'
  /** The answer names another issuer or subject than the grant. Coatcheck uses nothing from it, and the grant ends. */
  | 'subject-mismatch'

/**
 * The facts about a failed token request. All absent: no answer arrived. `error` absent with a `status`: the body was not the JSON of
 * RFC 6749.
 */
export interface RefreshFacts extends ProviderReason {
  /** Entra ID: `error_codes`, the AADSTS numbers. */
  readonly errorCodes?: readonly number[]
  /** Entra ID: the claims that the next sign-in must request, as JSON. */
  readonly claims?: string
  /** From `Retry-After`, RFC 9110 section 10.2.3. */
  readonly retryAfterMs?: number
  /** No connection: the provider cannot have carried out the request. */
  readonly wasNeverSent?: true
}

/** The facts that events and errors report. */
export function reasonInFacts(facts: RefreshFacts): ProviderReason {
  const [number] = facts.errorCodes ?? []
  return providerReasonIn(number === undefined ? facts : { ...facts, providerCode: `AADSTS${number}` })
}

/** Entra ID: scopes of several resources in one request. */
const SEVERAL_RESOURCES = 28000
const SAID_CHARACTERS = 60
export const TOO_MANY_REQUESTS = 429

/**
 * The error texts for a request that the provider itself refused. Other codes have only the catalogue's texts.
 * @param target as `describeTarget` shows it
 */
export function refusalTexts(
  code: TokenErrorCode,
  provider: string,
  target: string,
  facts: RefreshFacts,
): ErrorOptions {
  if (code !== 'COATCHECK_TOKEN_REFRESH_REJECTED') return {}
  const { error, providerCode } = reasonInFacts(facts)
  const said = [error, providerCode].filter((text) => text !== undefined).map((text) => safeText(text, SAID_CHARACTERS))
  return {
    message: `The provider ${provider} refused a token for ${target || 'the scopes of the sign-in'}${said.length > 0 ? ` (${said.join(', ')})` : ''}.`,
    ...(facts.errorCodes?.includes(SEVERAL_RESOURCES) && {
      why: 'An access token is for one API, and these scopes belong to several.',
      fix: 'Call getAccessToken() once for each API, with the scopes of that API only.',
    }),
  }
}

export interface OutcomeAction {
  /** The error code that a caller without a valid token gets. */
  readonly code: TokenErrorCode
  /** Whether the stored tokens are useless and deleted. All other outcomes keep them. */
  readonly dropsTokens: boolean
  /** How long the failure is remembered, so that many callers do not send many requests. Doubles with each failure in a row. */
  readonly knownFailureMs: number
  readonly maxKnownFailureMs: number
}

const temporary = {
  code: 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE',
  dropsTokens: false,
  knownFailureMs: 250,
  maxKnownFailureMs: 5000,
} as const
const rejected = {
  code: 'COATCHECK_TOKEN_REFRESH_REJECTED',
  dropsTokens: false,
  knownFailureMs: 1000,
  maxKnownFailureMs: 30_000,
} as const
const reauth = { ...rejected, code: 'COATCHECK_REAUTH_REQUIRED' } as const

/** With each outcome that does not drop the tokens, a token that is still valid is served. */
export const outcomeActions: Readonly<Record<RefreshOutcome, OutcomeAction>> = {
  transient: temporary,
  'invalid-grant': { ...reauth, dropsTokens: true },
  'rotated-elsewhere': temporary,
  'interaction-required': reauth,
  'operator-error': rejected,
  'caller-error': rejected,
  'invalid-answer': { ...rejected, code: 'COATCHECK_TOKEN_ANSWER_INVALID' },
  'subject-mismatch': { ...reauth, dropsTokens: true },
}

/** AADSTS numbers of an application with a wrong registration or credential. */
const REGISTRATION_CODES = [7000215, 7000222, 700016, 700027]
const REGISTRATION_ERRORS = ['invalid_client', 'unauthorized_client']

interface OutcomeRule {
  readonly outcome: RefreshOutcome
  readonly errorCodes?: readonly number[]
  readonly suberrors?: readonly string[]
  readonly hasClaims?: true
  readonly errors?: readonly string[]
  readonly statuses?: readonly (number | '5xx')[]
}

/** The first rule that matches decides, so the more specific fact stands first. */
export const outcomeRules: readonly OutcomeRule[] = [
  // The status of a gateway says more than the body that came with it.
  { outcome: 'transient', statuses: [408, 425, TOO_MANY_REQUESTS, '5xx'] },
  { outcome: 'transient', errorCodes: [90033, 50196] },
  { outcome: 'interaction-required', errorCodes: [50076, 50079, 65001, 50158, 53000, 53003] },
  { outcome: 'invalid-grant', errorCodes: [50173, 70008, 700082, 70043] },
  { outcome: 'operator-error', errorCodes: REGISTRATION_CODES },
  { outcome: 'interaction-required', hasClaims: true },
  {
    outcome: 'interaction-required',
    suberrors: ['basic_action', 'additional_action', 'message_only', 'user_password_expired', 'consent_required'],
  },
  { outcome: 'transient', errors: ['temporarily_unavailable', 'server_error', 'slow_down'] },
  {
    outcome: 'interaction-required',
    errors: [
      'interaction_required',
      'login_required',
      'consent_required',
      'account_selection_required',
      'unmet_authentication_requirements',
    ],
  },
  { outcome: 'invalid-grant', errors: ['invalid_grant'] },
  { outcome: 'caller-error', errors: ['invalid_scope', 'invalid_target'] },
  {
    outcome: 'operator-error',
    errors: ['invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_request', 'access_denied'],
  },
]

export function classifyRefresh(facts: RefreshFacts): RefreshOutcome {
  const rule = outcomeRules.find((candidate) => matches(candidate, facts))
  if (rule) return rule.outcome
  // An unknown error name is a refusal that a retry does not change. It is no reason to sign a user out.
  // An answer without an `error` is not the provider's: a system in between, such as a gateway, sent it.
  return facts.error === undefined ? 'transient' : 'operator-error'
}

function matches(rule: OutcomeRule, facts: RefreshFacts): boolean {
  const { status, error, suberror, errorCodes, claims } = facts
  if (rule.statuses && status !== undefined) {
    if (rule.statuses.includes(status) || (rule.statuses.includes('5xx') && status >= 500)) return true
  }
  if (rule.errorCodes && errorCodes?.some((code) => rule.errorCodes?.includes(code))) return true
  if (rule.suberrors && suberror !== undefined && rule.suberrors.includes(suberror)) return true
  if (rule.hasClaims && claims !== undefined) return true
  return rule.errors !== undefined && error !== undefined && rule.errors.includes(error)
}

/**
 * Whether a failure says something about the provider or the application's registration there. A refusal of one user, one scope or one odd
 * request comes from a healthy provider and must not delay other users.
 */
export function concernsProvider({ outcome, facts }: RefreshFailure): boolean {
  if (outcome === 'transient' || outcome === 'invalid-answer') return true
  if (outcome !== 'operator-error') return false
  const { error = '', errorCodes = [] } = facts
  return REGISTRATION_ERRORS.includes(error) || errorCodes.some((code) => REGISTRATION_CODES.includes(code))
}

/** Whether the provider asks for a pause: HTTP 429 (RFC 6585 section 4), or `Retry-After`. */
export function asksForPause({ facts: { status, retryAfterMs } }: RefreshFailure): boolean {
  return status === TOO_MANY_REQUESTS || retryAfterMs !== undefined
}

const JITTER = 0.2

/** Doubles with each failure, up to a limit, with ±20 % of jitter. @param inARow 0 for the first */
export function backOffMs(inARow: number, firstMs: number, maxMs: number, random: Random): number {
  const chance = random.bytes(1).readUInt8(0) / 255
  return Math.min(maxMs, firstMs * 2 ** Math.min(inARow, 16)) * (1 + JITTER * (2 * chance - 1))
}

/** A failed refresh with its outcome. Its message holds no token and none of the provider's texts. */
export class RefreshFailure extends Error {
  readonly outcome: RefreshOutcome
  readonly facts: RefreshFacts
  /** False: the provider was not asked, because the gate or a known failure forbids requests for a while. */
  readonly wasAsked: boolean
  // Private: printing the error must not print a refresh token.
  readonly #answer: RefusedAnswer | null

  constructor(
    facts: RefreshFacts,
    options?: {
      readonly cause?: unknown
      readonly outcome?: RefreshOutcome
      readonly wasAsked?: boolean
      readonly answer?: RefusedAnswer
    },
  ) {
    const outcome = options?.outcome ?? classifyRefresh(facts)
    super(`The token request failed: ${outcome}.`, options?.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'RefreshFailure'
    this.outcome = outcome
    this.facts = facts
    this.wasAsked = options?.wasAsked ?? true
    this.#answer = options?.answer ?? null
  }

  /** The refused answer. `null`: no answer arrived, or it is unknown. */
  refusedAnswer(): RefusedAnswer | null {
    return this.#answer
  }
}

/** Parts of an answer that failed a check; none of them is verified. */
export interface RefusedAnswer {
  /** Issuer and subject of its ID token. `null`: the answer names none. */
  readonly subject: TokenSubject | null
  /** Its refresh token; the provider may have ended the previous one. `null`: the answer has none. */
  readonly refreshToken: string | null
}

/** Whether an error is a `RefreshFailure`, including one of another copy of this module: copies in one process share the provider gate. */
export function isRefreshFailure(error: unknown): error is RefreshFailure {
  return error instanceof RefreshFailure || (error instanceof Error && error.name === 'RefreshFailure')
}

/** Converts any error of a refresher to a `RefreshFailure`. */
export function toRefreshFailure(error: unknown): RefreshFailure {
  return error instanceof RefreshFailure ? error : new RefreshFailure({}, { cause: error })
}
