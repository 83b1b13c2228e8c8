/** From MSAL's `DistributedCachePlugin` to `coatcheck/msal` in a rolling deployment. */
import { randomBytes } from 'node:crypto'
import { DistributedCachePlugin, type ICachePlugin } from '@azure/msal-node'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { msalCache } from '../../src/migrate.ts'
import { msalCachePlugin } from '../../src/msal.ts'
import { redisStore } from '../../src/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { msalApplication, type TokenEndpoint } from './msal-application.ts'
import { type AppProcess, rollingDeployment } from './rolling-deployment.ts'

const keys = randomBytes(32).toString('base64')
const SCOPES = ['api://orders/Read']
const endpoint: TokenEndpoint = { requests: 0 }
const keyOf = (home: string): string => `msal:${home}`
let redis: RedisServer

beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(async () => {
  await redis.stop()
})

/** What was written last, by visitor: MSAL's access token is the note. */
const notes = new Map<string, string>()

/** @param pluginOf makes the plugin of one request, as MSAL advises */
function processOn(pluginOf: (home: string | null) => ICachePlugin, close: () => Promise<unknown>): AppProcess<string> {
  const tokenOf = async (home: string, forceRefresh: boolean): Promise<string | null> => {
    const app = msalApplication(pluginOf(home), endpoint)
    const account = (await app.getTokenCache().getAllAccounts()).find((one) => one.homeAccountId === home)
    if (!account) return null
    return (await app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh })).accessToken
  }
  return {
    async signIn(name) {
      const app = msalApplication(pluginOf(null), endpoint)
      const request = { code: name, scopes: SCOPES, redirectUri: 'http://localhost' }
      const { account, accessToken } = await app.acquireTokenByCode(request)
      const home = account?.homeAccountId ?? ''
      notes.set(accessToken, 'new')
      return home
    },
    async noteOf(home) {
      const before = endpoint.requests
      const token = await tokenOf(home, false)
      if (token === null) return null
      // Found in the cache: a token that was lost would have been requested again.
      expect(notes.has(token), `a token requested after ${before} requests`).toBe(true)
      return notes.get(token) ?? null
    },
    async write(home, note) {
      const token = await tokenOf(home, true)
      if (token !== null) notes.set(token, note)
      return token !== null
    },
    async signOut(home) {
      const cache = msalApplication(pluginOf(home), endpoint).getTokenCache()
      const [account] = await cache.getAllAccounts()
      if (account) await cache.removeAccount(account)
    },
    close: async () => {
      await close()
    },
  }
}

it('keeps every account and token, and brings no account back', { timeout: 120_000 }, async () => {
  await rollingDeployment({
    async startOld() {
      const client = createClient({ url: redis.url })
      await client.connect()
      const cache = {
        get: async (key: string) => (await client.get(key)) ?? '',
        set: async (key: string, value: string) => (await client.set(key, value)) ?? '',
      }
      const pluginOf = (home: string | null): ICachePlugin =>
        new DistributedCachePlugin(cache, {
          getKey: () => Promise.resolve(home === null ? '' : keyOf(home)),
          extractKey: ({ homeAccountId }) => Promise.resolve(keyOf(homeAccountId)),
        })
      return processOn(pluginOf, async () => client.close())
    },
    startNew(mode) {
      const store = redisStore({ url: redis.url })
      const migrateFrom = msalCache({ mode, keyOf })
      const made: { close(): Promise<void> }[] = []
      const pluginOf = (home: string | null): ICachePlugin => {
        const plugin = msalCachePlugin({ store, keys, migrateFrom, partition: () => home })
        made.push(plugin)
        return plugin
      }
      // Keeps the connection between requests, as one plugin for all of them would.
      const first = msalCachePlugin({ store, keys, partition: 'none' })
      const ready = first.beforeCacheAccess({
        cacheHasChanged: false,
        tokenCache: { serialize: () => '{}', deserialize: () => undefined },
      })
      made.push(first)
      return ready.then(() =>
        processOn(pluginOf, async () => {
          for (const plugin of made) await plugin.close()
        }),
      )
    },
    async oldKeys() {
      return (await redis.cli('--scan', '--pattern', 'msal:*')).split('\n').filter((name) => name !== '')
    },
  })
})
