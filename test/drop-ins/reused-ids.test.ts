/**
 * Session ids that a library uses again: a new session under the id of an ended one is created, and a late write of the ended one is not.
 * The applications of the libraries, real Redis.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { SessionData } from 'express-session'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CoatcheckAdapter } from '../../src/app/drop-ins/authjs.ts'
import { CoatcheckStore as ExpressStore } from '../../src/app/drop-ins/express-session.ts'
import { CoatcheckStore as FastifyStore } from '../../src/app/drop-ins/fastify-session.ts'
import type { SessionStoreOptions } from '../../src/app/drop-in-store.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { type LibraryApp, type MakeLibraryApp, onExpress, onFastify, onKoa } from './session-libraries.ts'

const ID = 'always-the-same-id'
const HOUR_MS = 3_600_000

let redis: RedisServer
const keys = randomBytes(32).toString('base64')
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())
beforeEach(async () => {
  await redis.cli('flushall')
})

describe.each<[string, MakeLibraryApp, object]>([
  ['express-session', onExpress, { genid: () => ID }],
  ['koa-session', onKoa, { genid: () => ID }],
  ['@fastify/session', onFastify, { idGenerator: () => ID }],
])('%s with ids that repeat', (_name, make, variant) => {
  let app: LibraryApp
  let origin: string
  let goOn: () => void
  let arrived: () => void

  beforeAll(async () => {
    const pass = (): Promise<void> =>
      new Promise((resolve) => {
        goOn = resolve
        arrived()
      })
    const userId = (data: Readonly<Record<string, unknown>>): string | null =>
      (data['user'] as string | undefined) ?? null
    app = make({ store: redisStore({ url: redis.url }), keys, userId }, { pass }, variant)
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

  /** A browser, with the cookies of the last answer that set some. */
  function visitor(cookie = '') {
    return {
      async send(method: string, target: string): Promise<unknown> {
        const response = await fetch(origin + target, { method, headers: { cookie } })
        const set = response.headers.getSetCookie().map((line) => line.slice(0, line.indexOf(';')))
        if (set.length > 0) cookie = set.join('; ')
        expect(response.status).toBe(200)
        return response.json()
      },
      copy: () => visitor(cookie),
    }
  }
  const signedIn = async (user: string) => {
    const someone = visitor()
    await someone.send('POST', `/sign-in?user=${user}`)
    expect(await someone.send('GET', '/me')).toEqual({ user })
    return someone
  }
  const slowWrite = async (someone: ReturnType<typeof visitor>): Promise<{ written: Promise<unknown> }> => {
    const isThere = new Promise<void>((resolve) => (arrived = resolve))
    const written = someone.copy().send('POST', '/set?key=late&slow')
    await isThere
    return { written }
  }

  it('signs in again after a sign-out, and after the end of all sessions of the user', async () => {
    const ada = await signedIn('ada')
    await ada.send('POST', '/sign-out')
    const again = await signedIn('ada')
    expect(await app.store.listByUser('ada')).toHaveLength(1)
    expect(await app.store.revokeByUser('ada')).toBe(1)
    expect(await again.send('GET', '/me')).toEqual({})
    await signedIn('ada')
  })

  it('a late write of the ended session neither brings it back nor reaches the new one', async () => {
    const ada = await signedIn('ada')
    const { written } = await slowWrite(ada)
    await ada.send('POST', '/sign-out')
    const grace = await signedIn('grace')
    goOn()
    await written
    expect(await grace.send('GET', '/me')).toEqual({ user: 'grace' })
    expect(await app.store.listByUser('ada')).toEqual([])

    const late = await slowWrite(grace)
    await grace.copy().send('POST', '/sign-out')
    goOn()
    await late.written
    expect(await grace.send('GET', '/me')).not.toHaveProperty('user')
  })

  it('the end of all sessions of one user spares the next user of the id', async () => {
    const ada = await signedIn('ada')
    await ada.send('POST', '/sign-out')
    const grace = await signedIn('grace')
    expect(await app.store.revokeByUser('ada')).toBe(0)
    expect(await grace.send('GET', '/me')).toEqual({ user: 'grace' })
  })
})

