/**
 * Applications on MSAL with our cache plugin, in a process of its own: one application object per request, as MSAL advises for a
 * cache with partitions. Token requests go to the endpoint of the parent; everything else MSAL would fetch is given.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { msalCachePlugin } from 'coatcheck/msal'
import { redisStore } from 'coatcheck/redis'

const { REDIS_URL, COATCHECK_KEYS, STORE = '{}', ENDPOINT, MSAL } = process.env
const { ConfidentialClientApplication } = await import(MSAL)
const AUTHORITY = 'https://login.microsoftonline.com/tenant'
const host = 'login.microsoftonline.com'

function pluginOf(partition) {
  return msalCachePlugin({
    store: redisStore({ url: REDIS_URL, ...JSON.parse(STORE) }),
    keys: COATCHECK_KEYS,
    partition,
  })
}

function application(partition, cachePlugin = pluginOf(partition)) {
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
  /** Requests of one user at the same time: an application object for each, and one plugin. */
  async silentTogether({ user, all }) {
    const cachePlugin = pluginOf(user)
    return await Promise.all(
      all.map(async (scopes) => {
        const app = application(user, cachePlugin)
        const account = await app.getTokenCache().getAccountByHomeId(user)
        return (await app.acquireTokenSilent({ account, scopes })).accessToken
      }),
    )
  },
  /** One application object on behalf of all users. The assertion of a user is the name. */
  async onBehalfOf({ users, times, isLoadedFirst = false, isParallel = false, removed = null }) {
    const current = new AsyncLocalStorage()
    const app = application(() => `${current.getStore()}.tenant`)
    const request = (user) =>
      current.run(user, async () => {
        if (isLoadedFirst) await app.getTokenCache().getAllAccounts()
        const result = await app.acquireTokenOnBehalfOf({ oboAssertion: user, scopes: ['api://orders/Read'] })
        return result.accessToken
      })
    const results = []
    for (let i = 0; i < times; i++) {
      if (isParallel) results.push(...(await Promise.all(users.map(request))))
      else for (const user of users) results.push(await request(user))
      if (removed === null || i > 0) continue
      await current.run(removed, async () => {
        const [account] = await app.getTokenCache().getAllAccounts()
        await app.getTokenCache().removeAccount(account)
      })
    }
    return results
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
