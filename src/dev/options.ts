/** Options of the development provider: their meaning, their defaults, and their validation. */
import { randomUUID } from 'node:crypto'
import type { JWK } from 'jose'
import { ConfigError } from '../core/errors.ts'

/**
 * How each refresh treats the refresh token. `entra`: a new one each time, and the old one stays valid. `strict`: a new one each time, and
 * reuse of an old one ends the whole grant (RFC 9700 section 4.14). `none`: the same one forever.
 */
export type RefreshTokenRotation = 'entra' | 'strict' | 'none'

/** An API that the development provider issues access tokens for. */
export interface DevApi {
  /** The audience of its access tokens, e.g. `api://orders`. */
  readonly audience: string
  /** Short scope names. A client requests them as `<audience>/<scope>` like at Entra, or bare together with `resource` (RFC 8707). */
  readonly scopes: readonly string[]
}

/** Options of `startDevProvider()`. */
export interface DevProviderOptions {
  /** Port. Default 0: any free port. */
  readonly port?: number
  /** Host name. Default `127.0.0.1`: with an application on `localhost`, browsers then see two sites, as in production. */
  readonly host?: '127.0.0.1' | 'localhost'
  /** Tenant id. Default: a fixed one, so that user ids survive a restart. */
  readonly tenantId?: string
  /** Client id of the application. Default: a fixed one. */
  readonly clientId?: string
  /** Client secret. Default: generated at each start. */
  readonly clientSecret?: string
  /**
   * Registered redirect URIs. Default `http://localhost:3000/auth/callback`. Compared exactly, except that the port of `http://localhost`
   * is ignored.
   */
  readonly redirectUris?: readonly string[]
  /** Registered post-logout redirect URIs. Default: the origins of `redirectUris`, with and without a slash. */
  readonly postLogoutRedirectUris?: readonly string[]
  /** Enables back-channel logout (OpenID Connect Back-Channel Logout 1.0). */
  readonly backchannelLogoutUri?: string
  /**
   * Accepts POST at the authorization endpoint and the end-session endpoint, as OpenID Connect requires of providers. A POST of another
   * site carries only cookies with `SameSite=None; Secure`, so the provider's session cookie gets these attributes. Chromium and Firefox
   * accept such a cookie over http from a loopback address; Safari rejects it. Default `false`.
   */
  readonly acceptPost?: boolean
  /** Replaces the secret: the public keys of the application, for `private_key_jwt` with PS256 or RS256. */
  readonly clientKeys?: readonly JWK[]
  /** Lifetime of access tokens, seconds. Default 3600. */
  readonly accessTokenTtlSeconds?: number
  /** How refresh tokens rotate. Default `entra`. */
  readonly rotation?: RefreshTokenRotation
  /** APIs of the provider. Default: `api://orders` with `Orders.Read` and `Orders.Write`, and `api://reports` with `Reports.Read`. */
  readonly apis?: readonly DevApi[]
  /** Called for unexpected errors inside the provider itself. Default: ignored, the response is a 500. */
  readonly onError?: (error: Error) => void
}

export interface ResolvedDevOptions {
  readonly port: number
  readonly host: '127.0.0.1' | 'localhost'
  readonly tenantId: string
  readonly clientId: string
  readonly clientSecret: string
  readonly clientKeys: readonly JWK[] | null
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly backchannelLogoutUri: string | null
  readonly acceptPost: boolean
  readonly accessTokenTtlSeconds: number
  readonly rotation: RefreshTokenRotation
  readonly apis: readonly DevApi[]
  readonly onError: (error: Error) => void
}

const defaultApis: readonly DevApi[] = [
  { audience: 'api://orders', scopes: ['Orders.Read', 'Orders.Write'] },
  { audience: 'api://reports', scopes: ['Reports.Read'] },
]

const known = new Set<string>([
  'port',
  'host',
  'tenantId',
  'clientId',
  'clientSecret',
  'clientKeys',
  'redirectUris',
  'postLogoutRedirectUris',
  'backchannelLogoutUri',
  'acceptPost',
  'accessTokenTtlSeconds',
  'rotation',
  'apis',
  'onError',
] satisfies (keyof DevProviderOptions)[])

/** @throws `COATCHECK_CONFIG_UNKNOWN_OPTION` or `COATCHECK_CONFIG_INVALID`, naming the option */
export function resolveDevOptions(options: DevProviderOptions): ResolvedDevOptions {
  for (const name of Object.keys(options)) {
    if (!known.has(name))
      throw new ConfigError('COATCHECK_CONFIG_UNKNOWN_OPTION', { message: `startDevProvider has no option ${name}.` })
  }
  const redirectUris = options.redirectUris ?? ['http://localhost:3000/auth/callback']
  const resolved: ResolvedDevOptions = {
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    tenantId: options.tenantId ?? '2b9c7c7e-3a52-4a52-8d0a-c0a7c4ec0000',
    clientId: options.clientId ?? '6f1a4cbe-91d5-4f0e-b5f4-c0a7c4ec0001',
    clientSecret: options.clientSecret ?? randomUUID() + randomUUID(),
    clientKeys: options.clientKeys ?? null,
    redirectUris,
    postLogoutRedirectUris: options.postLogoutRedirectUris ?? originsOf(redirectUris),
    backchannelLogoutUri: options.backchannelLogoutUri ?? null,
    acceptPost: options.acceptPost ?? false,
    accessTokenTtlSeconds: options.accessTokenTtlSeconds ?? 3600,
    rotation: options.rotation ?? 'entra',
    apis: options.apis ?? defaultApis,
    onError: options.onError ?? (() => undefined),
  }
  want('port', Number.isInteger(resolved.port) && resolved.port >= 0 && resolved.port <= 65_535, 'a port, or 0')
  want('host', ['127.0.0.1', 'localhost'].includes(resolved.host), '127.0.0.1 or localhost')
  want('tenantId', /^[0-9a-z.-]{1,64}$/i.test(resolved.tenantId), 'a GUID or a domain')
  want(
    'redirectUris',
    redirectUris.length > 0 && redirectUris.every((uri) => URL.canParse(uri)),
    'a list of absolute URLs',
  )
  const ttl = resolved.accessTokenTtlSeconds
  want('accessTokenTtlSeconds', Number.isInteger(ttl) && ttl > 0, 'a whole number of seconds above 0')
  want('rotation', ['entra', 'strict', 'none'].includes(resolved.rotation), 'entra, strict or none')
  return resolved
}

function want(option: string, good: boolean, wanted: string): void {
  if (!good)
    throw new ConfigError('COATCHECK_CONFIG_INVALID', { message: `startDevProvider: ${option} must be ${wanted}.` })
}

function originsOf(uris: readonly string[]): readonly string[] {
  const origins = uris.filter((uri) => URL.canParse(uri)).map((uri) => new URL(uri).origin)
  return [...new Set(origins)].flatMap((origin) => [origin, `${origin}/`])
}
