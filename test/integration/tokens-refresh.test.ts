/**
 * One refresh over all processes: four of them on one Redis and one provider that counts, on good days and on those of a
 * slow provider, a killed, paused or busy holder.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { startDevProvider } from '../../src/dev/dev-provider.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { expectWithin } from '../lab/limits.ts'
import { observed } from '../lab/report.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { Browser } from '../support/test-app.ts'
import { startTokenEndpoint, type TokenEndpoint } from '../support/token-endpoint.ts'
import { type CallerResult, startTokenProcesses, type TokenProcess } from '../support/token-processes.ts'

let redis: RedisServer
let provider: TokenEndpoint
let processes: TokenProcess[] = []
let round = 0

beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

async function start(): Promise<void> {
  provider = await startTokenEndpoint('strict')
  processes = await startTokenProcesses(4, { redisUrl: redis.url, issuer: provider.issuer })
}
async function end(): Promise<void> {
  await Promise.all(processes.map((one) => one.stop()))
  await provider.close()
}

/** A user whose access token has expired. */
async function expiredUser(): Promise<string> {
  const user = `user-${++round}`
  const tokens = { accessToken: 'old', refreshToken: provider.grant(user), expiresAt: Date.now() - 1000 }
  await processes[0]?.ask('set', { user, tokens })
  return user
}
const everybody = async (user: string, callers: number, options?: object): Promise<CallerResult[]> =>
  (await Promise.all(processes.map((one) => one.ask('get', { user, callers, ...(options && { options }) })))).flat()
const requestsOf = (before: number): number => provider.requests.length - before
const tokensOf = (results: readonly CallerResult[]): Set<string> =>
  new Set(results.map(({ accessToken, code }) => accessToken ?? code ?? ''))
const untilAsked = async (count: number): Promise<void> => {
  while (provider.requests.length < count) await sleep(5)
}

describe('strict rotation', () => {
  beforeAll(start)
  afterAll(end)

  test.each([
    [2, 80],
    [20, 80],
    [200, 40],
  ])('%i callers in each of four processes are one request, %i times', async (callers, rounds) => {
    for (let i = 0; i < rounds; i++) {
      const user = await expiredUser()
      const before = provider.requests.length
      const results = await everybody(user, callers)
      expect(results).toHaveLength(4 * callers)
      expect([...tokensOf(results)]).toEqual([expect.stringMatching(/^access--\d+$/)])
      expect(requestsOf(before)).toBe(1)
      expect(provider.isAlive(user)).toBe(true)
    }
    observed('F18.stampede', `${callers} callers in each of 4 processes, ${rounds} times: 1 request each`)
  })

  test('ten resources asked for by four processes at once: each its own, one request each, the chain intact', async () => {
    for (let i = 0; i < 10; i++) {
      const user = await expiredUser()
      const before = provider.requests.length
      const resources = Array.from({ length: 10 }, (_, n) => `https://api-${n}.example`)
      const all = resources.map(async (resource) => {
        const tokens = tokensOf(await everybody(user, 5, { resource }))
        expect([...tokens]).toEqual([expect.stringMatching(new RegExp(`^access-${resource}-\\d+$`))])
      })
      await Promise.all(all)
      expect(requestsOf(before)).toBe(10)
      expect(new Set(provider.requests.slice(before).map(({ resource }) => resource)).size).toBe(10)
      expect(provider.isAlive(user)).toBe(true)
      const [status] = (await processes[3]?.ask('status', { user })) ?? []
      expect(status?.resources).toHaveLength(10)
      expect(status?.refreshCount).toBe(10)
    }
  })

  test('who waits has its token within 50 ms of the commit in the median, for a bounded number of commands', async () => {
    provider.delayMs = 1500
    const delays: number[] = []
    await redis.cli('config', 'resetstat')
    for (let i = 0; i < 5; i++) {
      const user = await expiredUser()
      const results = await everybody(user, 20)
      const first = Math.min(...results.map(({ atMs }) => atMs))
      delays.push(...results.map(({ atMs }) => atMs - first))
    }
    provider.delayMs = 0
    delays.sort((a, b) => a - b)
    expectWithin(delays[Math.floor(delays.length / 2)] ?? Infinity, 50)
    const stats = await redis.cli('info', 'commandstats')
    const calls = (name: string): number => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
    // Each caller reads once for itself. Beyond that a process waits for all of its callers: a read before, one when it listens,
    // one when it hears, one each second.
    expect(calls('hmget') - 5 * 80).toBeLessThan(5 * 4 * 8)
    expect(calls('subscribe')).toBeLessThanOrEqual(5 * 4)
  })

  test('the signal of one caller frees it alone', async () => {
    provider.delayMs = 300
    const user = await expiredUser()
    const before = provider.requests.length
    const leaving = processes[0]?.ask('get', { user, abortAfterMs: 50 })
    const staying = everybody(user, 3)
    expect(tokensOf((await leaving) ?? [])).toEqual(new Set(['TimeoutError']))
    expect([...tokensOf(await staying)]).toEqual([expect.stringMatching(/^access--\d+$/)])
    provider.delayMs = 0
    expect(requestsOf(before)).toBe(1)
  })
})

