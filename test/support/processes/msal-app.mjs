/**
 * Applications on MSAL with our cache plugin, in a process of its own: one application object per request, as MSAL advises for a
 * cache with partitions. Token requests go to the endpoint of the parent; everything else MSAL would fetch is given.
 */
import { msalCachePlugin } from 'coatcheck/msal'
import { redisStore } from 'coatcheck/redis'

const { REDIS_URL, COATCHECK_KEYS, STORE = '{}', ENDPOINT, MSAL } = process.env
const { ConfidentialClientApplication } = await import(MSAL)
const AUTHORITY = 'https://login.microsoftonline.com/tenant'
const host = 'login.microsoftonline.com'

function application(partition) {
  const cachePlugin = msalCachePlugin({
    store: redisStore({ url: REDIS_URL, ...JSON.parse(STORE) }),
    keys: COATCHECK_KEYS,
    partition,
  })
  return new ConfidentialClientApplication({
    auth: {
      clientId: 'app',
      clientSecret: 'secret',
      authority: AUTHORITY,
      cloudDiscoveryMetadata: JSON.stringify({
        tenant_discovery_endpoint: `${AUTHORITY}/v2.0/.well-known/openid-configuration`,
        metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
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
        async sendPostRequestAsync(_url, options) {
          const response = await fetch(ENDPOINT, { method: 'POST', body: options.body, headers: options.headers })
          return { headers: {}, status: response.status, body: await response.json() }
        },
      },
    },
  })
}

const operations = {
  /** The user is known when the provider has answered. */
  async signIn({ user }) {
    const app = application(() => null)
    const { account } = await app.acquireTokenByCode({
      code: user,
      scopes: ['openid'],
      redirectUri: 'http://localhost',
    })
    return account.homeAccountId
  },
  async silent({ user, scopes }) {
    const app = application(() => user)
    const account = await app.getTokenCache().getAccountByHomeId(user)
    if (!account) return null
    return (await app.acquireTokenSilent({ account, scopes })).accessToken
  },
  async accounts({ user }) {
    return (
      await application(() => user)
        .getTokenCache()
        .getAllAccounts()
    ).map((account) => account.homeAccountId)
  },
  /** One application object for all requests: who comes next must not see who was before. */
  async shared({ users }) {
    let current = users[0]
    const app = application(() => current)
    const seen = []
    for (current of users)
      seen.push((await app.getTokenCache().getAllAccounts()).map((account) => account.homeAccountId))
    return seen
  },
  async remove({ user }) {
    const cache = application(() => user).getTokenCache()
    const account = await cache.getAccountByHomeId(user)
    if (account) await cache.removeAccount(account)
  },
  async forApp() {
    return (await application('the application').acquireTokenByClientCredential({ scopes: ['api://orders/.default'] }))
      .accessToken
  },
}

process.on('message', ({ id, operation, input }) => {
  operations[operation](input).then(
    (result) => process.send({ id, result }),
    (error) => process.send({ id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())
process.send({ id: 0 })
