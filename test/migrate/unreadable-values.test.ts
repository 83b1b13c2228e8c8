/**
 * Values under old keys that pass for records at first sight, and that no library can have stored: bytes that are not UTF-8, and JSON of a depth
 * that overflows the stack of whoever compares or writes it. They count as unreadable, and stay.
 */
import { randomBytes } from 'node:crypto'
import { createClient, RESP_TYPES } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secondaryStorage } from '../../src/app/drop-ins/better-auth.ts'
import {
  auth0Store,
  betterAuthStorage,
  connectRedis,
  jsonSessions,
  koaSessionStore,
} from '../../src/entries/migrate.ts'
import type { SessionOrigin } from '../../src/migrate/session-origin.ts'
import { sessionDataStore } from '../../src/app/drop-ins/nextjs-auth0.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type DualReadWorld, startDualReadWorld, TTL_MS } from './dual-read-world.ts'

const DEPTH = 5000
let world: DualReadWorld
let client: ReturnType<typeof connect>
const connect = () => createClient({ url: world.url }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })

beforeAll(async () => {
  world = await startDualReadWorld()
  client = connect()
  await client.connect()
})
afterAll(async () => {
  await client.close()
  await world.stop()
})

/** A record with one more field. */
const values = (record: object): readonly (readonly [string, Buffer])[] => {
  const withField = (json: string): Buffer => Buffer.from(`${JSON.stringify(record).slice(0, -1)},"more":${json}}`)
  const bytes = withField('"?"')
  bytes[bytes.lastIndexOf('?')] = 0xff
  return [
    ['bytes that are not UTF-8', bytes],
    ['nested arrays', withField(`${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`)],
    ['nested objects', withField(`${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}`)],
    ['brackets without an end', Buffer.from('['.repeat(100_000))],
  ]
}
const modes = ['read', 'move'] as const

describe.each(modes)('in mode %s', (mode) => {
  const expires = new Date(Date.now() + TTL_MS).toISOString()
  const koa = { _expire: Date.now() + TTL_MS, _maxAge: TTL_MS }
  const keyOf = (sid: string): string => `app:${sid}`
  const decode = (text: string) => JSON.parse(text) as Record<string, unknown>
  const origins: readonly (readonly [string, SessionOrigin, object, string])[] = [
    ['connect-redis', connectRedis({ mode }), { cookie: { expires, originalMaxAge: TTL_MS } }, 'sess:'],
    ['koa-session', koaSessionStore({ mode }), koa, ''],
    ['a format of the application', jsonSessions({ mode, keyOf, decode }), { n: 1 }, 'app:'],
  ]
  it.each(origins)('a session of %s', async (_name, origin, record, prefix) => {
    for (const [name, value] of values(record)) {
      const sid = randomBytes(16).toString('hex')
      const process = await world.start(mode, origin)
      await client.set(prefix + sid, value, { PX: TTL_MS })
      expect(await process.sessions.find(sid), name).toBeNull()
      expect(process.outcomes, name).toEqual(['unreadable'])
      expect(await process.sessions.end(sid), name).toBe(false)
      // A session with such an id is stored beside the value.
      const saved = await process.sessions.save(sid, JSON.stringify(record), { ttlMs: TTL_MS, isNew: true })
      expect(saved, name).not.toBeNull()
      expect(await client.get(prefix + sid), name).toEqual(value)
      await process.close()
    }
  })

  it('a session of a drop-in', async () => {
    const given = { store: redisStore({ url: world.url }), keys: randomBytes(32).toString('base64') }
    const auth0 = sessionDataStore({ ...given, migrateFrom: auth0Store({ mode, keyOf }) })
    const betterAuth = secondaryStorage({ ...given, migrateFrom: betterAuthStorage({ mode }) })
    const token = randomBytes(16).toString('hex')
    const records = {
      auth0: { user: { sub: 'ada' }, internal: { sid: 's', createdAt: Math.floor(Date.now() / 1000) } },
      betterAuth: { session: { token, userId: '1', expiresAt: expires }, user: { id: '1' } },
    }
    const outcomes: string[] = []
    auth0.events.on('migration.read', ({ outcome }) => outcomes.push(outcome))
    try {
      for (const [name, value] of values(records.auth0)) {
        await client.set(keyOf('id'), value, { PX: TTL_MS })
        expect(await auth0.get('id'), name).toBeNull()
        await auth0.delete('id')
        expect(await client.get(keyOf('id')), name).toEqual(value)
      }
      expect(outcomes).toEqual(['unreadable', 'unreadable', 'unreadable', 'unreadable'])
      for (const [name, value] of values(records.betterAuth)) {
        await client.set(token, value, { PX: TTL_MS })
        expect(await betterAuth.get(token), name).toBeNull()
        await betterAuth.delete(token)
        expect(await client.get(token), name).toEqual(value)
      }
    } finally {
      await auth0.close()
      await betterAuth.close()
    }
  })
})
