/**
 * Sessions of express-session that requests have extended: `touch()` of connect-redis moves the TTL of the key, and the stored
 * `cookie.expires` stays in the past. The old application accepts such a session, so the bridge adopts it.
 */
import { randomBytes } from 'node:crypto'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import { fromExpressSession, type ExpressSessionBridgeOptions } from '../../src/migrate/bridges/from-express-session.ts'
import { connectRedis } from '../../src/migrate/origins/connect-redis.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { PATIENT } from '../lab/limits.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { OLD_LIFE_MS, OLD_SECRET, type OldPackage } from './old-apps.ts'
import { expressSessionApp } from './old-sid-apps.ts'

let redis: RedisServer
let client: ReturnType<typeof createClient>
let old: OldPackage
let auth: Coatcheck<object>

beforeAll(async () => {
  redis = await startRedisServer()
  client = createClient({ url: redis.url })
  await client.connect()
  old = await expressSessionApp(client)
  auth = coatcheck({
    baseUrl: 'https://app.example',
    keys: randomBytes(32).toString('base64'),
    store: redisStore({ url: redis.url, ...PATIENT }),
  })
})
afterAll(async () => {
  await Promise.all([auth.close(), old.close?.(), client.close()])
  await redis.stop()
})

/** What touches leave after longer than the life of the cookie: the value of the first day, and a fresh TTL. */
async function touchedCookie(userId: string): Promise<string> {
  const cookie = await old.signIn(userId)
  for (const key of await client.keys('old-express:*')) {
    const value = JSON.parse((await client.get(key)) ?? '') as { cookie: { expires: string } }
    value.cookie.expires = new Date(Date.now() - 60_000).toISOString()
    await client.set(key, JSON.stringify(value), { expiration: 'KEEPTTL' })
  }
  expect((await old.ask(cookie)).userId, 'the old application accepts it').toBe(userId)
  return cookie
}

const stores: Record<string, () => ExpressSessionBridgeOptions['store']> = {
  'the store of the application': () => old.store as ExpressSessionBridgeOptions['store'],
  'the old keys': () => connectRedis({ prefix: 'old-express:' }),
}

it.each(Object.keys(stores))('adopts a touched session from %s, for the rest of its life', async (name) => {
  await redis.cli('flushall')
  const cookie = await touchedCookie('ada')
  const store = (stores[name] as () => ExpressSessionBridgeOptions['store'])()
  const adopt = fromExpressSession({
    ...{ secret: OLD_SECRET, store },
    user: ({ userId }) => (typeof userId === 'string' ? { userId } : null),
  })
  const request = { cookieHeader: cookie, sink: createHeadersSink(), adopt, header: () => undefined }
  const { session } = await auth.http.requestSession(request).getVisit()
  expect(session.user).toEqual({ id: 'ada' })
  expect(session.expiresAtMs).toBeLessThanOrEqual(Date.now() + OLD_LIFE_MS)
  expect(session.expiresAtMs).toBeGreaterThan(Date.now() + OLD_LIFE_MS - 600_000)
})
