/**
 * Options as users write them, and the one validated configuration that everything else reads. `resolve.ts` turns the first
 * into the second: options win over the environment, every bad value is a `ConfigError`, an unknown option is an error.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Duration } from '../core/duration.ts'
import type { Logger, LogLevel } from '../core/logger.ts'
import type { SessionLimit } from '../session/session-driver.ts'
import type { Json, OutagePolicy } from '../session/types.ts'
import type { StoreFactory } from '../store.ts'

/** What `oidc()` and `entra()` return: checked in shape only; the environment is read when it is resolved. */
export interface ProviderOptions {
  /** Which function made the options. */
  readonly preset: 'oidc' | 'entra'
  /** Name of the provider in routes and stored tokens. */
  readonly name?: string
  /** Issuer identifier: the URL below which the discovery document lies. */
  readonly issuer?: string | undefined
  /** Client id of the application. */
  readonly clientId?: string | undefined
  /** Client secret of the application. */
  readonly clientSecret?: string | undefined
  /** Certificate and private key, PEM. */
  readonly clientCertificate?: string | undefined
  /** Path of a file with certificate and private key, PEM. */
  readonly clientCertificatePath?: string | undefined
  /** Path of a file with a federated token. It is read again at each use. */
  readonly federatedTokenFile?: string | undefined
  /** Scopes that sign-in asks for. */
  readonly scopes?: readonly string[]
  /** Directory (tenant) id, or `organizations`, `common`, `consumers`. */
  readonly tenantId?: string | undefined
  /** Cloud of Entra ID. Default `public`. */
  readonly cloud?: 'public' | 'usgov' | 'china'
  /** Tenants whose users may sign in at a multi-tenant application. */
  readonly allowedTenants?: readonly string[]
  /** How the provider sends its answer: in the URL or as a form. */
  readonly responseMode?: 'query' | 'form_post'
  /**
   * `prompt` of the sign-in after a sign-out (OpenID Connect Core 3.1.2.1). Default: `select_account` where the provider supports it,
   * else `login`.
   */
  readonly accountPrompt?: 'select_account' | 'login'
  /** Scopes of the access token that is asked for at sign-in besides the OpenID ones, e.g. `api://orders/Orders.Read`. */
  readonly apiScopes?: readonly string[]
}

/** Who the provider says it is: the validated claims of the ID token. */
export interface Identity {
  /** Name of the provider. */
  readonly provider: string
  /** Issuer of the ID token. */
  readonly issuer: string
  /** Subject of the ID token: the user at this issuer. */
  readonly subject: string
  /** All claims of the ID token. */
  readonly claims: Readonly<Record<string, Json | undefined>>
}

/** What the application decides at sign-in. */
export interface SignInOptions {
  /** Default: issuer and subject. Never an e-mail address. */
  readonly userId?: (identity: Identity) => string | Promise<string>
  /** Return false, or a text for the log, to refuse. */
  readonly authorize?: (identity: Identity) => boolean | string | Promise<boolean | string>
  /** Shapes `session.user`. Default: name, preferred_username, email, tenant and roles when present. */
  readonly profile?: (claims: Identity['claims']) => { readonly [claim: string]: Json | undefined }
  /** Fields of the anonymous session that move to the user's session at sign-in. Default: none. */
  readonly carry?: readonly string[]
  /**
   * For 24 hours after a sign-out, the next sign-in in that browser asks which account to use: the provider may still remember
   * the user. Default true. False: the provider decides.
   */
  readonly askAfterSignOut?: boolean
}

/** Options of the session cookie. */
export interface CookieOptions {
  /** Without prefix: `__Host-` is put in front on https. Default `coatcheck`. */
  readonly name?: string
  /** `SameSite` of the cookie. Default `lax`. */
  readonly sameSite?: 'lax' | 'strict'
}

/** Options of sessions. */
export interface SessionOptions<D extends object> {
  /** Default `8h`, sliding. */
  readonly idleTimeout?: Duration
  /** Default `24h`, never moved. */
  readonly absoluteTimeout?: Duration
  /** NIST SP 800-63B-4 limits: AAL1 30 d; AAL2 24 h and 1 h idle; AAL3 12 h and 15 min idle. Explicit timeouts win. */
  readonly preset?: 'aal1' | 'aal2' | 'aal3'
  /** Gives `session.data` its type and is applied to every write. Must be synchronous and accept `{}`. */
  readonly schema?: StandardSchemaV1<unknown, D>
  /** Version of the schema's shape, from 1. Records of older versions pass through `upcasts`. */
  readonly schemaVersion?: number
  /** `upcasts[n]` turns data of version n into version n + 1. */
  readonly upcasts?: Readonly<Record<number, (data: Record<string, unknown>) => Record<string, unknown>>>
  /** How many sessions a user may have, and what a further sign-in does. Default: no limit; a number ends the oldest. */
  readonly maxPerUser?:
    | number
    | {
        /** Highest number of sessions, at least 1. */
        readonly max: number
        /** `end-oldest` ends the oldest session; `refuse` refuses the new sign-in. */
        readonly action: 'end-oldest' | 'refuse'
      }
  /** Largest data as JSON, in bytes. Default 65,536. */
  readonly maxBytes?: number
  /**
   * What `getSession` gives while the store cannot be asked; each call may say otherwise. Default `fail`. `stale` and `anonymous`
   * are read-only, and no cookie is touched.
   */
  readonly onUnavailable?: OutagePolicy
  /** How long after its last verification a session may be `stale`. Default `60s` with that policy, else nothing is kept. */
  readonly staleFor?: Duration
  /** Options of the session cookie. */
  readonly cookie?: CookieOptions
}

