/** The preset for any OpenID Connect provider. */
import { checkShape } from '../config/shape.ts'
import type { ProviderOptions } from '../config/types.ts'

export interface OidcOptions {
  /** Names the provider in stored tokens and routes. Stays the same for good. */
  readonly name: string
  /** Exactly as the provider's metadata spells it, trailing slash included. Plain http for a loopback address only. */
  readonly issuer: string
  readonly clientId: string
  /** Left out: a public client, which PKCE alone protects. */
  readonly clientSecret?: string | undefined
  /** Replaces `profile email offline_access`; `openid` is always asked for. */
  readonly scopes?: readonly string[]
  readonly apiScopes?: readonly string[]
  readonly responseMode?: 'query' | 'form_post'
}

/**
 * Checks shapes only; what is missing is said by `ready()` or at first use, so that a build may evaluate it without secrets.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
 */
export function oidc(options: OidcOptions): ProviderOptions {
  checkShape('oidc()', options)
  return withoutUndefined({ ...options, preset: 'oidc' })
}

/** `clientSecret: process.env.X` that is not set is one that was not given. */
export function withoutUndefined(options: Undefinable<ProviderOptions>): ProviderOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as ProviderOptions
}

type Undefinable<T> = { readonly [K in keyof T]: T[K] | undefined }
