/** The ports that `token/` needs of an identity provider. Times are epoch milliseconds; the answer of the provider counts in seconds. */
import type { TokenSubject } from './token-subject.ts'

/** The answer of a provider to a token request (RFC 6749 section 5.1). */
export interface RefreshedTokens {
  readonly accessToken: string
  /** Life of the access token, seconds from the answer. `null`: the provider does not say. */
  readonly expiresInSeconds: number | null
  /** Absent: the provider does not rotate, and the previous refresh token stays valid. */
  readonly refreshToken?: string
  /** The ID token, if its claims and its signature were verified. Absent: none came, or the key set could not be fetched. */
  readonly idToken?: string
  /** Issuer and subject of the ID token, verified or not: the grant refuses tokens of another owner. Absent: no ID token came. */
  readonly subject?: TokenSubject
  /** Scopes that were granted. Empty: the provider does not say. */
  readonly scopes: readonly string[]
}

/** A refresh request (RFC 6749 section 6). */
export interface RefreshRequest {
  readonly refreshToken: string
  /** The ID token of the grant. A new one has to agree with it (OpenID Connect Core section 12.2). Absent: none is stored. */
  readonly idToken?: string
  /** Absent: those of the sign-in. The implementation adds the scope that its provider needs to keep the grant (`offline_access`). */
  readonly scopes?: readonly string[]
  /** Resource indicator (RFC 8707). Absent: none is sent. */
  readonly resource?: string
  /** The claims that a resource asks for, as JSON (OpenID Connect Core section 5.5). Absent: none. */
  readonly claims?: string
  readonly signal?: AbortSignal
}

/**
 * The refresh grant of a provider, implemented in `oidc/`. One request per call, and no retry: only a caller that knows what the
 * first request did may repeat a refresh with rotation.
 */
export interface TokenRefresher {
  /** @throws {RefreshFailure} of `refresh-outcome.ts`. Any other error counts as transient. */
  refresh(provider: string, request: RefreshRequest): Promise<RefreshedTokens>
}

/** A token request without a grant: client credentials, or on behalf of a caller. */
export interface DirectTokenRequest {
  readonly scopes?: readonly string[]
  /** Resource indicator (RFC 8707). Absent: none is sent. */
  readonly resource?: string
  /** The claims that a resource asks for, as JSON (OpenID Connect Core section 5.5). Absent: none. */
  readonly claims?: string
  readonly signal?: AbortSignal
}

/** All token requests after sign-in. */
export interface TokenRequester extends TokenRefresher {
  /** Client credentials (RFC 6749 section 4.4). @throws {RefreshFailure} */
  requestAppToken(provider: string, request: DirectTokenRequest): Promise<RefreshedTokens>
  /**
   * Exchanges the token that a caller has presented. Entra ID: the on-behalf-of flow (RFC 7523 section 2.1 with
   * `requested_token_use=on_behalf_of`). Other providers: token exchange (RFC 8693). @throws {RefreshFailure}
   */
  requestOnBehalfOf(
    provider: string,
    request: DirectTokenRequest & { readonly assertion: string },
  ): Promise<RefreshedTokens>
}
