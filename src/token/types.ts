/**
 * The public shapes of tokens, and the one thing that `token/` needs of an identity provider. What the cache promises stands
 * here; how it is kept, in `token-cache.ts` and `refresh.ts`. Times are epoch milliseconds everywhere, as the guide's
 * `expiresAt` is; only `fromOAuth` and the provider's answer speak of seconds, and say so.
 */

/** Tokens as an application hands them in. */
export interface TokenSet {
  /** The access token. */
  readonly accessToken: string
  /** Epoch milliseconds. A value that can only be seconds is refused: `COATCHECK_TOKEN_SECONDS`. */
  readonly expiresAt: number
  /** Without one nothing can be refreshed, and everything goes when the access token expires. */
  readonly refreshToken?: string | null
  /** The ID token; `null` or absent without one. */
  readonly idToken?: string | null
  /** What the access token was granted for. Default: the scopes that the options name, else unknown. */
  readonly scopes?: readonly string[]
}

/** What is stored of one sign-in. `null`: never stored, or expired. */
export interface UserTokens {
  /** The access token; `null` once it has expired. */
  readonly accessToken: string | null
  /** The ID token; `null` without one. */
  readonly idToken: string | null
  /** The refresh token; `null` without one. */
  readonly refreshToken: string | null
  /** Of the access token, epoch milliseconds. */
  readonly expiresAt: number | null
}

/** A valid access token. */
export interface AccessToken {
  /** The token: a secret. */
  readonly accessToken: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** As granted; empty when the provider did not say. */
  readonly scopes: readonly string[]
}

/** With one provider configured it need not be named. */
export interface ProviderSelection {
  /** Name of the provider. Needed only when there are several. */
  readonly provider?: string
}

/**
 * What an access token is for. Neither given: what sign-in returned. `resource` is an RFC 8707 resource indicator; `scopes`
 * are full scope names, for Entra ID e.g. `api://orders/Orders.Read`. The order of scopes does not matter.
 */
export interface TokenTarget extends ProviderSelection {
  /** Resource indicator (RFC 8707). Absent: the token of sign-in. */
  readonly resource?: string
  /** Full scope names, in any order. Absent: the token of sign-in. */
  readonly scopes?: readonly string[]
}

export interface GetAccessTokenOptions extends TokenTarget {
  /** A token with less than this left is not handed out while a new one can be had. Default `tokens.minValidity`, 30 s. */
  readonly minValidityMs?: number
  /**
   * The claims challenge of a resource, as JSON (Entra ID's continuous access evaluation): the token is refreshed with it,
   * unless the stored one already answers this very challenge.
   */
  readonly claims?: string
  /** Frees this caller alone: a refresh under way goes on for the others, and its result is stored. */
  readonly signal?: AbortSignal
}

/** The fields of Auth.js' `account` and of a token response (RFC 6749 section 5.1) that matter here. */
export interface OAuthAccount {
  /** The access token. */
  readonly access_token?: string | null
  /** The refresh token. */
  readonly refresh_token?: string | null
  /** The ID token. */
  readonly id_token?: string | null
  /** Epoch seconds. */
  readonly expires_at?: number | null
  /** Seconds from now; used when `expires_at` is missing. */
  readonly expires_in?: number | null
  /** Separated by spaces. */
  readonly scope?: string | null
}

/** What operators and users may see of a user's tokens: never a token. */
export interface ProviderTokenStatus {
  /** Name of the provider. */
  readonly provider: string
  /** Whether a refresh token is stored. */
  readonly hasRefreshToken: boolean
  /** Grows with each refresh; `null` without a grant. */
  readonly generation: number | null
  /** When the grant is forgotten if nothing refreshes it, epoch milliseconds. */
  readonly grantExpiresAt: number | null
  /** The last refresh; `null` before the first. */
  readonly lastRefresh: LastRefresh | null
  /** When the next use of one of its tokens refreshes it, epoch milliseconds; `null` without tokens or a refresh token. */
  readonly nextRefreshAt: number | null
  /** Which key of the ring the grant is sealed with; `null` without a grant. */
  readonly keyId: string | null
  /** State of each access token. */
  readonly resources: readonly ResourceTokenStatus[]
}

/** The last refresh of a grant. */
export interface LastRefresh {
  /** Epoch milliseconds. */
  readonly at: number
  /** `refreshed`, or how it failed: an outcome of `refresh-outcome.ts`. */
  readonly outcome: string
  /** As in `ResourceTokenStatus`. */
  readonly resource: string
  /** The OAuth `error` of the provider, when there was one. */
  readonly error: string | null
}

/** State of one access token. */
export interface ResourceTokenStatus {
  /** Empty for what sign-in returned; else the resource, or the scopes asked for. */
  readonly resource: string
  /** Scopes that were granted. */
  readonly scopes: readonly string[]
  /** When the access token expires, epoch milliseconds. */
  readonly expiresAt: number
  /** When the provider issued it, or it was handed in. */
  readonly obtainedAt: number
  /** From then on the next use refreshes it in the background. */
  readonly refreshAheadAt: number
  /** Of the grant, when this token was obtained. */
  readonly generation: number
  /** Which key of the ring it is sealed with. */
  readonly keyId: string
}

