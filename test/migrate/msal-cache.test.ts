/** The origin `msalCache` step by step: one value for all users, accounts that were removed, values that are none of MSAL's. */
import { randomBytes } from 'node:crypto'
import type { ICachePlugin } from '@azure/msal-node'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { LATE_MS } from '../../src/migrate/late-removals.ts'
import { msalCache, type MsalCacheOptions } from '../../src/entries/migrate.ts'
import { type CoatcheckMsalPlugin, msalCachePlugin } from '../../src/app/drop-ins/msal.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { msalApplication, type TokenEndpoint } from './msal-application.ts'

const keys = randomBytes(32).toString('base64')
const SCOPES = ['api://orders/Read']
const endpoint: TokenEndpoint = { requests: 0 }
let redis: RedisServer
let client: Awaited<ReturnType<typeof connect>>
let plugins: CoatcheckMsalPlugin[] = []
let outcomes: string[] = []

const connect = async () => createClient({ url: redis.url }).connect()

beforeAll(async () => {
  redis = await startRedisServer()
  client = await connect()
})
beforeEach(async () => {
  await redis.cli('flushall')
  outcomes = []
})
afterEach(async () => {
  for (const plugin of plugins) await plugin.close()
  plugins = []
})
afterAll(async () => {
  await client.close()
  await redis.stop()
})

/** The plugin that applications write by hand: one value for all users. */
const oldPlugin: ICachePlugin = {
  async beforeCacheAccess({ tokenCache }) {
    tokenCache.deserialize((await client.get('msal')) ?? '')
  },
  async afterCacheAccess({ cacheHasChanged, tokenCache }) {
    if (cacheHasChanged) await client.set('msal', tokenCache.serialize())
  },
}
const newPlugin = (home: string, options: Partial<MsalCacheOptions>): CoatcheckMsalPlugin => {
  const migrateFrom = msalCache({ keyOf: () => 'msal', layout: 'shared', ...options })
  const plugin = msalCachePlugin({ store: redisStore({ url: redis.url }), keys, partition: () => home, migrateFrom })
  plugin.events.on('migration.read', ({ outcome }) => outcomes.push(outcome))
  plugins.push(plugin)
  return plugin
}
const signIn = async (plugin: ICachePlugin, code: string) => {
  const app = msalApplication(plugin, endpoint)
  return (await app.acquireTokenByCode({ code, scopes: SCOPES, redirectUri: 'http://localhost' })).accessToken
}
const tokenOf = async (plugin: ICachePlugin, home: string, forceRefresh = false): Promise<string | null> => {
  const app = msalApplication(plugin, endpoint)
  const account = (await app.getTokenCache().getAllAccounts()).find((one) => one.homeAccountId === home)
  return account ? (await app.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh })).accessToken : null
}
const remove = async (plugin: ICachePlugin, home: string): Promise<void> => {
  const cache = msalApplication(plugin, endpoint).getTokenCache()
  const account = (await cache.getAllAccounts()).find((one) => one.homeAccountId === home)
  if (account) await cache.removeAccount(account)
}

it('reads one value for all users user by user, keeps the others when it writes, and counts no own write', async () => {
  const [ada, grace] = [await signIn(oldPlugin, 'ada'), await signIn(oldPlugin, 'grace')]
  const plugin = newPlugin('ada.tenant', {})
  expect(await tokenOf(plugin, 'ada.tenant')).toBe(ada)
  expect(await tokenOf(plugin, 'grace.tenant')).toBeNull()
  const renewed = await tokenOf(plugin, 'ada.tenant', true)
  expect(renewed).not.toBe(ada)
  expect(await tokenOf(oldPlugin, 'ada.tenant')).toBe(renewed)
  expect(await tokenOf(oldPlugin, 'grace.tenant')).toBe(grace)
  await remove(plugin, 'ada.tenant')
  expect(await tokenOf(oldPlugin, 'ada.tenant')).toBeNull()
  expect(await tokenOf(oldPlugin, 'grace.tenant')).toBe(grace)
  // `synced` would mean that an old process had changed the value.
  expect(new Set(outcomes)).toEqual(new Set(['unchanged']))
})

it('takes each user out of one value for all, and deletes it with the last', async () => {
  const [ada, grace] = [await signIn(oldPlugin, 'ada'), await signIn(oldPlugin, 'grace')]
  await client.pExpire('msal', 3_600_000)
  const plugin = newPlugin('ada.tenant', { mode: 'move' })
  const found = await Promise.all([
    tokenOf(plugin, 'ada.tenant'),
    tokenOf(newPlugin('ada.tenant', { mode: 'move' }), 'ada.tenant'),
  ])
  expect(found).toEqual([ada, ada])
  expect(await client.get('msal')).not.toContain('ada.tenant')
  const [name = ''] = (await client.keys('*')).filter((one) => one !== 'msal')
  expect(await client.pTTL(name)).toBeLessThanOrEqual(3_600_000)
  expect(await tokenOf(newPlugin('grace.tenant', { mode: 'move' }), 'grace.tenant')).toBe(grace)
  expect(await client.exists('msal')).toBe(0)
  await remove(plugin, 'ada.tenant')
  expect(await tokenOf(plugin, 'ada.tenant')).toBeNull()
})

