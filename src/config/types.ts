/**
 * Options as applications write them, and the one validated configuration that all other code reads. `resolve.ts` turns options
 * into the configuration. An option wins over its environment variable. A bad value or an unknown option is a `ConfigError`.
 */
import type { Duration } from '../core/duration.ts'
import type { Json } from '../core/json.ts'
import type { Logger, LogLevel } from '../core/logger.ts'
import type { ResolvedSession, SessionOptions } from './session-settings.ts'
import type { StoreFactory } from '../stores/store.ts'

/**
 * The options of one provider, as `oidc()` and `entra()` return them. `coatcheck()` checks their shape. The environment, which
 * completes them for Entra ID, is read at first use or by `ready()`.
 */
export interface ProviderOptions {
  /** The function that made the options. */
  readonly preset: 'oidc' | 'entra'
  /** Name of the provider in routes and stored tokens: `a-z`, `0-9`, `-` and `_`, at most 32. Default with `entra()`: `entra`. */
  readonly name?: string
  /**
   * Issuer identifier (OpenID Connect Discovery section 4): an https URL, plain http on a loopback address only. Required with
   * `oidc()`. Default with `entra()`: the issuer of `cloud` and `tenantId`.
   */
  readonly issuer?: string | undefined
  /** Client id of the application at the provider. Absent with `entra()`: the environment names it. */
  readonly clientId?: string | undefined
  /** Client secret of the application. At most one of the four credentials may be given. */
  readonly clientSecret?: string | undefined
  /** PEM text with a private key (PKCS #8) and its certificate, in place of the secret (`private_key_jwt`, RFC 7523). */
  readonly clientCertificate?: string | undefined
  /** Path of a file with that PEM text. It is read again when it changes. */
  readonly clientCertificatePath?: string | undefined
  /** Path of a file with a federated token, in place of the secret (workload identity). It is read again at each use. */
  readonly federatedTokenFile?: string | undefined
  /**
   * Scopes that sign-in requests. With `oidc()` they replace `profile email offline_access`, with `entra()` they are added to them.
   * `openid` is always requested.
   */
  readonly scopes?: readonly string[]
  /** Directory (tenant) id of Entra ID: a GUID, or `organizations`, `common`, `consumers`. Absent: the environment names it. */
  readonly tenantId?: string | undefined
  /** National cloud of Entra ID. Default `public`. */
  readonly cloud?: 'public' | 'usgov' | 'china'
  /**
   * Directory (tenant) ids whose users may sign in, each a GUID. `any`: all that `tenantId` admits. Required with `common` and
   * `organizations`.
   */
  readonly allowedTenants?: readonly string[] | 'any'
  /** How the provider returns the authorization response: in the URL or as a form. Default `query`. */
  readonly responseMode?: 'query' | 'form_post'
  /**
   * Value of `prompt` at the first sign-in after a sign-out (OpenID Connect Core section 3.1.2.1). Default: `select_account` where
   * the provider supports it, else `login`.
   */
  readonly accountPrompt?: 'select_account' | 'login'
  /**
   * With `oidc()`: how the browser reaches the provider's end-session endpoint. `post`: by a page that sends a form, so that the ID token
   * (`id_token_hint`) is in no URL. The provider must accept a POST from another site: its session cookie needs `SameSite=None`. Default
   * `get`.
   */
  readonly endSessionMethod?: 'get' | 'post'
  /** Scopes of one API that sign-in requests besides `scopes`, such as `api://orders/Orders.Read`. Default: none. */
  readonly apiScopes?: readonly string[]
  /** How far the clocks of the provider and of this server may differ, for ID tokens and logout tokens. Default `60s`. */
  readonly clockTolerance?: Duration
  /** Whether logout tokens without the type `logout+jwt` are accepted, for older providers. Default false. */
  readonly allowUntypedLogoutTokens?: boolean
}

/** The identity that a provider asserts: validated claims of an ID token (OpenID Connect Core section 3.1.3.7). */
export interface Identity {
  /** Name of the provider in the configuration. */
  readonly provider: string
  /** Issuer of the ID token: its claim `iss`. For a multi-tenant Entra application, the issuer of the user's tenant. */
  readonly issuer: string
  /** Subject of the ID token: its claim `sub`. Unique at this issuer only. */
  readonly subject: string
  /** All claims of the ID token. */
  readonly claims: Readonly<Record<string, Json | undefined>>
}

