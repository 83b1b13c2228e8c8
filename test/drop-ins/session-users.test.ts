/**
 * Whose a session is when parallel requests of one browser meet: a user signs in while another request of the session is under way.
 * "Sign out everywhere" must find the session. The stores of the drop-ins, as their libraries call them.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CoatcheckStore as ExpressStore } from '../../src/app/drop-ins/express-session.ts'
import { CoatcheckStore as FastifyStore } from '../../src/app/drop-ins/fastify-session.ts'
import type { SessionStoreOptions, UserSessions } from '../../src/app/drop-in-store.ts'
import { CoatcheckStore as KoaStore } from '../../src/app/drop-ins/koa-session.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

type Data = Record<string, unknown>

/** One request: reads the session at its start. `end` writes it with the changes of the request. */
interface HostRequest {
  readonly data: Data
  end(changes: Data): Promise<void>
}

interface LibraryApp {
  readonly store: UserSessions
  create(data: Data): Promise<void>
  request(): Promise<HostRequest>
}

const SID = 'the-session-of-the-browser'
const cookie = (): object => ({
  originalMaxAge: 60_000,
  expires: new Date(Date.now() + 60_000).toISOString(),
  path: '/',
  httpOnly: true,
})

const onCallbackStore =
  (Store: new (options: SessionStoreOptions) => ExpressStore | FastifyStore) =>
  (options: SessionStoreOptions): LibraryApp => {
    const store = new Store(options)
    return {
      store,
      create: (data) => store.set(SID, { cookie: cookie(), ...data } as never),
      async request() {
        const session = (await store.get(SID)) as unknown as Data
        return { data: session, end: (changes) => store.set(SID, Object.assign(session, changes) as never) }
      },
    }
  }

function onKoa(options: SessionStoreOptions): LibraryApp {
  const store = new KoaStore(options)
  return {
    store,
    create: (data) => store.set(SID, data, 60_000),
    async request() {
      const ctx = {}
      const data = (await store.get(SID, 60_000, { ctx })) ?? {}
      return { data, end: (changes) => store.set(SID, { ...data, ...changes }, 60_000, { ctx }) }
    },
  }
}

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

const stores = { redis: () => redisStore({ url: redis.url }), memory: () => memoryStore() }

describe.each<[string, (options: SessionStoreOptions) => LibraryApp]>([
  ['express-session', onCallbackStore(ExpressStore)],
  ['@fastify/session', onCallbackStore(FastifyStore)],
  ['koa-session', onKoa],
])('%s', (_name, make) => {
  describe.each(['redis', 'memory'] as const)('on %s', (kind) => {
    let app: LibraryApp
    beforeEach(async () => {
      await redis.cli('flushall')
      const keys = randomBytes(32).toString('base64')
      app = make({ store: stores[kind](), keys, userId: (data) => data['userId'] as string | undefined })
    })
    afterEach(() => app.store.close())

    it.each([
      ['an anonymous session', {}],
      ['a session of another user', { userId: 'mallory' }],
    ])('finds ada, who signed in to %s beside a slower request', async (_title, before) => {
      await app.create({ visits: 0, ...before })
      const [slow, signIn] = [await app.request(), await app.request()]
      await signIn.end({ userId: 'ada' })
      await slow.end({ visits: 1 })
      expect((await app.request()).data).toMatchObject({ visits: 1, userId: 'ada' })
      expect(await app.store.listByUser('ada')).toHaveLength(1)
      expect(await app.store.listByUser('mallory')).toEqual([])
      expect(await app.store.revokeByUser('mallory')).toBe(0)
      expect(await app.store.revokeByUser('ada')).toBe(1)
      expect((await app.request().catch(() => ({ data: {} })))?.data ?? {}).toEqual({})
    })

    it('lists the session of a user who signed out beside a slower request for nobody', async () => {
      await app.create({ visits: 0, userId: 'ada' })
      const [slow, signOut] = [await app.request(), await app.request()]
      await signOut.end({ userId: undefined })
      await slow.end({ visits: 1 })
      expect(await app.store.listByUser('ada')).toEqual([])
      expect(await app.store.revokeByUser('ada')).toBe(0)
      expect((await app.request()).data).toMatchObject({ visits: 1 })
    })
  })
})
