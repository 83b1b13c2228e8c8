/**
 * The reason that an identity provider gives for a failure: one set of fields for events, log lines and the `details` of errors.
 * `oidc/` fills it in. All values are identifiers, numbers and URLs. A provider's description is never part of it: Entra ID
 * writes names and e-mail addresses into descriptions.
 */
export interface ProviderReason {
  /** HTTP status of the provider's answer. Absent: no answer arrived, or the answer came through the browser. */
  readonly status?: number
  /** OAuth `error` (RFC 6749 sections 4.1.2.1 and 5.2). */
  readonly error?: string
  /** Entra ID: `suberror` of the token endpoint, `error_subcode` of an authorization response. */
  readonly suberror?: string
  /** Entra ID's number as its messages write it, e.g. `AADSTS50011`. */
  readonly providerCode?: string
  /** Entra ID finds the request by these two ids in its sign-in log, and its support asks for them. */
  readonly traceId?: string
  readonly correlationId?: string
  /** When the provider refused, as it wrote it: `2026-01-01 12:00:00Z`. */
  readonly providerTime?: string
  /** The URL of the request, without credentials, query and fragment. */
  readonly url?: string
  /** A code of the network (`ECONNREFUSED`), of openid-client (`OAUTH_TIMEOUT`), or a fixed word of Coatcheck. */
  readonly reason?: string
  /** The check that a token or an answer of the provider failed, e.g. `nonce`. */
  readonly check?: string
  /** Values for checks of public values only: issuer, audience, algorithm, tenant, times. */
  readonly expected?: string
  readonly got?: string
}

const FIELDS = [
  'status',
  'error',
  'suberror',
  'providerCode',
  'traceId',
  'correlationId',
  'providerTime',
  'url',
  'reason',
  'check',
  'expected',
  'got',
] as const satisfies readonly (keyof ProviderReason)[]

/** Fields that differ for each request: two failures that differ only in these are the same failure. */
export const REQUEST_IDS: readonly string[] = ['traceId', 'correlationId', 'providerTime']

/** Returns the fields of a reason that are set in an object: facts, or the `details` of an error. */
export function providerReasonIn(source: object): ProviderReason {
  const values = source as Readonly<Record<string, unknown>>
  return Object.fromEntries(FIELDS.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])))
}
