/**
 * The public shapes of tokens. The docstrings are the contract; `token-cache.ts` implements it. `token-requester.ts` has the ports that
 * `token/` needs of an identity provider. Times are epoch milliseconds. Only `OAuthAccount` counts in seconds, and its docstring says so.
 */

/** Tokens that the application passes in. */
export interface TokenSet {
  /** The access token: 1 to 262,144 characters, as every token here. */
  readonly accessToken: string
  /** When the access token expires, epoch milliseconds. A value in seconds is refused with `COATCHECK_TOKEN_SECONDS`. */
  readonly expiresAt: number
  /** The refresh token. `null` or absent: nothing can be refreshed, and all tokens end with the access token. */
  readonly refreshToken?: string | null
  /**
   * The ID token. Its issuer and subject become the owner of the grant; Coatcheck does not verify it. If the answer to a refresh names
   * another owner, the grant ends. `null` or absent: the sign-in has no ID token.
   */
  readonly idToken?: string | null
  /** Scopes that were granted (RFC 6749 section 3.3), in any order. Absent: the scopes that the options name, else unknown. */
  readonly scopes?: readonly string[]
}

/** The stored tokens of one sign-in. */
export interface UserTokens {
  /** The access token that sign-in returned. `null`: none is stored, or it has expired. */
  readonly accessToken: string | null
  /** The ID token. `null`: none is stored. */
  readonly idToken: string | null
  /** The refresh token. `null`: none is stored. */
  readonly refreshToken: string | null
  /** When the access token expires, epoch milliseconds. `null`: there is no access token. */
  readonly expiresAt: number | null
}

/** A valid access token. */
export interface AccessToken {
  /** The token: a secret. */
  readonly accessToken: string
  /** When the token expires, epoch milliseconds. If the provider does not say: five minutes after the request. */
  readonly expiresAt: number
  /**
   * Scopes that were granted. If the provider does not say: the scopes of the request. Empty: neither the provider nor the request names
   * any.
   */
  readonly scopes: readonly string[]
}

/** Selects a provider. */
export interface ProviderSelection {
  /** Name of the provider. Absent: the only configured provider. With several providers it is required (`COATCHECK_INVALID_ARGUMENT`). */
  readonly provider?: string
}

/**
 * Says what an access token is for. Two calls mean the same stored token when provider, resource and set of scopes are equal.
 * Without `resource` and `scopes`: the token that sign-in returned.
 */
export interface TokenTarget extends ProviderSelection {
  /** Resource indicator: an absolute URI without a fragment (RFC 8707 section 2). Absent: the request sends none. */
  readonly resource?: string
  /** Full scope names, in any order, at most 100. For Entra ID: `api://orders/Orders.Read`. Absent: those of the sign-in. */
  readonly scopes?: readonly string[]
}

/** Options of `getAccessToken()`, `getAppToken()` and `getOnBehalfOfToken()`. */
export interface GetAccessTokenOptions extends TokenTarget {
  /**
   * How long the token must stay valid, milliseconds. If less is left, the token is refreshed first. If the refresh fails, the caller
   * still gets the stored token.
   * Default: `tokens.minValidity` (30 s), but at most a fifth of the token's life. A value longer than that life is ignored.
   */
  readonly minValidityMs?: number
  /**
   * The claims challenge of a resource: a JSON object as text, at most 8,192 characters (OpenID Connect Core section 5.5, Entra
   * ID's continuous access evaluation). The token is refreshed with these claims, unless the stored one was issued for the same
   * challenge.
   */
  readonly claims?: string
  /** Ends the wait of this caller. A refresh that is under way goes on for other callers, and its result is stored. */
  readonly signal?: AbortSignal
}

/** A token response (RFC 6749 section 5.1), or the `account` of Auth.js. Other fields are ignored. */
export interface OAuthAccount {
  /** The access token. Required, although Auth.js types it as optional. */
  readonly access_token?: string | null
  /** The refresh token. `null` or absent: the answer has none. */
  readonly refresh_token?: string | null
  /** The ID token. `null` or absent: the answer has none. */
  readonly id_token?: string | null
  /** When the access token expires, epoch seconds. */
  readonly expires_at?: number | null
  /** Life of the access token, seconds from now. Used only without `expires_at`. */
  readonly expires_in?: number | null
  /** Scopes that were granted, separated by spaces. */
  readonly scope?: string | null
}

