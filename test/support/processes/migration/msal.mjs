/**
 * MSAL Node on its `DistributedCachePlugin` or on ours: an application object for each request, as MSAL advises. The cookie names the account.
 * An access token carries what was written last, so a token that was lost shows as a request for another one.
 */
import { ConfidentialClientApplication, DistributedCachePlugin } from '@azure/msal-node'
import { createClient } from 'redis'
import { handlerOf, ours } from './parts.mjs'

const HOST = 'login.microsoftonline.com'
const AUTHORITY = `https://${HOST}/tenant`
const SCOPES = ['api://orders/Read']
const keyOf = (home) => `msal:${home}`

export async function open({ build, url, keys, maxAge }) {
  const { pluginOf, close } = build === 'old' ? await oldPlugins(url, maxAge) : await newPlugins({ url, keys }, build)
  const homeIn = (cookie) => decodeURIComponent(/home=([^;]*)/.exec(cookie)?.[1] ?? '') || null

  /** @param fields what a new token will carry; absent: no token may be requested */
  const tokenOf = async (home, fields) => {
    const app = application(pluginOf(home), fields)
    const account = (await app.getTokenCache().getAllAccounts()).find((one) => one.homeAccountId === home)
    if (!account) return null
    return app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: fields !== undefined })
  }
  const dataOf = async (home) => (home === null ? null : (await tokenOf(home))?.accessToken)
  return {
    handler: handlerOf({
      async me(cookie) {
        const token = await dataOf(homeIn(cookie))
        return { data: token ? JSON.parse(token) : {} }
      },
      async set(cookie, fields) {
        const home = homeIn(cookie)
        await tokenOf(home, { ...JSON.parse(await dataOf(home)), ...fields })
        return {}
      },
      async signIn(_cookie, { user }) {
        const app = application(pluginOf(null), { user })
        const request = { code: user, scopes: SCOPES, redirectUri: 'http://localhost' }
        const { account } = await app.acquireTokenByCode(request)
        return { cookies: [`home=${encodeURIComponent(account.homeAccountId)}; Path=/`] }
      },
      async signOut(cookie) {
        const home = homeIn(cookie)
        const cache = application(pluginOf(home)).getTokenCache()
        const account = (await cache.getAllAccounts()).find((one) => one.homeAccountId === home)
        if (account) await cache.removeAccount(account)
        return { cookies: ['home=; Path=/; Max-Age=0'] }
      },
    }),
    close,
  }
}

async function oldPlugins(url, lifeMs) {
  const client = await createClient({ url }).connect()
  const cache = {
    get: async (key) => (await client.get(key)) ?? '',
    set: async (key, value) => (await client.set(key, value, { PX: lifeMs })) ?? '',
  }
  const pluginOf = (home) =>
    new DistributedCachePlugin(cache, {
      getKey: async () => (home === null ? '' : keyOf(home)),
      extractKey: async ({ homeAccountId }) => keyOf(homeAccountId),
    })
  return { pluginOf, close: () => client.close() }
}

async function newPlugins(server, mode) {
  const { msalCache } = await import('coatcheck/migrate')
  const { msalCachePlugin } = await import('coatcheck/msal')
  const options = await ours(server)
  const migrateFrom = msalCache({ mode, keyOf })
  const made = []
  const pluginOf = (home) => {
    const plugin = msalCachePlugin({ ...options, migrateFrom, partition: () => home })
    made.push(plugin)
    return plugin
  }
  return { pluginOf, close: () => Promise.all(made.map((plugin) => plugin.close())) }
}

/** @param fields what the tokens carry that the endpoint gives out; absent: it gives none */
function application(cachePlugin, fields) {
  return new ConfidentialClientApplication({
    auth: {
      ...{ clientId: 'app', clientSecret: 'secret', authority: AUTHORITY },
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
        async sendPostRequestAsync() {
          if (fields === undefined) throw new Error('a token was requested, so the cached one was lost')
          return { headers: {}, status: 200, body: tokensWith(fields) }
        },
      },
    },
  })
}

function tokensWith(fields) {
  const { user } = fields
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const idToken = { iss: `${AUTHORITY}/v2.0`, aud: 'app', sub: user, oid: user, tid: 'tenant' }
  return {
    ...{ token_type: 'Bearer', expires_in: 7200, ext_expires_in: 7200, scope: SCOPES.join(' ') },
    ...{ access_token: JSON.stringify(fields), refresh_token: `refresh-${Date.now()}.${user}` },
    client_info: part({ uid: user, utid: 'tenant' }),
    id_token: `${part({ alg: 'none' })}.${part({ ...idToken, preferred_username: user, iat: now, exp: now + 7200 })}.`,
  }
}
