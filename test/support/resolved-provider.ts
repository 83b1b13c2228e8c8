/** Providers as the configuration resolves them: one for units that ask a provider by a scripted `fetch`, and the development provider. */
import type { ResolvedProvider } from '../../src/config/types.ts'
import type { DevProvider } from '../../src/dev/dev-provider.ts'

export const TEST_ISSUER = 'https://idp.test'

export const resolvedProvider: ResolvedProvider = {
  name: 'p',
  preset: 'oidc',
  issuer: TEST_ISSUER,
  discoveryUrl: `${TEST_ISSUER}/.well-known/openid-configuration`,
  clientId: 'c',
  credential: { kind: 'secret', secret: 's' },
  scopes: ['openid'],
  allowedTenants: [],
  responseMode: 'query',
  allowInsecureHttp: false,
  settings: { authority: 'issuer', clientId: 'clientId', credential: 'clientSecret' },
}

/** The development provider as `entra()` resolves it. */
export function devProviderOf(
  dev: DevProvider,
  name = 'entra',
  change: Partial<ResolvedProvider> = {},
): ResolvedProvider {
  return {
    name,
    preset: 'entra',
    issuer: dev.issuer,
    discoveryUrl: `${dev.issuer}/.well-known/openid-configuration`,
    clientId: dev.clientId,
    credential: { kind: 'secret', secret: dev.clientSecret },
    scopes: ['openid', 'profile', 'email', 'offline_access', 'api://orders/Orders.Read'],
    allowedTenants: [],
    responseMode: 'query',
    allowInsecureHttp: true,
    settings: { authority: 'issuer', clientId: 'clientId', credential: 'clientSecret' },
    ...change,
  }
}
