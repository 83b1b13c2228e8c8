/** `coatcheck/better-auth` under better-auth on its memory adapter: sign-in, lists, ends, races, limits. */
import { randomBytes } from 'node:crypto'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CoatcheckSecondaryStorage, secondaryStorage } from '../../src/app/drop-ins/better-auth.ts'
import { betterAuthStorage } from '../../src/entries/migrate.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const ORIGIN = 'http://localhost:3000'

describe.each([
  ['without an origin', null],
  ['while old processes run', 'read'],
  ['when no old process is left', 'move'],
] as const)('better-auth %s', (_title, mode) => {
  let redis: RedisServer
  let storage: CoatcheckSecondaryStorage
  let handle: (request: Request) => Promise<Response>

  beforeAll(async () => {
    redis = await startRedisServer()
    storage = secondaryStorage({
      store: redisStore({ url: redis.url }),
      keys: randomBytes(32).toString('base64'),
      ...(mode && { migrateFrom: betterAuthStorage({ mode }) }),
    })
    const auth = betterAuth({
      baseURL: ORIGIN,
      secret: 'a secret of the test, long enough to be one',
      database: memoryAdapter({ user: [], account: [], session: [], verification: [] }),
      secondaryStorage: storage,
      emailAndPassword: {
        enabled: true,
        password: { hash: async (text) => text, verify: async ({ hash, password }) => hash === password },
      },
      rateLimit: { enabled: false },
      logger: { disabled: true },
      telemetry: { enabled: false },
    })
    handle = (request) => auth.handler(request)
  })
  afterAll(async () => {
    await storage.close()
    await redis.stop()
  })

  function visitor() {
    let cookie = ''
    return {
      cookieOf: () => cookie,
      async send(method: string, path: string, body?: object): Promise<{ status: number; data: unknown }> {
        const headers = { origin: ORIGIN, cookie, ...(body && { 'content-type': 'application/json' }) }
        const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
        const response = await handle(new Request(`${ORIGIN}/api/auth${path}`, init))
        const pairs = response.headers.getSetCookie().map((line) => line.split(';')[0] ?? '')
        if (pairs.length > 0) cookie = pairs.filter((pair) => !pair.endsWith('=')).join('; ')
        return { status: response.status, data: (await response.json().catch(() => null)) as unknown }
      },
    }
  }
  const account = (email: string) => ({ email, password: 'a password of the test' })
  const signUp = async (email: string) => {
    const someone = visitor()
    expect((await someone.send('POST', '/sign-up/email', { ...account(email), name: email })).status).toBe(200)
    return someone
  }
  const signIn = async (email: string) => {
    const someone = visitor()
    expect((await someone.send('POST', '/sign-in/email', account(email))).status).toBe(200)
    return someone
  }
  const isIn = async (one: ReturnType<typeof visitor>) => (await one.send('GET', '/get-session')).data !== null
  const tokenOf = (one: ReturnType<typeof visitor>): string =>
    decodeURIComponent(/session_token=([^;]+)/.exec(one.cookieOf())?.[1] ?? '').split('.')[0] ?? ''

  it('signs up, in and out', async () => {
    const ada = await signUp('ada@example.test')
    expect((await ada.send('GET', '/get-session')).data).toMatchObject({ user: { email: 'ada@example.test' } })
    const token = tokenOf(ada)
    expect(await storage.get(token)).toContain('ada@example.test')
    await ada.send('POST', '/sign-out')
    expect(await storage.get(token)).toBeNull()
    expect(await isIn(ada)).toBe(false)
  })

  it('20 sign-ins at once are all in the list, and "revoke other sessions" leaves exactly one', async () => {
    for (let round = 0; round < 10; round++) {
      const email = `user${round}@example.test`
      await signUp(email)
      const all = await Promise.all(Array.from({ length: 20 }, () => signIn(email)))
      const kept = all[round] as ReturnType<typeof visitor>
      expect((await kept.send('GET', '/list-sessions')).data).toHaveLength(21)
      expect((await kept.send('POST', '/revoke-other-sessions')).status).toBe(200)
      const left = await Promise.all(all.map(isIn))
      expect(left.filter(Boolean)).toHaveLength(1)
      expect(left[round]).toBe(true)
    }
  })

  it('a session that was deleted is not stored again by a request that had read it', async () => {
    const grace = await signUp('grace@example.test')
    const token = tokenOf(grace)
    const read = (await storage.get(token)) ?? ''
    await grace.send('POST', '/sign-out')
    await storage.set(token, read, 60)
    expect(await storage.get(token)).toBeNull()
  })

  it('of 20 who get and delete a value one has it; 100 increments count to 100', async () => {
    await storage.set('verification:x', 'value', 60)
    const taken = await Promise.all(Array.from({ length: 20 }, () => storage.getAndDelete('verification:x')))
    expect(taken.filter((one) => one !== null)).toEqual(['value'])
    const counts = await Promise.all(Array.from({ length: 100 }, () => storage.increment('rate:x', 60)))
    expect(Math.max(...counts)).toBe(100)
    expect(new Set(counts).size).toBe(100)
    expect(await storage.get('rate:x')).toBe('100')
    await storage.delete('rate:x')
    expect(await storage.increment('rate:x', 60)).toBe(1)
  })

  it('the limits that docs/better-auth.md states: values are whole texts, and an expired one may be stored again', async () => {
    const token = 'T'.repeat(32)
    const session = (field: object) =>
      JSON.stringify({ session: { token, userId: 'u', expiresAt: Date.now() + 60_000, ...field } })
    await storage.set(token, session({}), 60)
    await Promise.all([storage.set(token, session({ a: 1 }), 60), storage.set(token, session({ b: 1 }), 60)])
    const stored = (await storage.get(token)) ?? ''
    expect([stored.includes('"a"'), stored.includes('"b"')].filter(Boolean)).toHaveLength(1)
    await storage.set(token, session({}), 0)
    expect(await storage.get(token)).toBeNull()
    await storage.set(token, session({}), 60)
    expect(await storage.get(token)).not.toBeNull()
    await storage.delete(token)
  })

  it.skipIf(mode === 'read')('values live for their seconds, or until they are deleted', async () => {
    await storage.set('short', 'x', 30)
    await storage.set('long', 'x')
    await storage.set('over', 'x', 0)
    expect([await storage.get('short'), await storage.get('long'), await storage.get('over')]).toEqual(['x', 'x', null])
    const lives = await Promise.all(
      (await redis.cli('--scan', '--pattern', 'host:better-auth:*'))
        .split('\n')
        .map(async (key) => Number(await redis.cli('pttl', key))),
    )
    expect(lives.filter((life) => life === -1)).toHaveLength(1)
    expect(lives.filter((life) => life > 5000 && life <= 30_000)).toHaveLength(1)
  })

  it.skipIf(mode === 'read')('neither tokens nor addresses can be read in Redis', async () => {
    const canary = await signUp('canary@example.test')
    const names = await redis.cli('--scan')
    expect(names).not.toContain(tokenOf(canary))
    for (const name of names.split('\n').filter((key) => key.startsWith('host:'))) {
      const value = await redis.cli('--no-raw', 'get', name)
      expect(value).not.toContain('canary@example.test')
      expect(value).not.toContain(tokenOf(canary))
    }
  })
})