it.each<[string, new (options: SessionStoreOptions) => ExpressStore | FastifyStore]>([
  ['express-session', ExpressStore],
  ['@fastify/session', FastifyStore],
])(
  '%s: the store does not revive an ended session from an object that the library did not create',
  async (_name, Store) => {
    const store = new Store({ store: redisStore({ url: redis.url }), keys })
    try {
      const json = JSON.stringify({ cookie: { originalMaxAge: HOUR_MS } })
      const copy = (): SessionData => JSON.parse(json) as SessionData
      await store.set(ID, copy())
      await store.destroy(ID)
      await store.set(ID, copy())
      expect(await store.get(ID)).toBeFalsy()
    } finally {
      await store.close()
    }
  },
)

it('@fastify/session: a late write does not revive an ended session that was stored without a cookie', async () => {
  let arrived = (): void => undefined
  let goOn = (): void => undefined
  const isThere = new Promise<void>((resolve) => (arrived = resolve))
  const gate = new Promise<void>((resolve) => (goOn = resolve))
  const pass = (): Promise<void> => {
    arrived()
    return gate
  }
  const options = { store: redisStore({ url: redis.url }), keys }
  const { ready, server, store } = onFastify(options, { pass }, { idGenerator: () => ID })
  if (!(store instanceof FastifyStore)) throw new Error('another store')
  await ready
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const first = await fetch(`${origin}/set?key=a`, { method: 'POST' })
    const cookie = (first.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
    await store.destroy(ID)
    await redis.cli('flushall')
    await store.set(ID, { user: 'ada' })
    const late = fetch(`${origin}/set?key=late&slow`, { method: 'POST', headers: { cookie } })
    await isThere
    await store.destroy(ID)
    goOn()
    expect((await late).status).toBe(200)
    expect(await store.get(ID)).toBeNull()
  } finally {
    server.closeAllConnections()
    server.close()
    await store.close()
  }
})

describe('Auth.js with a generateSessionToken that repeats tokens', () => {
  let adapter: CoatcheckAdapter
  beforeEach(() => {
    adapter = CoatcheckAdapter({ store: redisStore({ url: redis.url }), keys })
  })
  afterEach(() => adapter.close())
  const session = (userId: string) => ({ sessionToken: ID, userId, expires: new Date(Date.now() + HOUR_MS) })

  it('creates a session under a token that was deleted; a late update creates none', async () => {
    const user = await adapter.createUser({ id: 'x', email: 'ada@example.test', emailVerified: null })
    await adapter.createSession(session(user.id))
    await adapter.deleteSession(ID)
    expect(await adapter.updateSession({ sessionToken: ID, expires: new Date(Date.now() + HOUR_MS) })).toBeNull()
    expect(await adapter.getSessionAndUser(ID)).toBeNull()
    await adapter.createSession(session(user.id))
    expect((await adapter.getSessionAndUser(ID))?.user.id).toBe(user.id)
  })

  it('ends all sessions of a user, and spares the next user of the token', async () => {
    const ada = await adapter.createUser({ id: 'x', email: 'ada@example.test', emailVerified: null })
    const grace = await adapter.createUser({ id: 'y', email: 'grace@example.test', emailVerified: null })
    const id = (await adapter.createSession(session(ada.id)), await adapter.listSessionsByUser(ada.id))[0]?.id ?? ''
    expect(await adapter.revokeSession(id)).toBe(true)
    await adapter.createSession(session(grace.id))
    expect(await adapter.revokeSessionsByUser(ada.id)).toBe(0)
    expect((await adapter.getSessionAndUser(ID))?.user.id).toBe(grace.id)
  })
})