describe('the development provider, strict rotation', () => {
  test.each([2, 20, 200])('%i callers in each of four processes are one request, five times', async (callers) => {
    const dev = await startDevProvider({ rotation: 'strict', redirectUris: ['http://localhost:3000/auth/callback'] })
    const { issuer, clientId, clientSecret } = dev
    const keys = randomBytes(32).toString('base64')
    const auth = coatcheck({
      store: redisStore({ url: redis.url }),
      keys,
      baseUrl: 'http://localhost:3000',
      signIn: { userId: () => 'ada' },
      providers: [oidc({ name: 'idp', issuer, clientId, clientSecret })],
    })
    const started = await startTokenProcesses(4, { redisUrl: redis.url, issuer, clientId, clientSecret, keys })
    try {
      const browser = new Browser({ config: { baseUrl: new URL('http://localhost:3000') }, routes: auth.handler })
      expect((await browser.signIn()).status).toBe(303)
      for (let i = 0; i < 5; i++) {
        const stored = await auth.tokens.getUserTokens('ada')
        const expired = { accessToken: 'old', refreshToken: stored?.refreshToken ?? null, expiresAt: Date.now() - 1000 }
        await auth.tokens.setUserTokens('ada', expired)
        const before = dev.counters.count('token', 'refresh_token')
        const results = (await Promise.all(started.map((one) => one.ask('get', { user: 'ada', callers })))).flat()
        expect([...tokensOf(results)]).toEqual([expect.stringMatching(/^eyJ|^[\w-]{20,}$/)])
        expect(dev.counters.count('token', 'refresh_token') - before).toBe(1)
      }
    } finally {
      await Promise.all(started.map((one) => one.stop()))
      await auth.close()
      await dev.close()
    }
  })
})

describe('a bad day of the holder', () => {
  beforeEach(start)
  afterEach(end)

  /** Which process asked, by what it says it did. */
  const others = (holder: TokenProcess): TokenProcess[] => processes.filter((one) => one !== holder)

  test('a provider that takes 12 s, twice the lease, is one request', { timeout: 120_000 }, async () => {
    provider.delayMs = 12_000
    const user = await expiredUser()
    const results = await everybody(user, 5)
    expect([...tokensOf(results)]).toEqual([expect.stringMatching(/^access--\d+$/)])
    expect(provider.requests).toHaveLength(1)
    expect(provider.isAlive(user)).toBe(true)
  })

  test(
    'killed while it asks: another takes over within the lease; at most two requests',
    { timeout: 120_000 },
    async () => {
      provider.delayMs = 3000
      const user = await expiredUser()
      const [holder] = processes as [TokenProcess]
      const lost = holder.ask('get', { user }).catch(() => [])
      // The request never reaches its end: what it would have rotated stays as it was.
      provider.faults.push({ cut: 'before' })
      await untilAsked(1)
      holder.signal('SIGKILL')
      await lost
      const killedAtMs = Date.now()
      provider.delayMs = 0
      const results = (await Promise.all(others(holder).map((one) => one.ask('get', { user, callers: 5 })))).flat()
      expect([...tokensOf(results)]).toEqual([expect.stringMatching(/^access--\d+$/)])
      expectWithin(Date.now() - killedAtMs, 8000)
      expect(provider.requests.length).toBeLessThanOrEqual(2)
      expect(provider.isAlive(user)).toBe(true)
      observed('F19.killed', `${provider.requests.length} requests in all, 0 sign-ins lost`)
    },
  )

  test('blocked for two seconds: no second request', { timeout: 120_000 }, async () => {
    provider.delayMs = 1000
    const user = await expiredUser()
    const [holder] = processes as [TokenProcess]
    const first = holder.ask('get', { user })
    await untilAsked(1)
    void holder.ask('block', { forMs: 2500 })
    const results = (await Promise.all(others(holder).map((one) => one.ask('get', { user, callers: 5 })))).flat()
    expect(tokensOf([...results, ...(await first)]).size).toBe(1)
    expect(provider.requests).toHaveLength(1)
    observed('F28.lease', 'blocked for 2,500 ms: 1 request')
  })
})

describe('a holder that is paused past its lease', () => {
  beforeEach(async () => {
    // Lenient, because otherwise a refused commit cannot be distinguished from a dead grant.
    provider = await startTokenEndpoint('lenient')
    processes = await startTokenProcesses(4, { redisUrl: redis.url, issuer: provider.issuer })
  })
  afterEach(end)

  test('is refused when it wakes, and nobody sees its token', { timeout: 120_000 }, async () => {
    provider.delayMs = 500
    const user = await expiredUser()
    const [holder, other] = processes as [TokenProcess, TokenProcess]
    const sleeper = holder.ask('get', { user })
    await untilAsked(1)
    holder.signal('SIGSTOP')
    await sleep(8500)
    const [taken] = await other.ask('get', { user })
    expect(provider.requests).toHaveLength(2)
    holder.signal('SIGCONT')
    const [late] = await sleeper
    expect(late?.accessToken).toBe(taken?.accessToken)
    const stored = await other.ask('stored', { user })
    expect(stored?.accessToken).toBe(taken?.accessToken)
    const events = await holder.ask('events', {})
    expect(events.map(({ name, outcome }) => `${name} ${outcome ?? ''}`)).toContain('token.refresh-failed refused')
    observed('F20.paused', 'stopped for 8,500 ms: refused, 0 callers got its token')
  })
})
