/** The preset for any OpenID Connect provider. */
import type { ProviderOptions } from '../config/types.ts'
import type { Duration } from '../core/duration.ts'

/** Options of `oidc()`. */
export interface OidcOptions {
  /** Name of the provider in routes and stored tokens: `a-z`, `0-9`, `-` and `_`, at most 32. Never change it. */
  readonly name: string
  /** Issuer, exactly as in the provider's metadata, trailing slash included. Plain http on a loopback address only. */
  readonly issuer: string
  /** Client id of the application at the provider. */
  readonly clientId: string
  /** Client secret. Without any credential: a public client, which only PKCE (RFC 7636) protects. */
  readonly clientSecret?: string | undefined
  /** In place of the secret: PEM text with an RSA key (PKCS #8) and its certificate, for `private_key_jwt` (RFC 7523). */
  readonly clientCertificate?: string | undefined
  /** In place of the secret: path of a file with that PEM text. It is read again when it changes. */
  readonly clientCertificatePath?: string | undefined
  /** In place of the secret: path of the file where the platform writes a token of this application (workload identity). */
  readonly federatedTokenFile?: string | undefined
  /** Scopes that sign-in requests besides `openid`. Default `profile email offline_access`. */
  readonly scopes?: readonly string[]
  /** Scopes of APIs that sign-in requests besides `scopes`. Default: none. */
  readonly apiScopes?: readonly string[]
  /** How the provider returns the authorization response: in the URL or as a form. Default `query`. */
  readonly responseMode?: 'query' | 'form_post'
  /** The `prompt` that makes the provider ask which account to use. Default: what its metadata offers, else `login`. */
  readonly accountPrompt?: 'select_account' | 'login'
  /**
   * How the browser reaches the provider's end-session endpoint. `post`: by a page that sends a form, so that the ID token
   * (`id_token_hint`) is in no URL. The provider must accept a POST from another site: its session cookie needs `SameSite=None`. Default
   * `get`.
   */
  readonly endSessionMethod?: 'get' | 'post'
  /** How far the clocks of the provider and of this server may differ, for ID tokens and logout tokens. Default `60s`. */
  readonly clockTolerance?: Duration
  /** Whether logout tokens without the type `logout+jwt` are accepted, for older providers. Default false. */
  readonly allowUntypedLogoutTokens?: boolean
}

/**
 * Describes a client at any OpenID Connect provider for `coatcheck({ providers })`. Checks and reads nothing: `coatcheck()` checks the
 * shapes, and `ready()` or the first use reports what is missing. A build needs no secrets.
 */
export function oidc(options: OidcOptions): ProviderOptions {
  return { ...options, preset: 'oidc' }
}
