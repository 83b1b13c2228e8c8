/** Texts of better-auth that are no sessions, under names that may belong to others, and shared by processes of both modes. */
import { randomBytes } from 'node:crypto'
import { createClient, RESP_TYPES } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { secondaryStorage } from '../../src/app/drop-ins/better-auth.ts'
import { betterAuthStorage } from '../../src/entries/migrate.ts'
import type { MigrationMode } from '../../src/migrate/migration-mode.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const KEY = 'verification-of-ada'
const BYTES = Buffer.from([0x7b, 0xff, 0xfe, 0x7d])
const keys = randomBytes(32).toString('base64')

let redis: RedisServer
let client: ReturnType<typeof connect>
let opened: ReturnType<typeof open>[] = []
const connect = () => createClient({ url: redis.url }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
const open = (mode: MigrationMode) =>
  secondaryStorage({ store: redisStore({ url: redis.url }), keys, migrateFrom: betterAuthStorage({ mode }) })
const process = (mode: MigrationMode) => {
  const storage = open(mode)
  opened.push(storage)
  return storage
}

beforeAll(async () => {
  redis = await startRedisServer()
  client = connect()
  await client.connect()
})
afterAll(async () => {
  await client.close()
  await redis.stop()
})
beforeEach(() => client.flushAll())
afterEach(async () => {
  for (const one of opened) await one.close()
  opened = []
})

describe.each(['read', 'move'] as const)('in mode %s', (mode) => {
  it('a value that is no text stays, and better-auth stores its own beside it', async () => {
    await client.set(KEY, BYTES)
    const storage = process(mode)
    expect(await storage.get(KEY)).toBeNull()
    await storage.set(KEY, 'one', 60)
    expect(await storage.get(KEY)).toBe('one')
    await storage.set(KEY, 'two', 60)
    expect(await storage.getAndDelete(KEY)).toBe('two')
    expect(await storage.getAndDelete(KEY)).toBeNull()
    await storage.set(KEY, 'three', 60)
    await storage.set(KEY, 'four', 0)
    expect(await storage.get(KEY)).toBeNull()
    await storage.set(KEY, 'five', 60)
    await storage.delete(KEY)
    expect(await storage.get(KEY)).toBeNull()
    expect(await client.get(KEY)).toEqual(BYTES)
  })

  it('so does a key of another type', async () => {
    await client.hSet(KEY, 'of', 'another application')
    const storage = process(mode)
    await storage.set(KEY, 'one', 60)
    expect(await storage.get(KEY)).toBe('one')
    await storage.delete(KEY)
    expect(await storage.get(KEY)).toBeNull()
    expect(await client.hLen(KEY)).toBe(1)
  })

  it('the list of sessions of a user', async () => {
    const list = 'active-sessions-ada'
    await client.set(list, BYTES)
    const storage = process(mode)
    await storage.set(list, JSON.stringify([{ token: 'a'.repeat(32), expiresAt: Date.now() + 60_000 }]), 60)
    await storage.delete(list)
    expect(await client.get(list)).toEqual(BYTES)
  })

  it('an old text goes with the write or the deletion that replaces it', async () => {
    const storage = process(mode)
    for (const end of [() => storage.delete(KEY), () => storage.set(KEY, 'new', 0), () => storage.getAndDelete(KEY)]) {
      await client.set(KEY, 'old')
      expect(await storage.get(KEY)).toBe('old')
      await end()
      expect(await storage.get(KEY)).toBeNull()
      expect(await client.get(KEY)).toBeNull()
    }
  })
})

describe.each([
  'verification:reset-password:QWxhZGRpbg',
  'revoked-sessions-before-ada',
  '10.0.0.1|/sign-in/email',
  'otp',
  'a'.repeat(31),
  'a'.repeat(33),
])('in mode read, beside an old process: %s', (name) => {
  it('both read, replace and delete the same text', async () => {
    const storage = process('read')
    await client.set(name, 'of the old process')
    expect(await storage.get(name)).toBe('of the old process')
    await storage.set(name, 'of Coatcheck', 60)
    expect(String(await client.get(name))).toBe('of Coatcheck')
    expect(await client.pTTL(name)).toBeGreaterThan(30_000)
    await client.del(name)
    expect(await storage.get(name)).toBeNull()
    await storage.set(name, 'again', 60)
    await storage.delete(name)
    expect(await client.exists(name)).toBe(0)
    await client.set(name, 'once')
    expect(await storage.getAndDelete(name)).toBe('once')
    expect(await client.exists(name)).toBe(0)
  })
})

describe.each(['read', 'move'] as const)('in mode %s, a text that is no session under a name like a token', (mode) => {
  const name = 'a'.repeat(32)
  it.each([null, 'of another application'])('is read as it was written; the old key holds: %s', async (foreign) => {
    if (foreign !== null) await client.set(name, foreign)
    const storage = process(mode)
    expect(await storage.get(name)).toBeNull()
    await storage.set(name, 'one', 60)
    expect(await storage.get(name)).toBe('one')
    expect(await process('read').get(name)).toBe('one')
    expect(await process('move').get(name)).toBe('one')
    expect(await storage.getAndDelete(name)).toBe('one')
    expect(await storage.getAndDelete(name)).toBeNull()
    await storage.set(name, 'two', 60)
    await storage.set(name, 'three', 0)
    expect(await storage.get(name)).toBeNull()
    await storage.set(name, 'four', 60)
    await storage.delete(name)
    expect(await storage.get(name)).toBeNull()
    expect((await client.get(name))?.toString() ?? null).toBe(foreign)
  })
})

describe('beside a process in mode move', () => {
  it('a write of a process in mode read is what both read', async () => {
    const [older, newer] = [process('read'), process('move')]
    for (const [writer, value] of [
      [newer, 'one'],
      [older, 'two'],
      [newer, 'three'],
      [older, 'four'],
    ] as const) {
      await writer.set(KEY, value, 60)
      expect([await older.get(KEY), await newer.get(KEY)]).toEqual([value, value])
    }
    await older.set(KEY, 'five', 0)
    expect([await older.get(KEY), await newer.get(KEY)]).toEqual([null, null])
  })

  it('a single-use value is used once', async () => {
    const [older, newer] = [process('read'), process('move')]
    await newer.set(KEY, 'one', 60)
    await older.set(KEY, 'two', 60)
    expect(await newer.getAndDelete(KEY)).toBe('two')
    expect([await older.getAndDelete(KEY), await newer.getAndDelete(KEY)]).toEqual([null, null])
  })
})
