/**
 * The environment of an application during development: the identity provider, a protected API, and a Redis or none. It returns the
 * environment variables that connect the application to them; `coatcheck dev` starts the application with these.
 */
import { assertDevelopment } from './assert-development.ts'
import { type DevProvider, startDevProvider } from './dev-provider.ts'
import { startOrdersApi } from './orders-api.ts'
import { hasRedisServer, startPrivateRedis } from './private-redis.ts'

export interface WorkbenchOptions {
  /** Port on which the application will listen; browsers see `http://localhost:<port>`. */
  readonly port: number
  readonly providerPort: number
  /** Paths to which the provider returns users, `/auth/callback` first. */
  readonly callbackPaths: readonly string[]
  readonly accessTokenTtlSeconds: number
  /** `auto`: a private redis-server if there is one on `PATH`, otherwise memory. A URL is used unchanged. */
  readonly redis: 'auto' | 'memory' | 'server' | URL
  readonly onError: (error: Error) => void
}

export interface Workbench {
  readonly provider: DevProvider
  readonly redis: { readonly kind: 'memory' | 'server' | 'url'; readonly url: string | null }
  /** Variables that connect the application. Without `COATCHECK_KEYS`: these may be the application's own. */
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** @throws {ConfigError} in production, without `oidc-provider`, or when a port is in use */
export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  assertDevelopment('coatcheck dev')
  const baseUrl = `http://localhost:${options.port}`
  const closing: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).reverse()) await one()
  }
  try {
    const provider = await startDevProvider({
      port: options.providerPort,
      accessTokenTtlSeconds: options.accessTokenTtlSeconds,
      redirectUris: options.callbackPaths.map((path) => baseUrl + path),
      onError: options.onError,
    })
    closing.push(() => provider.close())
    const orders = await startOrdersApi({ issuer: provider.issuer })
    closing.push(() => orders.close())
    const redis = await openRedis(options.redis, provider, closing)
    const environment = {
      PORT: String(options.port),
      COATCHECK_BASE_URL: baseUrl,
      ...providerEnvironment(provider),
      ORDERS_API_URL: orders.url,
      REDIS_URL: redis.url ?? '',
    }
    return { provider, redis, environment, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openRedis(
  wanted: WorkbenchOptions['redis'],
  provider: DevProvider,
  closing: (() => Promise<void>)[],
): Promise<Workbench['redis']> {
  if (wanted instanceof URL) return { kind: 'url', url: wanted.href }
  if (wanted === 'memory' || (wanted === 'auto' && !hasRedisServer())) return { kind: 'memory', url: null }
  const server = await startPrivateRedis()
  closing.push(() => server.close())
  provider.connectRedis(server.switch)
  return { kind: 'server', url: server.url }
}

/** For the preset `entra()`, and for `oidc()` as `coatcheck init` writes it. */
function providerEnvironment({ issuer, tenantId, clientId, clientSecret }: DevProvider): Record<string, string> {
  return {
    ENTRA_ISSUER: issuer,
    AZURE_AD_TENANT_ID: tenantId,
    AZURE_AD_CLIENT_ID: clientId,
    AZURE_AD_CLIENT_SECRET: clientSecret,
    // Clears variables of the user's own registration, which would otherwise be mixed in.
    AZURE_AD_CLIENT_CERTIFICATE_PATH: '',
    AZURE_AD_FEDERATED_TOKEN_FILE: '',
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: clientId,
    OIDC_CLIENT_SECRET: clientSecret,
  }
}
