/**
 * The complete development provider: a server on a loopback address that behaves like Entra ID, with users to select. It owns its storage,
 * keys, counters and faults, so that several can run in one process. `close()` leaves nothing behind.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type Provider from 'oidc-provider'
import { ConfigError } from '../core/errors.ts'
import { assertDevelopment } from './assert-development.ts'
import type { Counters } from './counters.ts'
import { DevSite, type SiteOptions } from './dev-site.ts'
import { entraEndpoints } from './entra-routes.ts'
import { FaultBoard, type FaultSwitches, type RedisSwitch } from './fault-switches.ts'
import { FaultPlan, type Faults } from './faults.ts'
import { loadOidcProvider } from './load-oidc-provider.ts'
import { createMemoryStorage } from './memory-adapter.ts'
import { type DevProviderOptions, resolveDevOptions, type ResolvedDevOptions } from './options.ts'
import { type DevUser, type DevUserName, devUsers } from './people.ts'
import { registerOnBehalfOf } from './on-behalf-of.ts'
import { buildConfiguration } from './provider-config.ts'
import { compareAsEntra } from './redirect-uris.ts'
import { createSigningKeys } from './signing-keys.ts'
import { skewTokens } from './skewed-clock.ts'

/** A running development provider. */
export interface DevProvider {
  /** `http://127.0.0.1:<port>/<tenant>/v2.0` */
  readonly issuer: string
  /** Port that the provider listens on. */
  readonly port: number
  /** Tenant id of its issuer. */
  readonly tenantId: string
  /** Client id of the registered application. */
  readonly clientId: string
  /** Client secret of the registered application. */
  readonly clientSecret: string
  /** The provider's own front page. */
  readonly url: string
  /** Counts of requests by kind. */
  readonly counters: Counters
  /** Faults that a test plans by hand. */
  readonly faults: Faults
  /** Faults as text, `refresh=429:3`: accepted by `coatcheck dev --fault` and the page `/dev/faults`. */
  readonly switches: FaultSwitches
  /** Connects a Redis, so that `redis=…` can be switched here too. */
  connectRedis(to: RedisSwitch): void
  /**
   * Enables or disables an account. A disabled account can neither sign in nor refresh (`invalid_grant`). Margaret is disabled from the
   * start.
   */
  setDisabled(user: DevUserName, disabled: boolean): void
  /** Resets to the state after a restart: no session, no grant, no token, no count, no fault. Keys and client stay. */
  reset(): void
  /** Stops the provider. Resolves when the port is free. */
  close(): Promise<void>
}

/**
 * @throws `COATCHECK_CONFIG_INSECURE` in production, `COATCHECK_CONFIG_MISSING` without the package `oidc-provider`,
 * `COATCHECK_CONFIG_INVALID` for a bad option or a port that is in use
 */
export async function startDevProvider(options: DevProviderOptions = {}): Promise<DevProvider> {
  assertDevelopment('The development identity provider')
  const resolved = resolveDevOptions(options)
  const module = await loadOidcProvider()
  const disabled = new Set<DevUserName>(['margaret'])
  const storage = createMemoryStorage()
  const server = createServer()
  const port = await listen(server, resolved)
  const url = `http://${resolved.host}:${String(port)}`
  const issuer = `${url}/${resolved.tenantId}/v2.0`
  const isEnabled = (user: DevUser): boolean => !disabled.has(user.id)

  const configuration = buildConfiguration({ options: resolved, port, adapter: storage.adapter, module, isEnabled })
  const keys = await createSigningKeys()
  /** The package reads its keys only once, so new keys need a new provider on the same storage. */
  const makeProvider = (): Provider => {
    const provider = new module.Provider(issuer, { ...configuration, jwks: { keys: [...keys.all] } })
    bendToEntra(provider, resolved, url)
    registerOnBehalfOf(provider, resolved, module, url)
    return provider
  }
  let clockMs = 0
  const faults = new FaultPlan()
  const switches = new FaultBoard({
    faults,
    async rotateKeys() {
      await keys.rotate()
      site.serve(makeProvider())
    },
    setClock(byMs) {
      clockMs = byMs
    },
  })
  const skewed: SiteOptions['skewed'] = async (body) =>
    clockMs === 0 ? body : await skewTokens(body, clockMs, keys.current)
  const site = new DevSite({ faults, switches, options: resolved, url, isEnabled, skewed }, makeProvider())
  server.on('request', site.handle)

  return {
    issuer,
    port,
    tenantId: resolved.tenantId,
    clientId: resolved.clientId,
    clientSecret: resolved.clientSecret,
    url,
    counters: site.counters,
    faults,
    switches,
    connectRedis: (to) => switches.connectRedis(to),
    setDisabled(user, value) {
      if (value) disabled.add(user)
      else disabled.delete(user)
    },
    reset() {
      storage.clear()
      site.counters.clear()
      switches.clear()
    },
    close: () => closeServer(server),
  }
}

/** Changes that no option of the package covers. */
function bendToEntra(provider: Provider, options: ResolvedDevOptions, url: string): void {
  // Entra expects its token endpoint as audience of a client assertion. The package only knows its own path.
  const audiences = new Set([provider.issuer, entraEndpoints(url, options.tenantId)['token_endpoint']])
  Object.assign(provider.OIDCContext.prototype, { clientJwtAuthExpectedAudience: () => audiences })
  // Entra issues a new refresh token each time, and the old one stays valid until it expires.
  if (options.rotation === 'entra') provider.RefreshToken.prototype.consume = () => Promise.resolve()
  // Entra can send `sid` to every application, not only to those with back-channel logout.
  Object.assign(provider.Client.prototype as object, { includeSid: () => true })
  compareAsEntra(provider, options)
  if (options.acceptPost) allowSecureCookies(provider)
  provider.on('server_error', (_ctx, error) => {
    options.onError(error)
  })
}

/** The package refuses to set a cookie with `Secure` over http. Browsers accept one from a loopback address. */
function allowSecureCookies(provider: Provider): void {
  const createContext = provider.createContext.bind(provider)
  provider.createContext = (...args) => {
    const context = createContext(...args)
    context.cookies.secure = true
    return context
  }
}

async function listen(server: Server, { host, port }: ResolvedDevOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve)
  }).catch((cause: unknown) => {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    const why = code === 'EADDRINUSE' ? 'is in use by another process' : `cannot be listened on (${code})`
    throw new ConfigError('COATCHECK_CONFIG_INVALID', {
      message: `startDevProvider: port ${String(port)} of ${host} ${why}.`,
      fix: 'Stop the process that listens there, or give startDevProvider() another port. Port 0 is any free port.',
      cause,
    })
  })
  return (server.address() as AddressInfo).port
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
    server.closeAllConnections()
  })
}

/** The users to offer, e.g. in the output of a command. */
export const devUserList: readonly {
  /** Name of the person. */
  readonly name: string
  /** E-mail address of the person, in a reserved domain. */
  readonly email: string
  /** Why this person is useful for tests. */
  readonly note: string
}[] = devUsers
