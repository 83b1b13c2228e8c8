/**
 * The takeover of an MSAL cache, cut at each of its steps: the process stops, or the store refuses the step, or its reply is lost. The next
 * access finishes it: no account is lost, the old value keeps no entry of the user, and an account that is removed stays removed.
 */
import { randomBytes } from 'node:crypto'
import type { ICachePlugin } from '@azure/msal-node'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type CoatcheckMsalPlugin, msalCachePlugin } from '../../src/app/drop-ins/msal.ts'
import { msalCache } from '../../src/entries/migrate.ts'
import { Steps } from './dual-read-world.ts'
import { msalApplication, type TokenEndpoint } from './msal-application.ts'
import { steppedStore } from './stepped-store.ts'
import { testRedis } from './test-redis.ts'

type Layout = 'user' | 'shared'

const SCOPES = ['api://orders/Read']
const keys = randomBytes(32).toString('base64')
const endpoint: TokenEndpoint = { requests: 0 }
const redis = testRedis()
afterEach(() => void vi.useRealTimers())

const keyOf = (layout: Layout, home: string): string => (layout === 'user' ? `msal:${home}` : 'msal')

/** The plugin that applications write by hand. */
const oldPlugin = (key: string): ICachePlugin => ({
  async beforeCacheAccess({ tokenCache }) {
    tokenCache.deserialize((await redis.client.get(key)) ?? '')
  },
  async afterCacheAccess({ cacheHasChanged, tokenCache }) {
    if (cacheHasChanged) await redis.client.set(key, tokenCache.serialize())
  },
})

/** A process in mode `move`. Each of its calls of a driver is a step. */
function process(layout: Layout, home: string, steps = new Steps()): CoatcheckMsalPlugin {
  const plugin = msalCachePlugin({
    ...{ keys, partition: () => home },
    migrateFrom: msalCache({ mode: 'move', layout, keyOf: (one) => keyOf(layout, one) }),
    store: steppedStore(redis.url, steps),
  })
  return redis.closing(plugin)
}

const signIn = async (plugin: ICachePlugin, code: string): Promise<string> => {
  const app = msalApplication(plugin, endpoint)
  return (await app.acquireTokenByCode({ code, scopes: SCOPES, redirectUri: 'http://localhost' })).accessToken
}
const accountOf = async (plugin: ICachePlugin, home: string) => {
  const cache = msalApplication(plugin, endpoint).getTokenCache()
  const account = (await cache.getAllAccounts()).find((one) => one.homeAccountId === home)
  return account && { account, cache }
}
const tokenOf = async (plugin: ICachePlugin, home: string): Promise<string | null> => {
  const found = await accountOf(plugin, home)
  if (!found) return null
  return (await msalApplication(plugin, endpoint).acquireTokenSilent({ account: found.account, scopes: SCOPES }))
    .accessToken
}
const remove = async (plugin: ICachePlugin, home: string): Promise<void> => {
  const found = await accountOf(plugin, home)
  await found?.cache.removeAccount(found.account)
}

const cuts: readonly (readonly [string, (steps: Steps, step: number) => void])[] = [
  ['the process stops', (steps, step) => steps.stop(step)],
  ['the store refuses a step', (steps, step) => steps.lose(step, false)],
  ['a reply is lost', (steps, step) => steps.lose(step, true)],
]