/** Options of stored tokens. */
export interface TokenOptions {
  /** How long a grant is kept without a refresh. Default `90d`, the life of an Entra refresh token. */
  readonly grantLifetime?: Duration
  /** An access token with less than this left is not handed out. Default `30s`. */
  readonly minValidity?: Duration
  /** Refresh tokens of ended sign-ins are revoked where the provider takes that (RFC 7009). Default true. */
  readonly revokeAtProvider?: boolean
}

/** How the built-in pages look: errors, and the questions before a sign-in or a sign-out. */
export interface PagesOptions {
  /** Name of the application, 1 to 60 characters: above each page and in its title. Default: none is shown. */
  readonly name?: string
  /** Path of an image on the application's own origin, or a data URL (base64). Default: none is shown. */
  readonly logo?: string
  /** Background of the main button, `#rgb` or `#rrggbb`. The page picks black or white for its text. Default `#1d5fd0`. */
  readonly accentColor?: string
  /** The same for dark mode. Default: `accentColor` if that is set, else `#7fb0ff`. */
  readonly accentColorDark?: string
}

/** Options of `coatcheck()`. Each may be left out; the environment and the defaults then decide. */
export interface Options<D extends object = Record<string, unknown>> {
  /** Where sessions and tokens are kept. Default: Redis when `REDIS_URL` is set, else memory on a loopback base URL. */
  readonly store?: StoreFactory
  /** `COATCHECK_KEYS`. Without: drawn at start, on a loopback base URL only. */
  readonly keys?: string | readonly string[] | undefined
  /** Identity providers, the default one first. Default: none. */
  readonly providers?: readonly ProviderOptions[]
  /** `COATCHECK_BASE_URL`: the origin that browsers see. Default `http://localhost:<PORT or 3000>` outside of production. */
  readonly baseUrl?: string | undefined
  /** Where the routes of sign-in live. Default `/auth`. */
  readonly basePath?: string
  /** `REDIS_PREFIX`: stands before all keys. Default none. */
  readonly prefix?: string
  /** What the application decides at sign-in. */
  readonly signIn?: SignInOptions
  /** Options of sessions. */
  readonly session?: SessionOptions<D>
  /** Options of stored tokens. */
  readonly tokens?: TokenOptions
  /** Name, logo and colors of the built-in error and sign-in pages. */
  readonly pages?: PagesOptions
  /**
   * Where log lines go: a pino instance, or what has its methods. Default: lines of JSON on stderr from the level on that
   * `COATCHECK_LOG` says (`warn`), and of the areas that `DEBUG=coatcheck:*` names.
   */
  readonly logger?: Logger | undefined
}

/** How the application authenticates at the provider. */
export type ClientCredential =
  | { readonly kind: 'secret'; readonly secret: string }
  /** One of the two: PEM text with key and certificate, or the file that holds it. */
  | { readonly kind: 'certificate'; readonly pem: string | null; readonly file: string | null }
  | { readonly kind: 'federated'; readonly tokenFile: string }
  /** A public client. */
  | { readonly kind: 'none' }

export interface ResolvedProvider {
  readonly name: string
  readonly preset: 'oidc' | 'entra'
  /** For a multi-tenant Entra application it holds `{tenantid}`. */
  readonly issuer: string
  readonly discoveryUrl: string
  readonly clientId: string
  readonly credential: ClientCredential
  /** `openid`, `profile`, `email`, `offline_access` and whatever was added. */
  readonly scopes: readonly string[]
  readonly allowedTenants: readonly string[]
  readonly responseMode: 'query' | 'form_post'
  /** True for a loopback issuer on plain http. */
  readonly allowInsecureHttp: boolean
  /** Absent: `oidc/account-prompt.ts` chooses. */
  readonly accountPrompt?: 'select_account' | 'login'
  readonly settings: ProviderSettings
}

/** Where each part of a registration was given, as messages name it: `AZURE_AD_CLIENT_ID` or `option oidc().clientId`. */
export interface ProviderSettings {
  /** The tenant, or the issuer where that is given. */
  readonly authority: string
  readonly clientId: string
  readonly credential: string
}

export interface ResolvedSession<D extends object> {
  readonly idleTimeoutMs: number
  readonly absoluteTimeoutMs: number
  readonly schema: StandardSchemaV1<unknown, D> | null
  readonly schemaVersion: number
  readonly upcasts: NonNullable<SessionOptions<D>['upcasts']>
  readonly limit: SessionLimit | null
  readonly maxBytes: number
  readonly onUnavailable: OutagePolicy
  /** 0: nothing is kept for it. */
  readonly staleForMs: number
}

export interface ResolvedPages {
  /** `null`: none is shown. */
  readonly name: string | null
  /** A path that begins with one slash, or a data URL. `null`: none is shown. */
  readonly logo: string | null
  /** `#rgb` or `#rrggbb`. */
  readonly accentColor: string
  readonly accentColorDark: string
}

export interface ResolvedConfig<D extends object> {
  readonly baseUrl: URL
  /** `baseUrl` is on a loopback address, with http or https. */
  readonly loopback: boolean
  readonly basePath: string
  readonly cookie: { readonly name: string; readonly secure: boolean; readonly sameSite: 'lax' | 'strict' }
  /** Empty: none given, allowed on a loopback base URL only; the process draws one. */
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
  readonly pages: ResolvedPages
  readonly log: {
    /** Given by the application; it decides what is written. */
    readonly logger: Logger | null
    readonly level: LogLevel | 'silent'
    /** The variable `DEBUG`, which names areas. */
    readonly debug: string | null
  }
}