/** State of a user's tokens at one provider. It holds no token, so operators and users may see it. */
export interface ProviderTokenStatus {
  /** Name of the provider. */
  readonly provider: string
  /** Whether a refresh token is stored. */
  readonly hasRefreshToken: boolean
  /** Number of refreshes of the grant since the sign-in. `null`: no grant is stored. */
  readonly refreshCount: number | null
  /** When the grant is deleted unless a refresh extends it, epoch milliseconds. `null`: no grant is stored. */
  readonly grantExpiresAt: number | null
  /** The last refresh, successful or not. `null`: none since the sign-in. */
  readonly lastRefresh: LastRefresh | null
  /**
   * When the next use of an access token starts to refresh it, epoch milliseconds; the earliest of all tokens. `null`: no access token or
   * no refresh token is stored.
   */
  readonly nextRefreshAt: number | null
  /** Id of the encryption key that sealed the grant. `null`: no grant is stored. */
  readonly keyId: string | null
  /** One entry for each stored access token that has not expired. */
  readonly resources: readonly ResourceTokenStatus[]
}

/** The last refresh of a grant. */
export interface LastRefresh {
  /** When the provider answered, epoch milliseconds. */
  readonly at: number
  /**
   * `refreshed`, or why it failed: `transient`, `invalid-grant`, `interaction-required`, `operator-error`, `caller-error`,
   * `invalid-answer` or `subject-mismatch`.
   */
  readonly outcome: string
  /** What the token was for, as in `ResourceTokenStatus`. */
  readonly resource: string
  /** The `error` of the provider (RFC 6749 section 5.2). `null`: it sent none, or the refresh succeeded. */
  readonly error: string | null
  /** Entra ID's number, such as `AADSTS50173`; `coatcheck explain` knows many. `null`: the provider sent none. */
  readonly providerCode: string | null
}

/** State of one access token. */
export interface ResourceTokenStatus {
  /** The resource, the scopes, or both, separated by spaces. Empty: the token that sign-in returned. */
  readonly resource: string
  /** Scopes that were granted. Empty: unknown. */
  readonly scopes: readonly string[]
  /** When the access token expires, epoch milliseconds. */
  readonly expiresAt: number
  /** When Coatcheck requested the token, or the application passed it in, epoch milliseconds. */
  readonly obtainedAt: number
  /** When the next use starts to refresh it in the background, epoch milliseconds: after 72 to 88 % of its life. */
  readonly refreshAheadAt: number
  /** Number of refreshes of the grant when this token was obtained. */
  readonly refreshCount: number
  /** Id of the encryption key that sealed the token. */
  readonly keyId: string
}

/**
 * Tokens of users and of the application, sealed in the store that all instances share. Every method is bound:
 * `const { getAccessToken } = auth.tokens` works. During an outage methods reject with a `RedisError`. A `userId` that is empty or
 * longer than 4,096 characters is refused with `COATCHECK_INVALID_ARGUMENT`.
 */
export interface TokenCache {
  /**
   * Stores the tokens of a sign-in. All earlier tokens of this user and provider are replaced, in one atomic step. With `resource`
   * or `scopes` it adds one access token instead, and the other tokens stay. Tokens that have expired are not stored.
   * @throws {MisuseError} `COATCHECK_TOKEN_SECONDS`, `COATCHECK_INVALID_ARGUMENT`. Nothing is stored.
   * @throws {TokenError} `COATCHECK_TOKEN_CONFLICT` (only with `resource` or `scopes`, after 8 lost races)
   * @throws {RedisError} during an outage
   */
  setUserTokens(userId: string, tokens: TokenSet, options?: TokenTarget): Promise<void>

  /**
   * Returns the stored tokens of the sign-in, and never refreshes them. `null`: nothing is stored, or everything has expired. To
   * call an API, use `getAccessToken`.
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
   * @throws {RedisError} during an outage
   */
  getUserTokens(userId: string, options?: ProviderSelection): Promise<UserTokens | null>

