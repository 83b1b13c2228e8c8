/** The preset for any OpenID Connect provider. */
import type { ProviderOptions } from '../config/types.ts'

/** Options of `oidc()`. */
export interface OidcOptions {
  /** Names the provider in stored tokens and routes. Stays the same for good. */
  readonly name: string
  /** Exactly as the provider's metadata spells it, trailing slash included. Plain http for a loopback address only. */
  readonly issuer: string
  /** Client id of the application. */
  readonly clientId: string
  /** Left out: a public client, which PKCE alone protects. */
  readonly clientSecret?: string | undefined
  /** In place of the secret: PEM text with an RSA key (PKCS #8) and its certificate, for `private_key_jwt`. */
  readonly clientCertificate?: string | undefined
  /** In place of the secret: the file with that PEM text. Read again when it changes. */
  readonly clientCertificatePath?: string | undefined
  /** In place of the secret: the file into which the platform puts a token for this application (workload identity). */
  readonly federatedTokenFile?: string | undefined
  /** Replaces `profile email offline_access`; `openid` is always asked for. */
  readonly scopes?: readonly string[]
  /** Scopes of APIs that sign-in asks for besides `scopes`. */
  readonly apiScopes?: readonly string[]
  /** How the provider sends its answer: in the URL (default) or as a form. */
  readonly responseMode?: 'query' | 'form_post'
  /** The `prompt` that makes this provider ask which account to use. Default: what its metadata offer, else `login`. */
  readonly accountPrompt?: 'select_account' | 'login'
}

/** Shapes are checked by `coatcheck()`; what is missing is said by `ready()` or at first use: a build needs no secrets. */
export function oidc(options: OidcOptions): ProviderOptions {
  return { ...options, preset: 'oidc' }
}
