/**
 * Sessions of express-session, @fastify/session and koa-session with our store: their own applications, real Redis. Each of
 * these cases fails with the store that the library is usually run with.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { sendRaw } from '../../src/testing/raw-http.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { type LibraryApp, type MakeLibraryApp, onExpress, onFastify, onKoa } from './session-libraries.ts'

const ROUNDS = 100

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer({ args: ['--rdbcompression', 'no'] })
})
afterAll(() => redis.stop())

describe.each<[string, MakeLibraryApp, object]>([
  ['express-session', onExpress, {}],
  ['express-session, resave and rolling', onExpress, { resave: true, rolling: true }],
  ['@fastify/session', onFastify, {}],
  ['@fastify/session, not rolling', onFastify, { rolling: false }],
  ['koa-session', onKoa, {}],
  ['koa-session, rolling', onKoa, { rolling: true }],
])('%s', (_name, make, variant) => {
  let app: LibraryApp
  let origin: string
  let waiting: (() => void)[]
  let arrived: () => void

  beforeAll(async () => {
    waiting = []
    const gate = {
      pass: () =>
        new Promise<void>((go) => {
          waiting.push(go)
          arrived()
        }),
    }
    const keys = randomBytes(32).toString('base64')
    const userId = (data: Readonly<Record<string, unknown>>): string | null =>
      (data['user'] as string | undefined) ?? null
    app = make({ store: redisStore({ url: redis.url }), keys, userId }, gate, variant)
    await app.ready
    app.server.listen(0, '127.0.0.1')
    await once(app.server, 'listening')
    origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    app.server.closeAllConnections()
    app.server.close()
    await app.store.close()
  })
  beforeEach(async () => {
    await redis.cli('flushall')
  })
  afterEach(() => expect(waiting).toEqual([]))

  /** A browser: cookies by name. */
  function visitor() {
    const jar = new Map<string, string>()
    const send = async (method: string, target: string): Promise<{ status: number; data: Record<string, unknown> }> => {
      const header = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const { status, body, setCookies } = await sendRaw(origin, target, {
        method,
        headers: header ? { cookie: header } : {},
      })
      for (const line of setCookies) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name)
        else jar.set(name, value)
      }
      return { status, data: body.startsWith('{') ? (JSON.parse(body) as Record<string, unknown>) : {} }
    }
    return {
      jar,
      get: async (target: string) => (await send('GET', target)).data,
      post: async (target: string) => expect((await send('POST', target)).status).toBe(200),
      sid: () => app.sidOf([...jar.entries()].find(([name]) => !name.endsWith('.sig'))?.[1] ?? ''),
    }
  }
  const signedIn = async (user: string) => {
    const someone = visitor()
    await someone.post(`/sign-in?user=${user}`)
    return someone
  }
  const copyOf = (someone: ReturnType<typeof visitor>) => {
    const copy = visitor()
    for (const [name, value] of someone.jar) copy.jar.set(name, value)
    return copy
  }
  const recordKeys = async (): Promise<string[]> =>
    (await redis.cli('--scan', '--pattern', `host:${app.kind}:*`)).split('\n').filter((key) => key !== '')

  it('signs in, keeps data, signs out', async () => {
    const someone = await signedIn('ada')
    await someone.post('/set?key=a')
    expect(await someone.get('/me')).toEqual({ user: 'ada', a: 1 })
    const thief = copyOf(someone)
    await someone.post('/sign-out')
    expect(await thief.get('/me')).toEqual({})
  })

  it('8 parallel requests that write 8 keys: 8 of 8, every time', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const someone = await signedIn(`user${round}`)
      await Promise.all(Array.from({ length: 8 }, (_, index) => copyOf(someone).post(`/set?key=k${index}`)))
      expect(Object.keys(await someone.get('/me'))).toHaveLength(9)
    }
  })

  it('a request that ends after sign-out brings nobody back, every time', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const someone = await signedIn('ada')
      const slow = copyOf(someone)
      const thief = copyOf(someone)
      const isThere = new Promise<void>((resolve) => (arrived = resolve))
      const request = slow.post('/set?key=late&slow')
      await isThere
      await someone.post('/sign-out')
      waiting.pop()?.()
      await request
      expect(await thief.get('/me')).toEqual({})
      expect(await slow.get('/me')).not.toHaveProperty('user')
    }
    expect(await app.store.listByUser('ada')).toEqual([])
  })

  it('20 sign-ins at once and the end of all others: exactly one is left', async () => {
    for (let round = 0; round < 10; round++) {
      const user = `user${round}`
      const all = await Promise.all(Array.from({ length: 20 }, () => signedIn(user)))
      expect(await app.store.listByUser(user)).toHaveLength(20)
      const kept = all[round]
      const except = await app.store.idOf(kept?.sid() ?? '')
      expect(await app.store.revokeByUser(user, { except })).toBe(19)
      expect((await app.store.listByUser(user)).map(({ id }) => id)).toEqual([except])
      const users = await Promise.all(all.map(async (one) => (await one.get('/me'))['user']))
      expect(users.filter((one) => one === user)).toHaveLength(1)
      expect((await kept?.get('/me'))?.['user']).toBe(user)
    }
  })

  it('a session ended by its id is ended for the request under way, too', async () => {
    const someone = await signedIn('ada')
    const isThere = new Promise<void>((resolve) => (arrived = resolve))
    const request = copyOf(someone).post('/set?key=late&slow')
    await isThere
    const [info] = await app.store.listByUser('ada')
    expect(await app.store.revoke(info?.id ?? '')).toBe(true)
    waiting.pop()?.()
    await request
    expect(await someone.get('/me')).not.toHaveProperty('user')
  })

  it('lives as long as the cookie, to the millisecond, and no key is without an end', async () => {
    const startedAtMs = performance.now()
    const someone = await signedIn('ada')
    for (const key of (await redis.cli('--scan')).split('\n').filter((one) => one !== '')) {
      expect(Number(await redis.cli('pttl', key)), key).toBeGreaterThan(0)
    }
    const [key = ''] = await recordKeys()
    // koa-session keeps its sessions 10 s longer than their cookies.
    const most = app.kind === 'koa-session' ? 70_000 : 60_000
    const left = Number(await redis.cli('pttl', key))
    // A slow machine changes nothing: what is gone is what has passed. Clocks round to the millisecond.
    expect(left).toBeGreaterThanOrEqual(most - Math.ceil(performance.now() - startedAtMs) - 2)
    expect(left).toBeLessThanOrEqual(most)
    await redis.cli('pexpire', key, '1')
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(await someone.get('/me')).not.toHaveProperty('user')
  })

  it('the limit that the docs state: of two requests that change the same field, the later one counts', async () => {
    const someone = await signedIn('ada')
    await someone.post('/set?key=n&value=0')
    const isThere = new Promise<void>((resolve) => (arrived = resolve))
    const slow = copyOf(someone).post('/set?key=n&value=slow&slow')
    await isThere
    await copyOf(someone).post('/set?key=n&value=quick')
    expect(await someone.get('/me')).toMatchObject({ n: 'quick' })
    waiting.pop()?.()
    await slow
    expect(await someone.get('/me')).toMatchObject({ n: 'slow' })
  })

  it('neither the id nor a value is readable in Redis', async () => {
    const someone = await signedIn('canary-of-a-user')
    await someone.post('/set?key=canary-of-a-key')
    const sid = someone.sid()
    expect(sid.length).toBeGreaterThan(20)
    await redis.cli('save')
    const everything = readFileSync(join(redis.dir, 'dump.rdb'))
    expect(everything.length).toBeGreaterThan(100)
    for (const secret of [sid, 'canary-of-a-user', 'canary-of-a-key']) expect(everything.includes(secret)).toBe(false)
  })
})