  /**
   * Deletes the tokens of one provider, or of all without `provider`, in one atomic step. A refresh that is under way does not
   * bring them back. The refresh tokens are revoked at providers that support it (RFC 7009, `tokens.revokeAtProvider`).
   * Without stored tokens it does nothing.
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
   * @throws {RedisError} during an outage
   */
  deleteUserTokens(userId: string, options?: ProviderSelection): Promise<void>

  /**
   * Returns a valid access token of the user: the stored one (one read command), or a refreshed one. Of any number of parallel
   * callers in all processes, one sends the request to the provider. If the refresh fails, the caller gets the stored token while it is
   * valid, unless the provider has ended the grant or `claims` is set. After about 80 % of its life a token is refreshed in the background.
   * @throws {TokenError} `COATCHECK_TOKEN_NONE` (nothing is stored), `COATCHECK_REAUTH_REQUIRED` (the user must sign in again, at
   *   `details.signInUrl`), `COATCHECK_TOKEN_REFRESH_REJECTED`, `COATCHECK_TOKEN_REFRESH_UNAVAILABLE`,
   *   `COATCHECK_TOKEN_ANSWER_INVALID`, `COATCHECK_TOKEN_CONFLICT`
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
   * @throws {RedisError} during an outage
   * @throws the reason of `signal` when it is aborted
   */
  getAccessToken(userId: string, options?: GetAccessTokenOptions): Promise<AccessToken>

  /**
   * Returns an access token of the application itself (client credentials, RFC 6749 section 4.4): the stored one, or a new one.
   * One process at a time sends the request to the provider.
   * @throws {TokenError} `COATCHECK_TOKEN_NONE` when the provider is not configured, `COATCHECK_REAUTH_REQUIRED`,
   *   `COATCHECK_TOKEN_REFRESH_REJECTED`, `COATCHECK_TOKEN_REFRESH_UNAVAILABLE`
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
   * @throws {RedisError} during an outage
   */
  getAppToken(options?: GetAccessTokenOptions): Promise<AccessToken>

  /**
   * Returns an access token for another resource, on behalf of the user whose token an API received. For Entra ID: the on-behalf-of
   * flow (RFC 7523 section 2.1); for other providers: token exchange (RFC 8693).
   * @param assertion the access token that the API received. The caller must have validated it: here only its keyed hash is used,
   *   as the name of the stored answer
   * @throws {TokenError} `COATCHECK_REAUTH_REQUIRED` (`details.claims` holds the challenge for the caller, if the provider sent
   *   one), `COATCHECK_TOKEN_NONE` when the provider is not configured, `COATCHECK_TOKEN_REFRESH_REJECTED`,
   *   `COATCHECK_TOKEN_REFRESH_UNAVAILABLE`
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
   * @throws {RedisError} during an outage
   */
  getOnBehalfOfToken(assertion: string, options?: GetAccessTokenOptions): Promise<AccessToken>

  /**
   * Calls `fetch` with an access token of the user as bearer token (RFC 6750). If the resource answers 401 with a claims challenge
   * (`insufficient_claims`, Entra ID's continuous access evaluation), it refreshes the token with these claims and sends the request once
   * more. For that it keeps the request body in memory. It returns other responses unchanged.
   * @param resource the target of the token, as in `getAccessToken`. A string is the resource (RFC 8707)
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for plain http to a host other than this one (RFC 6750 section 5.3)
   * @throws {TokenError} as `getAccessToken`. `COATCHECK_REAUTH_REQUIRED` also when the resource refuses the refreshed token
   * @throws {RedisError} during an outage
   * @throws the error of `fetch`, such as `TypeError` without a connection
   */
  fetchWithToken(
    userId: string,
    resource: string | GetAccessTokenOptions,
    input: string | URL | Request,
    init?: RequestInit,
  ): Promise<Response>

  /**
   * Converts a token response or the `account` of Auth.js (seconds) into a token set (milliseconds). Without `expires_at` and
   * `expires_in` it assumes a life of five minutes. It sends no request and stores nothing.
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` without an access token, or for a value of another kind
   */
  fromOAuth(account: OAuthAccount): TokenSet

  /**
   * Returns the state of the user's tokens: one entry for each provider with stored tokens, by name. Empty: nothing is stored.
   * Records that do not open are left out.
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
   * @throws {RedisError} during an outage
   */
  status(userId: string): Promise<readonly ProviderTokenStatus[]>
}
