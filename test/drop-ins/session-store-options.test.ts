/** Options and calls of `CoatcheckStore` as users of connect-redis know them: taken in the same meaning, or refused by name. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secondaryStorage } from '../../src/app/drop-ins/better-auth.ts'
import { CoatcheckStore as ExpressStore } from '../../src/app/drop-ins/express-session.ts'
import { CoatcheckStore as FastifyStore } from '../../src/app/drop-ins/fastify-session.ts'
import type { SessionStoreOptions } from '../../src/app/drop-in-store.ts'
import { CoatcheckStore as KoaStore } from '../../src/app/drop-ins/koa-session.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const DAY_SECONDS = 86_400
const keys = randomBytes(32).toString('base64')

interface AnyStore {
  set(sid: string, session: object): Promise<void>
  get(sid: string): Promise<unknown>
  destroy(sid: string): Promise<void>
  close(): Promise<void>
}

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

const lifeOf = async (pattern: string): Promise<number> => {
  const [key = ''] = (await redis.cli('--scan', '--pattern', pattern)).split('\n')
  return Number(await redis.cli('pttl', key))
}

describe.each<[string, (options: SessionStoreOptions) => AnyStore]>([
  ['express-session', (options) => new ExpressStore(options)],
  ['fastify-session', (options) => new FastifyStore(options)],
  ['koa-session', (options) => new KoaStore(options)],
])('%s', (kind, make) => {
  const running = async (options: object, use: (store: AnyStore) => Promise<void>) => {
    await redis.cli('flushall')
    const store = make({ store: redisStore({ url: redis.url }), keys, ...options })
    try {
      await use(store)
    } finally {
      await store.close()
    }
  }
  const lifeWith = async (options: object, session: object = { a: 1 }): Promise<number> => {
    let lifeMs = 0
    await running(options, async (store) => {
      await store.set('sid', session)
      lifeMs = await lifeOf(`host:${kind}:*`)
    })
    return lifeMs
  }
  const near = (lifeMs: number, seconds: number): void => {
    expect(lifeMs).toBeLessThanOrEqual(seconds * 1000)
    expect(lifeMs).toBeGreaterThan(seconds * 1000 - 60_000)
  }

  it.each([86_400, 30 * DAY_SECONDS, 90 * DAY_SECONDS, 365 * DAY_SECONDS])(
    'refuses ttl: %s, which is a life in seconds elsewhere, and names ttlSeconds',
    (ttl) => {
      expect(() => make({ ttl })).toThrow(
        expect.objectContaining({
          code: 'COATCHECK_CONFIG_INVALID',
          message: expect.stringMatching(/CoatcheckStore\(\)\.ttl.*ttlSeconds/),
        }),
      )
    },
  )

  it('refuses a function as ttl and names ttlSeconds', () => {
    expect(() => make({ ttl: (() => 86_400) as never })).toThrow(/ttlSeconds/)
  })

  it('counts ttlSeconds in seconds', async () => {
    near(await lifeWith({ ttlSeconds: DAY_SECONDS }), DAY_SECONDS)
    near(await lifeWith({ ttl: '2h' }), 7200)
    near(await lifeWith({}), DAY_SECONDS)
  })

  it('asks a function for the life of each session', async () => {
    const ttlSeconds = (data: Readonly<Record<string, unknown>>): number => (data['admin'] ? 900 : DAY_SECONDS)
    near(await lifeWith({ ttlSeconds }), DAY_SECONDS)
    near(await lifeWith({ ttlSeconds }, { admin: true }), 900)
  })

  it('ends a session whose function returns no time, and refuses what is no number of seconds', async () => {
    await running({ ttlSeconds: () => 0 }, async (store) => {
      await store.set('sid', { a: 1 })
      expect((await store.get('sid')) ?? null).toBeNull()
    })
    await running({ ttlSeconds: () => Number.NaN }, async (store) => {
      await expect(store.set('sid', { a: 1 })).rejects.toMatchObject({
        code: 'COATCHECK_INVALID_ARGUMENT',
        message: expect.stringContaining('ttlSeconds'),
      })
    })
  })

  // koa-session passes the life with each call.
  if (kind !== 'koa-session')
    it('takes the maxAge of a cookie that is a plain object', async () => {
      near(await lifeWith({}, { cookie: { maxAge: 900_000 } }), 900)
      near(await lifeWith({}, { cookie: { maxAge: 900_000, originalMaxAge: 1_800_000 } }), 1800)
      near(await lifeWith({}, { cookie: { maxAge: '15 min' } }), DAY_SECONDS)
      await running({}, async (store) => {
        await store.set('sid', { a: 1, cookie: { maxAge: -1 } })
        expect((await store.get('sid')) ?? null).toBeNull()
      })
    })

  it('refuses both options of one life', () => {
    expect(() => make({ ttl: '1h', ttlSeconds: 3600 })).toThrow(/ttlSeconds: got it beside ttl/)
  })

  it.each([
    ['client', {}, /store: redisStore\(\{ client \}\)/],
    ['serializer', JSON, /Remove it: sessions are stored as JSON/],
    ['scanCount', 100, /Remove it/],
    ['disableTouch', true, /ttlSeconds: \(data\)/],
    ['disableTTL', true, /ttlSeconds/],
  ])('says what to write in place of %s of connect-redis', (option, value, message) => {
    expect(() => make({ [option]: value })).toThrow(
      expect.objectContaining({ code: 'COATCHECK_CONFIG_UNKNOWN_OPTION', message: expect.stringMatching(message) }),
    )
  })

  it('returns promises where no callback is given', () =>
    running({}, async (store) => {
      await store.set('sid', { a: 1 })
      expect(await store.get('sid')).toMatchObject({ a: 1 })
      await store.destroy('sid')
      expect((await store.get('sid')) ?? null).toBeNull()
    }))

  it('rejects such a promise, and a promise that is not awaited does not end the process', async () => {
    const store = make({ store: redisStore({ url: redis.url }), keys })
    await store.close()
    await expect(store.set('sid', { a: 1 })).rejects.toMatchObject({ code: 'COATCHECK_CLOSED' })
    if (kind !== 'koa-session') void store.destroy('sid')
    // An unhandled rejection fails the run.
    await new Promise((resolve) => setImmediate(resolve))
  })
})

it('all(), length(), clear() and touch() of express-session return promises too', async () => {
  await redis.cli('flushall')
  const store = new ExpressStore({ store: redisStore({ url: redis.url }), keys })
  await store.set('sid', { a: 1 } as never)
  await store.touch('sid', { a: 1 } as never)
  expect(await store.length()).toBe(1)
  expect(await store.all()).toMatchObject([{ a: 1 }])
  await store.clear()
  expect(await store.length()).toBe(0)
  await store.close()
})

describe('better-auth', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 53])(
    'a counter or a value never lives for %s',
    async (ttl) => {
      await redis.cli('flushall')
      const storage = secondaryStorage({ store: redisStore({ url: redis.url }), keys })
      const refused = { code: 'COATCHECK_INVALID_ARGUMENT', message: expect.stringContaining('"ttl"') }
      await expect(storage.increment('rate', ttl)).rejects.toMatchObject(refused)
      if (ttl > 0 || Number.isNaN(ttl)) await expect(storage.set('key', 'value', ttl)).rejects.toMatchObject(refused)
      expect(await redis.cli('dbsize')).toBe('0')
      await storage.close()
    },
  )
})