/** Every method is bound: `const { getAccessToken } = auth.tokens` works. Each rejects with a `RedisError` during an outage. */
export interface TokenCache {
  /**
   * Stores the tokens of a sign-in: everything that was stored of this provider before is replaced in one step (a new
   * lineage). With `resource` or `scopes`: adds an access token for that target to what is there.
   * @throws {MisuseError} `COATCHECK_TOKEN_SECONDS`, `COATCHECK_INVALID_ARGUMENT`; nothing is stored then.
   * @throws {TokenError} `COATCHECK_TOKEN_CONFLICT` (only with a target)
   */
  setUserTokens(userId: string, tokens: TokenSet, options?: TokenTarget): Promise<void>

  /** What is stored; never refreshes. `null` when there is nothing. */
  getUserTokens(userId: string, options?: ProviderSelection): Promise<UserTokens | null>

  /** Deletes the tokens of one provider, or of all. Deleting nothing is fine. A refresh under way cannot bring them back. */
  deleteUserTokens(userId: string, options?: ProviderSelection): Promise<void>

  /**
   * A valid access token: stored, or refreshed when none is left. Of any number of parallel callers one refreshes.
   * @throws {TokenError} `COATCHECK_TOKEN_NONE`, `COATCHECK_REAUTH_REQUIRED`, `COATCHECK_TOKEN_REFRESH_REJECTED`,
   *   `COATCHECK_TOKEN_REFRESH_UNAVAILABLE`, `COATCHECK_TOKEN_CONFLICT`
   */
  getAccessToken(userId: string, options?: GetAccessTokenOptions): Promise<AccessToken>

  /**
   * A token of the application itself (client credentials): stored, or asked for once over all processes.
   * @throws {TokenError} `COATCHECK_TOKEN_REFRESH_REJECTED`, `COATCHECK_TOKEN_REFRESH_UNAVAILABLE`
   */
  getAppToken(options?: GetAccessTokenOptions): Promise<AccessToken>

  /**
   * A token for another resource on behalf of the user whose access token an API was called with. The caller has validated that
   * token: only its keyed hash is used here, as the name under which the answer is kept.
   * @throws {TokenError} `COATCHECK_REAUTH_REQUIRED` (with the claims that the caller has to be challenged with),
   *   `COATCHECK_TOKEN_REFRESH_REJECTED`, `COATCHECK_TOKEN_REFRESH_UNAVAILABLE`
   */
  getOnBehalfOfToken(assertion: string, options?: GetAccessTokenOptions): Promise<AccessToken>

  /**
   * `fetch` with an access token of the user. A resource that answers 401 with a claims challenge (`insufficient_claims`, Entra ID's
   * continuous access evaluation) gets one more request with a token that was refreshed for it; a body is kept for that.
   * @param resource as in `getAccessToken`; a text is the resource
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for plain http to another host than this one
   * @throws {TokenError} as `getAccessToken`; `COATCHECK_REAUTH_REQUIRED` with `details.signInUrl` also when the resource is not
   *   content with the refreshed token
   */
  fetchWithToken(
    userId: string,
    resource: string | GetAccessTokenOptions,
    input: string | URL | Request,
    init?: RequestInit,
  ): Promise<Response>

  /**
   * Auth.js' `account` (seconds) as a token set (milliseconds). Without any expiry five minutes are assumed.
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` without an access token
   */
  fromOAuth(account: OAuthAccount): TokenSet

  /** One entry per provider that has something stored. */
  status(userId: string): Promise<readonly ProviderTokenStatus[]>
}

/** What a provider answered to a refresh: RFC 6749 section 6. */
export interface RefreshedTokens {
  readonly accessToken: string
  /** From the moment of the answer. `null` when the provider did not say. */
  readonly expiresInSeconds: number | null
  /** Absent: the old one stays valid. */
  readonly refreshToken?: string
  readonly idToken?: string
  /** As granted; empty when the provider did not say. */
  readonly scopes: readonly string[]
}

export interface RefreshRequest {
  readonly refreshToken: string
  /** Absent: what sign-in asked for. The implementation adds what its provider needs to keep the grant (`offline_access`). */
  readonly scopes?: readonly string[]
  /** RFC 8707. */
  readonly resource?: string
  /** OpenID Connect Core section 5.5, as JSON: what a resource challenged for. */
  readonly claims?: string
  readonly signal?: AbortSignal
}

/**
 * The refresh grant of a provider, implemented in `oidc/`. One request per call and no retry: who repeats a refresh with
 * rotation has to know what the first one did.
 */
export interface TokenRefresher {
  /** @throws {RefreshFailure} of `refresh-outcome.ts`; anything else that is thrown counts as transient. */
  refresh(provider: string, request: RefreshRequest): Promise<RefreshedTokens>
}

/** For tokens without a grant. */
export interface DirectTokenRequest {
  readonly scopes?: readonly string[]
  /** RFC 8707. */
  readonly resource?: string
  /** OpenID Connect Core section 5.5, as JSON. */
  readonly claims?: string
  readonly signal?: AbortSignal
}

/** All token requests after sign-in. */
export interface TokenRequester extends TokenRefresher {
  /** RFC 6749 section 4.4. @throws {RefreshFailure} */
  requestAppToken(provider: string, request: DirectTokenRequest): Promise<RefreshedTokens>
  /**
   * With the token that a caller has presented: Entra ID's on-behalf-of flow (RFC 7523 section 2.1 with
   * `requested_token_use=on_behalf_of`), elsewhere token exchange (RFC 8693). @throws {RefreshFailure}
   */
  requestOnBehalfOf(
    provider: string,
    request: DirectTokenRequest & { readonly assertion: string },
  ): Promise<RefreshedTokens>
}