/** The decisions of the application at sign-in. The functions run after the ID token was validated, before a session is stored. */
export interface SignInOptions {
  /**
   * Returns the id of the user: a text that is not empty and never changes. Default: issuer and subject, separated by a space
   * (OpenID Connect Core section 5.7). Never use an e-mail address: providers give it to another user.
   */
  readonly userId?: (identity: Identity) => string | Promise<string>
  /**
   * Decides whether the user may sign in. Any result other than `true` refuses with `COATCHECK_SIGNIN_DENIED`; a text is the reason, for
   * the log only. Default: every user whom the provider admits may sign in.
   */
  readonly authorize?: (identity: Identity) => boolean | string | Promise<boolean | string>
  /** Returns the claims for `session.user`. Default: `name`, `preferred_username`, verified `email`, `tid` and `roles`, when present. */
  readonly profile?: (claims: Identity['claims']) => { readonly [claim: string]: Json | undefined }
  /** Fields of the anonymous session that the user's session takes over at sign-in. Default: none. */
  readonly carry?: readonly string[]
  /**
   * Whether the next sign-in in a browser asks which account to use, for 24 hours after a sign-out. The provider may still remember
   * the user. Default true. False: the provider decides.
   */
  readonly askAfterSignOut?: boolean
}

/** Options of stored tokens. An invalid value is a `COATCHECK_CONFIG_INVALID`. */
export interface TokenOptions {
  /** How long a grant is kept without a refresh. Default `90d`, the life of an Entra refresh token. */
  readonly grantLifetime?: Duration
  /** How long an access token must stay valid to be returned without a refresh. Default `30s`. */
  readonly minValidity?: Duration
  /**
   * Whether the refresh tokens of ended sign-ins are revoked at the provider (RFC 7009). Entra ID has no revocation endpoint.
   * Default true.
   */
  readonly revokeAtProvider?: boolean
}

/** Options of the caches in the memory of this process. */
export interface CacheOptions {
  /**
   * Bound of the memory that all caches of this process take together, estimated: verified tickets with their decoded records, user keys,
   * addresses of tokens, and the sessions that the policy `stale` serves. Only what is used again is cached, except for
   * the policy `stale`. 0 caches almost nothing, and `stale` then serves almost nobody.
   * The near cache of `redisStore()` has its own bound. Default 33,554,432 (32 MiB).
   */
  readonly maxBytes?: number
}

/** Appearance of the built-in pages: errors, and the questions before a sign-in or a sign-out. */
export interface PagesOptions {
  /** Name of the application, 1 to 60 characters. It stands above each page and in its title. Default: none. */
  readonly name?: string
  /** Path of an image on the application's origin, or a base64 data URL of at most 65,536 characters. Default: none. */
  readonly logo?: string
  /** Background of the main button, `#rgb` or `#rrggbb`. The page chooses black or white text for it. Default `#1d5fd0`. */
  readonly accentColor?: string
  /** Background of the main button in dark mode. Default: `accentColor` if that is set, else `#7fb0ff`. */
  readonly accentColorDark?: string
}

/**
 * Options of `coatcheck()`. Each is optional. Without it, the environment variable that its docstring names applies, and after that the
 * default. An option wins over its variable.
 */
export interface Options<D extends object = Record<string, unknown>> {
  /**
   * The store of sessions and tokens. Default: Redis at `REDIS_URL`; without that variable, the memory of the process on a loopback
   * base URL, and `COATCHECK_STORE_REQUIRED` elsewhere.
   */
  readonly store?: StoreFactory
  /**
   * Encryption keys, 32 bytes of base64 each, the current one first: an array, or a text with commas. Variable `COATCHECK_KEYS`.
   * Default: a random key for each process start on a loopback base URL, and `COATCHECK_CONFIG_MISSING` elsewhere.
   */
  readonly keys?: string | readonly string[] | undefined
  /** Identity providers, the default one first. Default: none; nothing then refreshes stored tokens. */
  readonly providers?: readonly ProviderOptions[]
  /**
   * The origin that browsers see, without a path. Variable `COATCHECK_BASE_URL`. Default: `http://localhost` with the port of `PORT`,
   * or 3000, where `NODE_ENV` is `development` or `test`, or where neither Redis nor keys are configured; elsewhere
   * `COATCHECK_CONFIG_MISSING`. Plain http is for loopback addresses only.
   */
  readonly baseUrl?: string | undefined
  /**
   * Addresses or networks from which requests are accepted on a loopback base URL, besides the loopback addresses: the gateway of a
   * container network, for development. Variable `COATCHECK_LOCAL_PEERS`. Default: none.
   */
  readonly localPeers?: readonly string[] | undefined
  /** Path of the routes of sign-in, without a slash at its end. Default `/auth`. */
  readonly basePath?: string
  /** Prefix of all key names, at most 64 characters. Variable `REDIS_PREFIX`. Default: none. */
  readonly prefix?: string
  /** The decisions of the application at sign-in. */
  readonly signIn?: SignInOptions
  /** Options of sessions. */
  readonly session?: SessionOptions<D>
  /** Options of stored tokens. */
  readonly tokens?: TokenOptions
  /** Options of the caches in the memory of this process. */
  readonly cache?: CacheOptions
  /** Name, logo and colors of the built-in error and sign-in pages. */
  readonly pages?: PagesOptions
  /**
   * Receives the log lines: a pino instance, or an object with its methods. Default: lines of JSON on stderr, from the level of the
   * variable `COATCHECK_LOG` on (default `warn`), and all lines of the areas that `DEBUG=coatcheck:*` names.
   */
  readonly logger?: Logger | undefined
}