it(
  'removes an account again that an old process brought back, and not one that signed in again',
  { timeout: 20_000 },
  async () => {
    await signIn(oldPlugin, 'ada')
    const before = (await client.get('msal')) ?? ''
    const plugin = newPlugin('ada.tenant', {})
    await remove(plugin, 'ada.tenant')
    await client.set('msal', before)
    await expect.poll(async () => (await client.get('msal'))?.includes('ada.tenant'), { timeout: 12_000 }).toBe(false)
    await signIn(oldPlugin, 'ada')
    await remove(plugin, 'ada.tenant')
    const again = await signIn(oldPlugin, 'ada')
    const start = Date.now()
    await expect.poll(() => Date.now() - start, { timeout: 12_000 }).toBeGreaterThan(6000)
    expect(await tokenOf(oldPlugin, 'ada.tenant')).toBe(again)
  },
)

it('in read, an account that an old process writes back after the second removal counts as a new sign-in', async () => {
  const ada = await signIn(oldPlugin, 'ada')
  const before = (await client.get('msal')) ?? ''
  const plugin = newPlugin('ada.tenant', {})
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    await remove(plugin, 'ada.tenant')
    vi.advanceTimersByTime(LATE_MS)
  } finally {
    vi.useRealTimers()
  }
  // Answered behind the second removal, which was sent first.
  expect(await tokenOf(plugin, 'ada.tenant')).toBeNull()
  await client.set('msal', before)
  expect(await tokenOf(plugin, 'ada.tenant')).toBe(ada)
})

it('leaves a value alone that is no cache of MSAL, and counts it', async () => {
  await client.set('msal', '{"of":"another library"}')
  for (const mode of ['read', 'move'] as const) {
    expect(await tokenOf(newPlugin('ada.tenant', { mode }), 'ada.tenant')).toBeNull()
  }
  expect(await client.get('msal')).toBe('{"of":"another library"}')
  expect(outcomes).toContain('unreadable')
})

it.each(['read', 'move'] as const)(
  'in %s, a key of another type stays, and Coatcheck stores the account',
  async (mode) => {
    await client.hSet('msal', 'of', 'another application')
    const plugin = newPlugin('ada.tenant', { mode })
    expect(await tokenOf(plugin, 'ada.tenant')).toBeNull()
    const ada = await signIn(plugin, 'ada')
    expect(await tokenOf(plugin, 'ada.tenant')).toBe(ada)
    const renewed = await tokenOf(plugin, 'ada.tenant', true)
    expect(await tokenOf(newPlugin('ada.tenant', { mode }), 'ada.tenant')).toBe(renewed)
    await remove(plugin, 'ada.tenant')
    expect(await tokenOf(plugin, 'ada.tenant')).toBeNull()
    expect(await client.hGetAll('msal')).toEqual({ of: 'another application' })
  },
)

it('in read, a change keeps the remaining life of the old key, also a life without end', async () => {
  await signIn(oldPlugin, 'ada')
  const plugin = newPlugin('ada.tenant', {})
  const renewed = await tokenOf(plugin, 'ada.tenant', true)
  expect(await client.pTTL('msal')).toBe(-1)
  await client.pExpire('msal', 3_600_000)
  expect(await tokenOf(plugin, 'ada.tenant', true)).not.toBe(renewed)
  const ttlMs = await client.pTTL('msal')
  expect(ttlMs).toBeGreaterThan(1_800_000)
  expect(ttlMs).toBeLessThanOrEqual(3_600_000)
})

it('in move, a key without an expiry is taken over with the life of other partitions', async () => {
  const ada = await signIn(oldPlugin, 'ada')
  const plugin = newPlugin('ada.tenant', { mode: 'move' })
  expect(await tokenOf(plugin, 'ada.tenant')).toBe(ada)
  expect(await client.exists('msal')).toBe(0)
  const [name = ''] = await client.keys('*')
  expect(await client.pTTL(name)).toBeGreaterThan(86_400_000)
  expect(await tokenOf(plugin, 'ada.tenant')).toBe(ada)
})

it('rejects while Redis does not answer, and reports no empty cache', async () => {
  await signIn(oldPlugin, 'ada')
  const plugin = newPlugin('ada.tenant', {})
  expect(await tokenOf(plugin, 'ada.tenant')).not.toBeNull()
  redis.pause()
  try {
    await expect(tokenOf(plugin, 'ada.tenant')).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
  } finally {
    redis.resume()
  }
})
