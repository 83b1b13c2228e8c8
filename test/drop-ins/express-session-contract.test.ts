/** The store contract of express-session, case by case on its own `MemoryStore` and on ours: what one answers, the other answers. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import session, { type SessionData } from 'express-session'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { CoatcheckStore } from '../../src/app/drop-ins/express-session.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const MINUTE_MS = 60_000

/** As `get()` gives it: text. */
const expiryOf = (found: SessionData | null | undefined): string =>
  (JSON.parse(JSON.stringify(found)) as { cookie: { expires: string } }).cookie.expires

/**
 * Stops the clock until the test is over. express-session reads the clock twice when an age is set, and the age shrinks by
 * the time between the two reads (`session/cookie.js`, `set expires`).
 */
const stopTheClock = (): void => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  onTestFinished(() => void vi.useRealTimers())
}

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

type Store = session.Store & { close?(): Promise<void> }
const keys = randomBytes(32).toString('base64')

describe.each<[string, () => Store]>([
  ['MemoryStore of express-session', () => new session.MemoryStore()],
  ['CoatcheckStore in memory', () => new CoatcheckStore({ keys, store: memoryStore({ name: 'contract' }) })],
  ['CoatcheckStore on Redis', () => new CoatcheckStore({ keys, store: redisStore({ url: redis.url }) })],
])('%s', (_name, make) => {
  let store: Store
  beforeAll(() => {
    store = make()
  })
  afterAll(() => store.close?.())
  beforeEach(() => clear())

  const get = (sid: string) =>
    new Promise<SessionData | null | undefined>((resolve, reject) => {
      store.get(sid, (error: unknown, found) => (error instanceof Error ? reject(error) : resolve(found)))
    })
  const set = (sid: string, data: object) =>
    new Promise<void>((resolve, reject) => {
      store.set(sid, data as SessionData, (error: unknown) => (error instanceof Error ? reject(error) : resolve()))
    })
  const touch = (sid: string, data: object) =>
    new Promise<void>((resolve, reject) => {
      store.touch?.(
        sid,
        data as SessionData,
        ((error: unknown) => (error instanceof Error ? reject(error) : resolve())) as never,
      )
    })
  const clear = () => new Promise<void>((resolve) => store.clear?.(() => resolve()))
  const length = () => new Promise<number>((resolve) => store.length?.((_error, count) => resolve(count ?? -1)))

  /** A session as express-session holds it: its cookie has setters. */
  const withCookie = (cookie: object, data: object = {}): object => {
    const made = new session.Cookie()
    for (const [name, value] of Object.entries(cookie)) (made as unknown as Record<string, unknown>)[name] = value
    return { ...data, cookie: made }
  }

  it('shows in get() what touch() has moved', async () => {
    await set('sid', withCookie({ maxAge: MINUTE_MS }, { a: 1 }))
    const touched = withCookie({ maxAge: 5 * MINUTE_MS })
    await touch('sid', touched)
    const found = await get('sid')
    expect(found).toMatchObject({ a: 1 })
    expect(found?.cookie).toEqual(JSON.parse(JSON.stringify((touched as SessionData).cookie)))
  })

  it('keeps a touched cookie when the data changes afterwards', async () => {
    stopTheClock()
    await set('sid', withCookie({ maxAge: MINUTE_MS }, { a: 1 }))
    await touch('sid', withCookie({ maxAge: 5 * MINUTE_MS }))
    const found = (await get('sid')) as SessionData
    await set('sid', { ...found, b: 2 })
    const again = await get('sid')
    expect(again).toMatchObject({ a: 1, b: 2, cookie: { originalMaxAge: 5 * MINUTE_MS } })
    expect(expiryOf(again)).toBe(expiryOf(found))
  })

  it('makes no session out of a touch', async () => {
    await touch('sid', withCookie({ maxAge: MINUTE_MS }))
    expect(await get('sid')).toBeFalsy()
  })

  it.each<[string, object]>([
    ['an invalid date', { expires: new Date(Number.NaN) }],
    ['no date for the browser', { expires: false }],
    ['null', { expires: null }],
    ['an age that is no number', { maxAge: Number.NaN }],
    ['an age without an end', { maxAge: Number.POSITIVE_INFINITY }],
    ['an age beyond 2^53', { maxAge: 2 ** 60 }],
    ['the latest date there is', { expires: new Date(8.64e15) }],
  ])('stores a session whose cookie expires at %s', async (_what, cookie) => {
    await set('sid', withCookie(cookie, { a: 1 }))
    await touch('sid', withCookie(cookie, { a: 1 }))
    expect(await get('sid')).toMatchObject({ a: 1 })
  })

  it('stores a session whose stored date cannot be read', async () => {
    await set('sid', { a: 1, cookie: { originalMaxAge: null, expires: 'tomorrow, perhaps' } })
    expect(await get('sid')).toMatchObject({ a: 1, cookie: { expires: 'tomorrow, perhaps' } })
  })

  it('has no session whose cookie is over', async () => {
    await set('sid', withCookie({ expires: new Date(Date.now() - 1000) }, { a: 1 }))
    expect(await get('sid')).toBeFalsy()
  })

  it('counts, lists and clears', async () => {
    await set('one', withCookie({ maxAge: MINUTE_MS }, { n: 1 }))
    await set('two', withCookie({}, { n: 2 }))
    expect(await length()).toBe(2)
    const all = await new Promise<object>((resolve) => store.all?.((_error, found) => resolve(found ?? {})))
    expect(
      Object.values(all)
        .map((one: { n?: number }) => one.n)
        .sort(),
    ).toEqual([1, 2])
    await clear()
    expect(await length()).toBe(0)
    expect(await get('one')).toBeFalsy()
  })

  describe('behind the middleware', () => {
    const serve = async (cookie: object, run: (ask: (cookie?: string) => Promise<Response>) => Promise<void>) => {
      const app = express()
      app.use(session({ store, secret: 'a secret', resave: false, saveUninitialized: true, cookie }))
      app.get('/', (request, response) => {
        response.json({ sid: request.sessionID, age: request.session.cookie.originalMaxAge })
      })
      app.get('/remember', (request, response) => {
        request.session.cookie.maxAge = 60 * MINUTE_MS
        response.json({})
      })
      app.use(((_error, _request, _response, next) => next()) as express.ErrorRequestHandler)
      const server = createServer(app).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      await run((path = '/') =>
        fetch(`${origin}${path.split(' ')[0] ?? ''}`, { headers: { cookie: path.split(' ')[1] ?? '' } }),
      )
      server.close()
      server.closeAllConnections()
    }
    const cookieOf = (response: Response): string => response.headers.getSetCookie()[0]?.split(';')[0] ?? ''

    it('moves the stored expiry at a request that changes nothing', () =>
      serve({ maxAge: MINUTE_MS }, async (ask) => {
        const first = await ask()
        const { sid } = (await first.json()) as { sid: string }
        const before = expiryOf(await get(sid))
        while (Date.now() <= new Date(before).getTime() - MINUTE_MS)
          await new Promise((resolve) => setTimeout(resolve, 2))
        await (await ask(`/ ${cookieOf(first)}`)).json()
        const after = expiryOf(await get(sid))
        expect(new Date(after).getTime()).toBeGreaterThan(new Date(before).getTime())
      }))

    it('remembers an age that a request gave the cookie of an unchanged session', async () => {
      stopTheClock()
      await serve({ maxAge: MINUTE_MS }, async (ask) => {
        const first = await ask()
        await first.json()
        await (await ask(`/remember ${cookieOf(first)}`)).json()
        expect(await (await ask(`/ ${cookieOf(first)}`)).json()).toMatchObject({ age: 60 * MINUTE_MS })
      })
    })

    it('answers when the date of the cookie cannot be sent', () =>
      serve({ expires: new Date(Number.NaN) }, async (ask) => {
        const answer = await ask()
        expect(answer.status).toBe(200)
        const { sid } = (await answer.json()) as { sid: string }
        expect(await get(sid)).toMatchObject({ cookie: { expires: null } })
      }))
  })
})