/** How the application authenticates at the provider. */
export type ClientCredential =
  | { readonly kind: 'secret'; readonly secret: string }
  /** One of the two: PEM text with key and certificate, or the path of a file with it. */
  | { readonly kind: 'certificate'; readonly pem: string | null; readonly file: string | null }
  | { readonly kind: 'federated'; readonly tokenFile: string }
  /** A public client. */
  | { readonly kind: 'none' }

export interface ResolvedProvider {
  readonly name: string
  readonly preset: 'oidc' | 'entra'
  /** For a multi-tenant Entra application it contains `{tenantid}`. */
  readonly issuer: string
  readonly discoveryUrl: string
  readonly clientId: string
  readonly credential: ClientCredential
  /** `openid`, `profile`, `email`, `offline_access` and the added scopes. */
  readonly scopes: readonly string[]
  /** Lower case. Empty: every tenant. */
  readonly allowedTenants: readonly string[]
  /** Lower case. Has precedence over `allowedTenants`. */
  readonly refusedTenants?: readonly string[]
  readonly responseMode: 'query' | 'form_post'
  /** True for a loopback issuer on plain http. */
  readonly allowInsecureHttp: boolean
  /** Absent: `oidc/account-prompt.ts` chooses. */
  readonly accountPrompt?: 'select_account' | 'login'
  /** Absent: `get`. */
  readonly endSessionMethod?: 'get' | 'post'
  /** Absent: `DEFAULT_CLOCK_TOLERANCE_SECONDS` of `oidc/clock-tolerance.ts`. */
  readonly clockToleranceSeconds?: number
  readonly allowUntypedLogoutTokens?: boolean
  readonly settings: ProviderSettings
}

/** Where each part of a registration was set, as messages name it: `AZURE_AD_CLIENT_ID` or `option oidc().clientId`. */
export interface ProviderSettings {
  /** The tenant, or the issuer if it is set. */
  readonly authority: string
  readonly clientId: string
  readonly credential: string
}

export interface ResolvedPages {
  /** `null`: pages show no name. */
  readonly name: string | null
  /** A path that begins with one slash, or a data URL. `null`: pages show no logo. */
  readonly logo: string | null
  /** `#rgb` or `#rrggbb`. */
  readonly accentColor: string
  readonly accentColorDark: string
}

export interface ResolvedConfig<D extends object> {
  readonly baseUrl: URL
  /** `baseUrl` is on a loopback address, with http or https. */
  readonly loopback: boolean
  /** Addresses and networks that count as this machine on a loopback base URL. */
  readonly localPeers: readonly string[]
  readonly basePath: string
  readonly cookie: { readonly name: string; readonly secure: boolean; readonly sameSite: 'lax' | 'strict' }
  /** Empty: no key is set, which is allowed on a loopback base URL only; the process generates one. */
  readonly keys: readonly string[]
  readonly prefix: string
  readonly store: StoreFactory | null
  readonly providers: readonly ResolvedProvider[]
  readonly signIn: SignInOptions
  readonly session: ResolvedSession<D>
  readonly tokens: {
    readonly grantLifetimeMs: number
    readonly minValidityMs: number
    readonly revokeAtProvider: boolean
  }
  readonly cache: { readonly maxBytes: number }
  readonly pages: ResolvedPages
  readonly log: {
    /** Set by the application; it decides which lines are written. */
    readonly logger: Logger | null
    readonly level: LogLevel | 'silent'
    /** The variable `DEBUG`, which names areas. */
    readonly debug: string | null
  }
}
