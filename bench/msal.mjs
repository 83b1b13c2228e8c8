/**
 * MSAL as teams run it: its own distributed cache plugin on node-redis, everything but the token request given, so that only what
 * is measured is measured.
 */
import { ConfidentialClientApplication, DistributedCachePlugin } from '@azure/msal-node'

const HOST = 'login.microsoftonline.com'
const AUTHORITY = `https://${HOST}/tenant`

/**
 * @param {{ client: import('redis').RedisClientType, home: string | null, requestToken: (form: URLSearchParams) => Promise<{ status: number, body: object }> }} options
 */
export function msalApplication({ client, home, requestToken }) {
  const cacheClient = {
    get: async (key) => (key === '' ? '' : ((await client.get(`msal:${key}`)) ?? '')),
    set: async (key, value) => {
      await client.set(`msal:${key}`, value)
      return value
    },
  }
  const partitions = { getKey: async () => home ?? '', extractKey: async (account) => account.homeAccountId }
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
    cache: { cachePlugin: new DistributedCachePlugin(cacheClient, partitions) },
    system: {
      networkClient: {
        sendGetRequestAsync: () => Promise.reject(new Error('nothing is fetched here')),
        sendPostRequestAsync: async (_url, { body }) => ({
          headers: {},
          ...(await requestToken(new URLSearchParams(body))),
        }),
      },
    },
  })
}

/** What Entra ID answers besides the tokens: who it is about. */
export function entraFields(user) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: `${AUTHORITY}/v2.0`,
    aud: 'app',
    sub: user,
    oid: user,
    tid: 'tenant',
    iat: now,
    exp: now + 3600,
  }
  return {
    client_info: part({ uid: user, utid: 'tenant' }),
    id_token: `${part({ alg: 'none' })}.${part({ ...claims, preferred_username: user })}.`,
  }
}

export const homeOf = (user) => `${user}.tenant`
