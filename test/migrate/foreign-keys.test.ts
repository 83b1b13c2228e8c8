/** An id may be made up, and its old key may be that of other data in the same Redis. Ending such a record deletes nothing. */
import { randomBytes } from 'node:crypto'
import { createClient } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { CoatcheckAdapter } from '../../src/app/drop-ins/authjs.ts'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import {
  auth0Store,
  betterAuthStorage,
  connectRedis,
  koaSessionStore,
  upstashAdapter,
} from '../../src/entries/migrate.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { Store } from '../../src/stores/store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

let redis: RedisServer
let client: Awaited<ReturnType<typeof connect>>
let store: Store

const connect = async () => createClient({ url: redis.url }).connect()

beforeAll(async () => {
  redis = await startRedisServer()
  client = await connect()
  store = redisStore({ url: redis.url }).open({
    ...{ prefix: '', clock: systemClock, events: new EventBus(), loopback: true },
  })
  await store.ready()
})
beforeEach(async () => {
  await client.flushAll()
})
afterAll(async () => {
  await store.close()
  await client.close()
  await redis.stop()
})

const BYTES = Buffer.from([0x7b, 0xff, 0xfe, 0x7d])
const FOREIGN = ['{"order":1}', 'text', '[1]', '{"session":{"token":"other","userId":"1","expiresAt":"2999-01-01"}}']

describe('a bridge', () => {
  const origins = {
    'connect-redis': { origin: connectRedis(), keyOf: (id: string) => `sess:${id}` },
    'koa-session': { origin: koaSessionStore(), keyOf: (id: string) => id },
    'better-auth': { origin: betterAuthStorage(), keyOf: (id: string) => id },
    'nextjs-auth0': { origin: auth0Store({ keyOf: (id) => id }), keyOf: (id: string) => id },
    'Auth.js': { origin: upstashAdapter(), keyOf: (id: string) => `user:session:${id}` },
  }
  it.each(Object.entries(origins))('of %s', async (_name, { origin, keyOf }) => {
    const sessions = origin.openSessions({ oldRecords: () => store.oldRecords(), now: () => Date.now() })
    for (const value of FOREIGN) {
      const id = randomBytes(16).toString('hex')
      await client.set(keyOf(id), value)
      await sessions.end(id)
      expect(await client.get(keyOf(id))).toBe(value)
    }
  })

  it('ends the session of the id, and the name of the last session of its user', async () => {
    const sessions = upstashAdapter().openSessions({ oldRecords: () => store.oldRecords(), now: () => Date.now() })
    const session = JSON.stringify({ sessionToken: 'token', userId: '1', expires: new Date(Date.now() + 60_000) })
    await client.mSet({ 'user:session:token': session, 'user:session:by-user-id:1': 'user:session:token' })
    await sessions.end('token')
    expect(await client.keys('*')).toEqual([])
  })
})

it('deleting a user of Auth.js deletes what belongs to that user only', async () => {
  const adapter = CoatcheckAdapter({
    ...{ store: redisStore({ url: redis.url }), keys: randomBytes(32).toString('base64') },
    migrateFrom: upstashAdapter(),
  })
  const foreign = {
    orders: '{"order":1}',
    'user:account:idp:8': '{"provider":"idp","providerAccountId":"8","userId":"2"}',
    'user:email:ada@example.test': '2',
    'user:2': '{"id":"2","email":"ada@example.test"}',
    // A key that the id "settings" of no user names.
    'user:settings': '{"theme":"dark"}',
  }
  try {
    for (const account of ['orders', 'user:account:idp:8']) {
      await client.mSet({ ...foreign, 'user:1': '{"id":"1"}', 'user:account:by-user-id:1': account })
      await adapter.deleteUser('1')
      await adapter.deleteUser('settings')
      expect(await client.exists('user:1')).toBe(0)
      for (const [key, value] of Object.entries(foreign)) expect(await client.get(key), key).toBe(value)
    }
  } finally {
    await adapter.close()
  }
})

it.each([
  ['bytes that are not UTF-8', (key: string) => client.set(key, BYTES)],
  ['a key of another type', (key: string) => client.hSet(key, 'of', 'another application')],
])('under a name that Auth.js writes, %s stay, and the sign-in succeeds', async (_name, put) => {
  const adapter = CoatcheckAdapter({
    ...{ store: redisStore({ url: redis.url }), keys: randomBytes(32).toString('base64') },
    migrateFrom: upstashAdapter(),
  })
  const names = [
    ...['user:session:by-user-id:1', 'user:account:by-user-id:1'],
    ...['user:account:login:a', 'user:token:ada@example.test:t'],
  ]
  try {
    await client.set('user:1', JSON.stringify({ id: '1', email: 'ada@example.test', emailVerified: null }))
    for (const name of names) await put(name)
    const before = await Promise.all(names.map((name) => client.dump(name)))
    const expires = new Date(Date.now() + 60_000)
    const account = { userId: '1', type: 'oidc', provider: 'login', providerAccountId: 'a' } as const
    await adapter.linkAccount(account)
    expect(await adapter.getUserByAccount(account)).toMatchObject({ id: '1' })
    await adapter.createSession({ sessionToken: 'token', userId: '1', expires })
    expect((await adapter.getSessionAndUser('token'))?.user.id).toBe('1')
    const token = { identifier: 'ada@example.test', token: 't', expires }
    await adapter.createVerificationToken(token)
    expect(await adapter.useVerificationToken(token)).toMatchObject({ token: 't' })
    expect(await adapter.useVerificationToken(token)).toBeNull()
    expect(await Promise.all(names.map((name) => client.dump(name)))).toEqual(before)
  } finally {
    await adapter.close()
  }
})
