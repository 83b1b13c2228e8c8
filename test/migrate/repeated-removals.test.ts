/**
 * A client library may send a command again after it reconnected, although the server had run it. Here every removal of an old key runs twice,
 * and only the second answer arrives: "nothing was removed".
 */
import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { CoatcheckAdapter } from '../../src/app/drop-ins/authjs.ts'
import { secondaryStorage } from '../../src/app/drop-ins/better-auth.ts'
import { auth0Store, betterAuthStorage, upstashAdapter } from '../../src/entries/migrate.ts'
import type { OldRecordDriver } from '../../src/migrate/old-record-driver.ts'
import { sessionDataStore } from '../../src/app/drop-ins/nextjs-auth0.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { StoreFactory } from '../../src/stores/store.ts'
import { testRedis } from './test-redis.ts'

const HOUR_MS = 3_600_000
const keys = randomBytes(32).toString('base64')
const redis = testRedis()

const sentAgain = (driver: OldRecordDriver): OldRecordDriver => ({
  ...driver,
  async remove(key, expected) {
    await driver.remove(key, expected)
    return driver.remove(key, expected)
  },
})

/** The store of the old keys. */
function resending(): StoreFactory {
  const factory = redisStore({ url: redis.url })
  return {
    isLocal: factory.isLocal,
    identity: `${factory.identity} resending`,
    open(context) {
      const store = factory.open(context)
      const oldRecords = async (): Promise<OldRecordDriver> => sentAgain(await store.oldRecords())
      return { ...store, oldRecords }
    },
  }
}

function open<T extends { close(): Promise<void> }>(dropIn: T): T {
  redis.closing(dropIn)
  return dropIn
}
const ours = () => ({ store: redisStore({ url: redis.url }), keys })
const put = (key: string, value: unknown) =>
  redis.client.set(key, typeof value === 'string' ? value : JSON.stringify(value), { PX: HOUR_MS })

it('a session of nextjs-auth0 that is taken over stays', async () => {
  const migrateFrom = auth0Store({ mode: 'move', keyOf: (id) => `sessions:${id}`, store: resending() })
  const store = open(sessionDataStore({ ...ours(), migrateFrom }))
  await put('sessions:id', { user: { sub: 'ada' }, tokenSet: {}, internal: { sid: 's', createdAt: Date.now() / 1000 } })
  expect(await store.get('id')).toMatchObject({ user: { sub: 'ada' } })
  expect(await store.get('id')).toMatchObject({ user: { sub: 'ada' } })
  expect(await redis.client.exists('sessions:id')).toBe(0)
})

it('a session of better-auth that is taken over stays, and one that ends leaves a marker', async () => {
  const expiresAt = new Date(Date.now() + HOUR_MS).toISOString()
  const sessionOf = (token: string) => ({ session: { token, userId: '1', expiresAt }, user: { id: '1' } })
  const [one, other] = ['a'.repeat(32), 'b'.repeat(32)]
  const moving = open(
    secondaryStorage({ ...ours(), migrateFrom: betterAuthStorage({ mode: 'move', store: resending() }) }),
  )
  await put(one, sessionOf(one))
  expect(await moving.get(one)).not.toBeNull()
  expect(await moving.get(one)).not.toBeNull()

  const reading = open(secondaryStorage({ ...ours(), migrateFrom: betterAuthStorage({ store: resending() }) }))
  await put(other, sessionOf(other))
  await reading.delete(other)
  // A late write of an old process.
  await put(other, sessionOf(other))
  expect(await reading.get(other)).toBeNull()
})

it('a user, an account and a session of Auth.js that are taken over stay', async () => {
  const adapter = open(
    CoatcheckAdapter({ ...ours(), migrateFrom: upstashAdapter({ mode: 'move', store: resending() }) }),
  )
  const expires = new Date(Date.now() + HOUR_MS)
  await put('user:1', { id: '1', email: 'ada@example.test', emailVerified: null })
  await put('user:email:ada@example.test', '1')
  await put('user:account:idp:7', { provider: 'idp', providerAccountId: '7', userId: '1', type: 'oidc', id: 'idp:7' })
  await put('user:account:by-user-id:1', 'user:account:idp:7')
  await put('user:session:token', { sessionToken: 'token', userId: '1', expires })
  await put('user:session:by-user-id:1', 'user:session:token')
  expect((await adapter.getSessionAndUser('token'))?.user.email).toBe('ada@example.test')
  expect((await adapter.getUser('1'))?.email).toBe('ada@example.test')
  expect((await adapter.getUserByAccount({ provider: 'idp', providerAccountId: '7' }))?.id).toBe('1')
  expect(await redis.client.keys('user:*')).toEqual([])
})

it('an account of Auth.js that is unlinked under its old key is answered, and its name goes', async () => {
  const adapter = open(CoatcheckAdapter({ ...ours(), migrateFrom: upstashAdapter({ store: resending() }) }))
  await put('user:1', { id: '1', email: 'ada@example.test', emailVerified: null })
  await put('user:account:idp:7', { provider: 'idp', providerAccountId: '7', userId: '1', type: 'oidc', id: 'idp:7' })
  await put('user:account:by-user-id:1', 'user:account:idp:7')
  expect(await adapter.unlinkAccount({ provider: 'idp', providerAccountId: '7' })).toMatchObject({ userId: '1' })
  expect(await redis.client.keys('user:account:*')).toEqual([])
})
