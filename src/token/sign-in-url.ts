/** The URL where the browser goes when only the user can help: part of `COATCHECK_REAUTH_REQUIRED`, as `details.signInUrl`. */

export interface SignInParams {
  readonly provider: string
  /** The URL works only in a browser that is signed in as this user. */
  readonly userKey: string
  /** The claims that the provider or a resource requested, as JSON (OpenID Connect Core section 5.5). */
  readonly claims: string | null
  readonly scopes: readonly string[]
}

/** A path on this application, with a query. */
export type SignInUrl = (params: SignInParams) => string
