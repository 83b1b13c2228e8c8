/** An application on MSAL Node with a given cache plugin. Token requests are answered here; everything else MSAL would fetch is given. */
import { ConfidentialClientApplication, type ICachePlugin } from '@azure/msal-node'

const AUTHORITY = 'https://login.microsoftonline.com/tenant'
const HOST = 'login.microsoftonline.com'
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Counts the token requests of all applications of a test. */
export interface TokenEndpoint {
  requests: number
}

/** An access token is the name of the user and the number of the request. */
export function msalApplication(cachePlugin: ICachePlugin, endpoint: TokenEndpoint): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    auth: {
      clientId: 'app',
      clientSecret: 'secret',
      authority: AUTHORITY,
      cloudDiscoveryMetadata: JSON.stringify({
        tenant_discovery_endpoint: `${AUTHORITY}/v2.0/.well-known/openid-configuration`,
        metadata: [{ preferred_network: HOST, preferred_cache: HOST, aliases: [HOST] }],
      }),
      authorityMetadata: JSON.stringify({
        authorization_endpoint: `${AUTHORITY}/oauth2/v2.0/authorize`,
        token_endpoint: `${AUTHORITY}/oauth2/v2.0/token`,
        issuer: `${AUTHORITY}/v2.0`,
        jwks_uri: `${AUTHORITY}/keys`,
      }),
    },
    cache: { cachePlugin },
    system: {
      networkClient: {
        sendGetRequestAsync: () => Promise.reject(new Error('nothing is fetched here')),
        sendPostRequestAsync: <T>(_url: string, options?: { body?: string }) =>
          Promise.resolve({
            headers: {},
            status: 200,
            body: tokensFor(new URLSearchParams(options?.body), ++endpoint.requests) as T,
          }),
      },
    },
  })
}

function tokensFor(form: URLSearchParams, number: number): object {
  const user = form.get('code') ?? form.get('refresh_token')?.split('.')[1] ?? ''
  const now = Math.floor(Date.now() / 1000)
  const idToken = { iss: `${AUTHORITY}/v2.0`, aud: 'app', sub: user, oid: user, tid: 'tenant' }
  return {
    token_type: 'Bearer',
    expires_in: 3600,
    ext_expires_in: 7200,
    access_token: `${user} ${number}`,
    scope: form.get('scope') ?? '',
    refresh_token: `refresh-${number}.${user}`,
    client_info: part({ uid: user, utid: 'tenant' }),
    id_token: `${part({ alg: 'none' })}.${part({ ...idToken, preferred_username: user, iat: now, exp: now + 3600 })}.`,
  }
}
