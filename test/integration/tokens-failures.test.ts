/**
 * What a provider or Redis does wrong while tokens are refreshed, with several processes: everybody learns of it, nobody asks
 * in vain, and no grant is lost that still lives.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { inMs, observed } from '../lab/report.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startTokenEndpoint, type TokenEndpoint } from '../support/token-endpoint.ts'
import { type CallerResult, startTokenProcesses, type TokenProcess } from '../support/token-processes.ts'
import { HANG_MS } from '../lab/limits.ts'

const UNAVAILABLE = 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE'

let redis: RedisServer
let provider: TokenEndpoint
let processes: TokenProcess[] = []
let round = 0

beforeAll(async () => {
  redis = await startRedisServer({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
})
afterAll(() => redis.stop())
afterEach(async () => {
  await Promise.all(processes.map((one) => one.stop()))
  await provider.close()
  // Nobody's pause of the test before.
  await redis.cli('flushall')
})

async function start(rotation: 'strict' | 'lenient'): Promise<void> {
  provider = await startTokenEndpoint(rotation)
  processes = await startTokenProcesses(4, { redisUrl: redis.url, issuer: provider.issuer })
}

async function newUser(lifeMs: number): Promise<string> {
  const user = `user-${++round}`
  const tokens = { accessToken: 'old', refreshToken: provider.grant(user), expiresAt: Date.now() + lifeMs }
  await processes[0]?.ask('set', { user, tokens })
  return user
}
const everybody = async (user: string, callers: number): Promise<CallerResult[]> =>
  (await Promise.all(processes.map((one) => one.ask('get', { user, callers })))).flat()
const outcomes = (results: readonly CallerResult[]): string[] => [
  ...new Set(results.map(({ accessToken, code }) => code ?? accessToken ?? '')),
]

test(
  '429 with Retry-After 7: one request in 7 s over four processes; who has a valid token notices nothing',
  {
    timeout: 120_000,
  },
  async () => {
    await start('strict')
    const expired = await newUser(-1000)
    const valid = await newUser(25_000)
    provider.faults.push({ status: 429, headers: { 'retry-after': '7' }, body: '{}' })
    expect(outcomes(await everybody(expired, 10))).toEqual([UNAVAILABLE])
    const pausedAtMs = provider.requests[0]?.atMs ?? 0
    while (Date.now() < pausedAtMs + 6500) {
      expect(outcomes(await everybody(expired, 5))).toEqual([UNAVAILABLE])
      expect(outcomes(await everybody(valid, 5))).toEqual(['old'])
      await sleep(200)
    }
    expect(provider.requests).toHaveLength(1)
    await sleep(pausedAtMs + 7300 - Date.now())
    expect(outcomes(await everybody(expired, 10))).toEqual([expect.stringMatching(/^access-/)])
    expect(provider.isAlive(expired)).toBe(true)
    const nextMs = (provider.requests[1]?.atMs ?? 0) - pausedAtMs
    observed('F21.retry-after', `Retry-After 7: the next request after ${inMs(nextMs)}, 0 signed out`)
  },
)

describe.each(['strict', 'lenient'] as const)('%s rotation', (rotation) => {
  test('503 with HTML is temporary: bounded requests, the grant lives and is used when the provider is back', async () => {
    await start(rotation)
    const user = await newUser(-1000)
    for (let i = 0; i < 3; i++) provider.faults.push({ status: 503, body: '<html>Service Unavailable</html>' })
    expect(outcomes(await everybody(user, 20))).toEqual([UNAVAILABLE])
    expect(provider.requests.length).toBeLessThanOrEqual(1)
    const end = Date.now() + HANG_MS
    let last = [UNAVAILABLE]
    // A process trusts a known failure that it has read for 250 ms.
    while (last.includes(UNAVAILABLE) && Date.now() < end) {
      await sleep(100)
      last = outcomes(await everybody(user, 5))
    }
    expect(last).toEqual([expect.stringMatching(/^access-/)])
    expect(provider.requests).toHaveLength(4)
    expect(provider.isAlive(user)).toBe(true)
    observed('F21.unavailable', `${rotation}: three times 503 and 0 signed out, ${provider.requests.length} requests`)
  })

  test('a connection that is reset before anything happened is tried once more', async () => {
    await start(rotation)
    const user = await newUser(-1000)
    provider.faults.push({ cut: 'before' })
    expect(outcomes(await everybody(user, 20))).toEqual([expect.stringMatching(/^access-/)])
    expect(provider.requests.map(({ answered }) => answered)).toEqual(['fault', 'tokens'])
    const events = (await Promise.all(processes.map((one) => one.ask('events', {})))).flat()
    expect(events.map(({ name }) => name)).toContain('token.refresh-repeated')
    observed('F21.reset', `${rotation}: 1 repetition, 0 signed out`)
  })

  test(
    'redis is killed between answer and commit and back after 10 s: the new grant is saved, the next process uses it',
    {
      timeout: 120_000,
    },
    async () => {
      await start(rotation)
      const user = await newUser(-1000)
      provider.delayMs = 700
      const asked = processes[0]?.ask('get', { user, callers: 5 })
      while (provider.requests.length === 0) await sleep(5)
      await sleep(200)
      await redis.kill()
      expect(outcomes((await asked) ?? [])).toEqual([expect.stringMatching(/^access-/)])
      provider.delayMs = 0
      // Longer than the lease: only the rule for the time after an outage keeps others from taking it over.
      await sleep(9500)
      await redis.restart()
      // At once, from a process that knows nothing: it waits for the old holder and asks nobody.
      const next = await untilAnswered(processes[1], user)
      expect(outcomes(next)).toEqual(outcomes((await asked) ?? []))
      const saved = await processes[1]?.ask('stored', { user })
      expect(saved?.refreshToken).toMatch(/^refresh-\d+$/)
      expect(provider.requests).toHaveLength(1)
      expect(provider.isAlive(user)).toBe(true)
      const events = (await processes[0]?.ask('events', {})) ?? []
      expect(events.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['token.grant-kept', 'token.grant-saved']) as string[],
      )
    },
  )
})

test('an answer that is lost after a lenient rotation is got by the repetition; nobody is signed out', async () => {
  await start('lenient')
  const user = await newUser(-1000)
  provider.faults.push({ cut: 'after' })
  expect(outcomes(await everybody(user, 20))).toEqual([expect.stringMatching(/^access-/)])
  expect(provider.requests).toHaveLength(2)
  expect(provider.isAlive(user)).toBe(true)
})

test('an answer that is lost after a strict rotation has cost the grant: everybody hears that the user has to sign in', async () => {
  await start('strict')
  const user = await newUser(-1000)
  provider.faults.push({ cut: 'after' })
  expect(outcomes(await everybody(user, 20))).toEqual(['COATCHECK_REAUTH_REQUIRED'])
  expect(provider.isAlive(user)).toBe(false)
  expect(provider.requests).toHaveLength(2)
  expect(await processes[2]?.ask('stored', { user })).toBeNull()
})

/** A Redis that has just come back is not reached by everybody in the same moment. */
async function untilAnswered(one: TokenProcess | undefined, user: string): Promise<CallerResult[]> {
  const end = Date.now() + HANG_MS
  for (;;) {
    const results = (await one?.ask('get', { user })) ?? []
    const isAway = results.some(({ code }) => code?.startsWith('COATCHECK_REDIS_'))
    if (!isAway || Date.now() > end) return results
    await sleep(50)
  }
}