describe.each(['user', 'shared'] as const)('layout %s', (layout) => {
  const home = 'ada.tenant'
  const key = keyOf(layout, home)
  const other = keyOf(layout, 'grace.tenant')

  /** Cuts a takeover at each step in turn. */
  const atEachStep = async (
    cut: (steps: Steps, step: number) => void,
    check: (tokens: { readonly ada: string; readonly grace: string }, step: number) => Promise<void>,
  ): Promise<void> => {
    const steps = new Steps()
    const cutting = process(layout, home, steps)
    for (let step = 1; ; step++) {
      await redis.client.flushAll()
      const tokens = { ada: await signIn(oldPlugin(key), 'ada'), grace: await signIn(oldPlugin(other), 'grace') }
      cut(steps, step)
      // A read of all accounts takes the partition over, and writes nothing else.
      const isCut = await accountOf(cutting, home).then(
        () => false,
        () => true,
      )
      await check(tokens, step)
      if (isCut) continue
      expect(step).toBeGreaterThan(3)
      return
    }
  }

  it.each(cuts)('the next access finishes the takeover: %s', async (_name, cut) => {
    await atEachStep(cut, async ({ ada, grace }, step) => {
      const next = process(layout, home)
      expect(await tokenOf(next, home), `step ${step}`).toBe(ada)
      expect((await redis.client.get(key)) ?? '', `step ${step}`).not.toContain(home)
      expect(await tokenOf(process(layout, home), home), `step ${step}`).toBe(ada)
      expect(await tokenOf(process(layout, 'grace.tenant'), 'grace.tenant'), `step ${step}`).toBe(grace)
      await next.close()
    })
  })

  it.each(cuts)('an account that is removed then stays removed: %s', async (_name, cut) => {
    await atEachStep(cut, async ({ grace }, step) => {
      await remove(process(layout, home), home)
      expect((await redis.client.get(key)) ?? '', `step ${step}`).not.toContain(home)
      expect(await tokenOf(process(layout, home), home), `step ${step}`).toBeNull()
      expect(await tokenOf(process(layout, 'grace.tenant'), 'grace.tenant'), `step ${step}`).toBe(grace)
    })
  })

  /** An account that a process in mode `move` took over, and a newer sign-in under the old key, for one more hour. */
  const rolledBack = async (): Promise<string> => {
    await redis.client.flushAll()
    await signIn(oldPlugin(key), 'ada')
    expect(await tokenOf(process(layout, home), home)).not.toBeNull()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2000 })
    const newest = await signIn(oldPlugin(key), 'ada')
    await redis.client.expire(key, 3600)
    return newest
  }

  it('after a rollback, the second takeover keeps the sign-in that an old process stored meanwhile', async () => {
    const newest = await rolledBack()
    const refreshToken = `refresh-${newest.split(' ')[1]}.ada`
    for (const plugin of [process(layout, home), process(layout, home)]) {
      expect(await tokenOf(plugin, home)).toBe(newest)
      expect((await accountOf(plugin, home))?.cache.serialize()).toContain(refreshToken)
      expect((await redis.client.get(key)) ?? '').not.toContain(home)
    }
  })

  it('after a rollback, the second takeover keeps the account no longer than the old key', async () => {
    await rolledBack()
    expect((await accountOf(process(layout, home), home))?.account.homeAccountId).toBe(home)
    const lives = await Promise.all((await redis.client.keys('user:*:tokens')).map((name) => redis.client.pTTL(name)))
    expect(lives).toHaveLength(1)
    expect(lives[0]).toBeGreaterThan(3_000_000)
    expect(lives[0]).toBeLessThanOrEqual(3_600_000)
  })

  it('an account that another process removes during the second takeover stays removed', async () => {
    const steps = new Steps()
    for (let step = 1; ; step++) {
      await rolledBack()
      const slow = process(layout, home, steps)
      const { arrived, go } = steps.hold(step)
      const access = accountOf(slow, home)
      const isHeld = await Promise.race([arrived.then(() => true), access.then(() => false)])
      if (isHeld) await remove(process(layout, home), home)
      go()
      await access
      if (!isHeld) break
      expect((await accountOf(process(layout, home), home))?.account.homeAccountId, `step ${step}`).toBeUndefined()
      expect((await redis.client.get(key)) ?? '', `step ${step}`).not.toContain(home)
      vi.useRealTimers()
    }
    expect(steps.count).toBeGreaterThan(3)
  })

  it('a process that was slower than the one that finished its takeover takes no account away', async () => {
    const steps = new Steps()
    const slow = process(layout, home, steps)
    for (let step = 1; ; step++) {
      await redis.client.flushAll()
      const ada = await signIn(oldPlugin(key), 'ada')
      const { arrived, go } = steps.hold(step)
      const access = accountOf(slow, home).then((found) => found?.account.homeAccountId)
      const isHeld = await Promise.race([arrived.then(() => true), access.then(() => false)])
      if (isHeld) expect(await tokenOf(process(layout, home), home), `step ${step}`).toBe(ada)
      go()
      expect(await access, `step ${step}`).toBe(home)
      expect(await tokenOf(process(layout, home), home), `step ${step}`).toBe(ada)
      if (isHeld) continue
      expect(step).toBeGreaterThan(3)
      return
    }
  })
})
