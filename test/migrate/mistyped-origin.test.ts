/** One process names the old keys wrongly, or another Redis. The sessions that the other processes serve go on. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CoatcheckStore } from '../../src/app/drop-ins/express-session.ts'
import { sessionDataStore } from '../../src/app/drop-ins/nextjs-auth0.ts'
import { auth0Store, connectRedis } from '../../src/entries/migrate.ts'
import type { StoreFactory } from '../../src/stores/store.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { testRedis } from './test-redis.ts'

const redis = testRedis()
const keys = randomBytes(32).toString('base64')
const LIFE_SECONDS = 3600

let other: RedisServer
beforeAll(async () => {
  other = await startRedisServer()
})
afterAll(() => other.stop())

type Place = { readonly prefix: string; readonly store?: StoreFactory; readonly mode: 'read' | 'move' }
type Read = (id: string) => Promise<unknown>

/** How each kind of dual read looks a session up. */
const libraries: Readonly<Record<string, { readonly session: object; readonly open: (place: Place) => Read }>> = {
  'express-session': {
    session: { cookie: { originalMaxAge: LIFE_SECONDS * 1000 }, user: 'ada' },
    open(place) {
      const store = redisStore({ url: redis.url })
      const opened = redis.closing(new CoatcheckStore({ keys, store, migrateFrom: connectRedis(place) }))
      return (id) => opened.get(id)
    },
  },
  'nextjs-auth0': {
    session: { user: { sub: 'ada' }, tokenSet: {}, internal: { sid: 'one', createdAt: Math.floor(Date.now() / 1000) } },
    open({ prefix, ...place }) {
      const migrateFrom = auth0Store({ keyOf: (id) => prefix + id, ...place })
      const opened = redis.closing(sessionDataStore({ keys, store: redisStore({ url: redis.url }), migrateFrom }))
      return (id) => opened.get(id)
    },
  },
}

const mistakes: readonly [string, (mode: 'read' | 'move') => Place][] = [
  ['a mistyped prefix', (mode) => ({ prefix: 'ses:', mode })],
  ['another Redis', (mode) => ({ prefix: 'sess:', mode, store: redisStore({ url: other.url }) })],
]

describe.each(Object.entries(libraries))('%s', (_library, { session, open }) => {
  describe.each(mistakes)('a process with %s', (_mistake, mistaken) => {
    it.each(['read', 'move'] as const)('in mode %s rejects, and ends nothing', async (mode) => {
      await redis.client.set('sess:one', JSON.stringify(session), { EX: LIFE_SECONDS })
      const read = open({ prefix: 'sess:', mode: 'read' })
      expect(await read('one')).toMatchObject(session)
      await expect(open(mistaken(mode))('one')).rejects.toMatchObject({ code: 'COATCHECK_CONFIG_INVALID' })
      expect(await read('one')).toMatchObject(session)
      expect(await redis.client.exists('sess:one')).toBe(1)
    })
  })

  it('finds the old keys also if one process names the Redis of Coatcheck, and another one names none', async () => {
    await redis.client.set('sess:one', JSON.stringify(session), { EX: LIFE_SECONDS })
    const reads = [
      open({ prefix: 'sess:', mode: 'read' }),
      open({ prefix: 'sess:', mode: 'read', store: redisStore({ url: redis.url }) }),
      open({ prefix: 'sess:', mode: 'read', store: redisStore({ client: redis.client }) }),
      open({ prefix: 'sess:', mode: 'read', store: redisStore({ url: redis.url.replace('127.0.0.1', 'localhost') }) }),
    ]
    for (const read of reads) expect(await read('one')).toMatchObject(session)
    // An old process signs the user out.
    await redis.client.del('sess:one')
    for (const read of reads) expect((await read('one')) ?? null).toBeNull()
  })

  it('a session that is found at a new address belongs there: a sign-out of an old process ends it', async () => {
    await other.cli('set', 'sess:three', JSON.stringify(session))
    expect(await open({ prefix: 'sess:', mode: 'read', store: redisStore({ url: other.url }) })('three')).toMatchObject(
      session,
    )
    // The old keys move to another Redis.
    await redis.client.set('sess:three', JSON.stringify(session), { EX: LIFE_SECONDS })
    const read = open({ prefix: 'sess:', mode: 'read' })
    expect(await read('three')).toMatchObject(session)
    await redis.client.del('sess:three')
    expect((await read('three')) ?? null).toBeNull()
  })

  it('a process that names another Redis first, and then none, ends nothing either', async () => {
    const elsewhere = redisStore({ url: other.url })
    await other.cli('set', 'sess:two', JSON.stringify(session))
    const read = open({ prefix: 'sess:', mode: 'read', store: elsewhere })
    expect(await read('two')).toMatchObject(session)
    await expect(open({ prefix: 'sess:', mode: 'read' })('two')).rejects.toMatchObject({
      code: 'COATCHECK_CONFIG_INVALID',
    })
    expect(await read('two')).toMatchObject(session)
  })
})
