/** A provider as the configuration resolves it, for units that ask a provider by a scripted `fetch`. */
import type { ResolvedProvider } from '../../src/config/types.ts'

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
