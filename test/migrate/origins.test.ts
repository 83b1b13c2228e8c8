/** What the origins read as a session, and the mistakes that their options refuse at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomBytes } from 'node:crypto'
import { CoatcheckStore as ExpressStore } from '../../src/app/drop-ins/express-session.ts'
import { CoatcheckStore as KoaStore } from '../../src/app/drop-ins/koa-session.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import {
  auth0Store,
  betterAuthStorage,
  connectRedis,
  fromAuthJsAccounts,
  fromBetterAuthAccounts,
  fromGuideTokens,
  fromMsal,
  jsonSessions,
  koaSessionStore,
  msalCache,
  upstashAdapter,
} from '../../src/entries/migrate.ts'
import type { SessionOrigin } from '../../src/migrate/session-origin.ts'
import { type DualReadWorld, oldText, startDualReadWorld, TTL_MS } from './dual-read-world.ts'

let world: DualReadWorld
beforeAll(async () => {
  world = await startDualReadWorld()
})
afterAll(() => world.stop())

const later = Date.now() + TTL_MS

describe.each<[string, (mode: 'read' | 'move') => SessionOrigin, string, Record<string, boolean>]>([
  [
    'connect-redis',
    (mode) => connectRedis({ mode }),
    'sess:',
    {
      [oldText({ n: 1 })]: true,
      // As @fastify/session writes it.
      '{"cookie":{"path":"/","httpOnly":true,"secure":"auto","sameSite":null,"domain":null,"expires":null,"originalMaxAge":null}}': true,
      '{"n":1}': false,
      '{"cookie":"text"}': false,
      '{"cookie":': false,
      '[{"cookie":{}}]': false,
      null: false,
      '': false,
    },
  ],
  [
    'koa-session',
    (mode) => koaSessionStore({ mode }),
    '',
    {
      [`{"n":1,"_expire":${later},"_maxAge":60000}`]: true,
      '{"n":1,"_session":true}': true,
      '{"n":1}': false,
      '{"session":{"token":"x"},"user":{}}': false,
      '12': false,
    },
  ],
  [
    'a format of the application',
    (mode) =>
      jsonSessions({
        mode,
        keyOf: (sid) => `app:${sid}`,
        decode: (text) => JSON.parse(Buffer.from(text, 'base64').toString()) as Record<string, unknown>,
        encode: (session) => Buffer.from(JSON.stringify(session)).toString('base64'),
      }),
    'app:',
    {
      [Buffer.from('{"n":1}').toString('base64')]: true,
      '{"n":1}': false,
      [Buffer.from('"n"').toString('base64')]: false,
    },
  ],
])('%s', (_name, origin, prefix, values) => {
  it.each(Object.entries(values))('%s is a session: %s', async (text, isSession) => {
    for (const mode of ['read', 'move'] as const) {
      const sid = randomBytes(16).toString('hex')
      await world.old.create(prefix + sid, text, TTL_MS)
      const process = await world.start(mode, origin(mode))
      expect((await process.sessions.find(sid)) !== null).toBe(isSession)
      // A value that is no session stays, at a sign-out too.
      await process.sessions.end(sid)
      expect((await world.old.read(prefix + sid))?.text).toBe(isSession ? undefined : text)
      expect(process.outcomes.includes('unreadable')).toBe(!isSession)
      await process.close()
    }
  })
})

describe('a life', () => {
  it.each(['read', 'move'] as const)('in %s is never longer than that of the old record', async (mode) => {
    const sid = randomBytes(16).toString('hex')
    await world.old.create(`sess:${sid}`, oldText({}), 5000)
    const process = await world.start(mode)
    const known = await process.sessions.find(sid)
    expect(known!.stored.value.expiresAtMs).toBeLessThanOrEqual(Date.now() + 5000)
    expect(process.outcomes).toEqual(mode === 'read' ? ['adopted'] : ['adopted', 'moved'])
    await process.close()
  })

  it('is decided by the old record at each read in `read`, which is counted also where nothing changed', async () => {
    const sid = randomBytes(16).toString('hex')
    await world.old.create(`sess:${sid}`, oldText({}), 5000)
    const process = await world.start('read')
    await process.sessions.find(sid)
    await process.sessions.find(sid)
    expect(process.outcomes).toEqual(['adopted', 'unchanged'])
    await process.close()
  })

  it('is the default where the old record has none, and that is counted', async () => {
    const sid = randomBytes(16).toString('hex')
    await world.old.create(`sess:${sid}`, oldText({}), null)
    const process = await world.start('read')
    const known = await process.sessions.find(sid)
    expect(known!.stored.value.expiresAtMs).toBeLessThanOrEqual(Date.now() + TTL_MS)
    expect(process.outcomes).toEqual(['adopted', 'no_expiry'])
    await process.close()
  })

  it('moves with a touch on both sides', async () => {
    const sid = randomBytes(16).toString('hex')
    await world.old.create(`sess:${sid}`, oldText({}), 5000)
    const process = await world.start('read')
    const known = await process.sessions.find(sid)
    expect(await process.sessions.touch(sid, TTL_MS, known)).toBe(true)
    expect((await world.old.read(`sess:${sid}`))!.ttlMs).toBeGreaterThan(5000)
    expect(known!.stored.value.expiresAtMs).toBeGreaterThan(Date.now() + 5000)
    await process.close()
  })
})

describe('the sessions of a user', () => {
  const signedIn = async (): Promise<string> => {
    const sid = randomBytes(16).toString('hex')
    await world.old.create(`sess:${sid}`, oldText({ user: 'ada' }), TTL_MS)
    return sid
  }

  it.each(['read', 'move'] as const)('are listed and ended on both sides in %s', async (mode) => {
    const process = await world.start(mode)
    const { sessions } = process
    const [one, other, third] = [await signedIn(), await signedIn(), await signedIn()]
    for (const sid of [one, other, third]) await sessions.find(sid)
    expect(await sessions.listByUser('ada')).toHaveLength(3)
    if (mode === 'read') {
      // An old process signs out.
      await world.old.remove(`sess:${third}`)
      expect(await sessions.listByUser('ada')).toHaveLength(2)
    }
    expect(await sessions.revoke(sessions.idOf(one))).toBe(true)
    expect(await sessions.revokeByUser('ada')).toBeGreaterThan(0)
    for (const sid of [one, other, third]) {
      expect(await sessions.find(sid)).toBeNull()
      expect(await world.old.read(`sess:${sid}`)).toBeNull()
    }
    await process.close()
  })

  it('all() and clear() know sessions that only old processes have used', async () => {
    const process = await world.start('read')
    const [one, other] = [await signedIn(), await signedIn()]
    await world.old.create('sess:not-a-session', 'text', TTL_MS)
    await process.sessions.find(one)
    const ids: string[] = []
    for await (const { id } of process.sessions.all()) ids.push(id)
    for (const sid of [one, other]) expect(ids.filter((id) => id === process.sessions.idOf(sid))).toHaveLength(1)
    expect(await process.sessions.clear()).toBeGreaterThanOrEqual(2)
    expect(await world.old.read(`sess:${other}`)).toBeNull()
    expect((await world.old.read('sess:not-a-session'))?.text).toBe('text')
    await process.close()
  })
})

it('in move, a write that may only create leaves an old session that was not read', async () => {
  const sid = randomBytes(16).toString('hex')
  await world.old.create(`sess:${sid}`, oldText({ n: 3 }), TTL_MS)
  const process = await world.start('move')
  expect(await process.sessions.save(sid, oldText({}), { ttlMs: TTL_MS, isNew: 'absent' })).toBeNull()
  expect((await process.sessions.find(sid))?.json).toContain('"n":3')
  await process.close()
})

it('only sessions that can be told from other records are searched for', () => {
  const keyOf = (sid: string): string => sid
  expect(jsonSessions({ keyOf }).keys).toBeUndefined()
  expect(jsonSessions({ keyOf, decode: () => null }).keys?.prefix).toBe('')
  expect(jsonSessions({ keyOf: (sid) => `app:${sid}` }).keys?.prefix).toBe('app:')
  expect(koaSessionStore().keys?.prefix).toBe('')
})

describe('a mistake', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'another mode',
      () => connectRedis({ mode: 'write' as 'read' }),
      /"mode" of connectRedis\(\) must be 'read' or 'move'/,
    ],
    ['an unknown option', () => connectRedis({ ttl: 1 } as object), /"ttl" of connectRedis\(\) is no option/],
    ['a prefix that is no text', () => koaSessionStore({ prefix: 1 as never }), /"prefix" of koaSessionStore\(\)/],
    ['a store that is none', () => connectRedis({ store: {} as never }), /must be the result of redisStore\(\)/],
    ['no keyOf', () => jsonSessions({} as never), /"keyOf" of jsonSessions\(\) must be a function/],
    ['options that are none', () => connectRedis(null as never), /connectRedis\(\) wants an object/],
    ['auth0Store() without keyOf', () => auth0Store({} as never), /"keyOf" of auth0Store\(\) must be a function/],
    [
      'another mode of auth0Store()',
      () => auth0Store({ keyOf: String, mode: 'write' as 'read' }),
      /"mode" of auth0Store/,
    ],
    [
      'a misspelled prefix of better-auth',
      () => betterAuthStorage({ prefx: 'a' } as object),
      /"prefx" of betterAuthStorage/,
    ],
    [
      'a store of better-auth',
      () => betterAuthStorage({ store: {} as never }),
      /"store" of betterAuthStorage\(\) must be/,
    ],
    [
      'a misspelled prefix of Auth.js',
      () => upstashAdapter({ keyPrefix: 'a' } as object),
      /"keyPrefix" of upstashAdapter/,
    ],
    ['a prefix of Auth.js', () => upstashAdapter({ userKeyPrefix: 1 as never }), /"userKeyPrefix" of upstashAdapter/],
    ['a layout of MSAL', () => msalCache({ keyOf: String, layout: 'one' as 'user' }), /must be 'user' or 'shared'/],
    ['msalCache() without keyOf', () => msalCache({} as never), /"keyOf" of msalCache\(\) must be a function/],
    [
      'tokens without a key',
      () => fromMsal({ userOf: () => null } as never),
      /"key" of fromMsal\(\) must be the old key/,
    ],
    ['tokens with a misspelled mode', () => fromGuideTokens({ mod: 'move' } as object), /"mod" of fromGuideTokens/],
    ['tokens without a provider', () => fromAuthJsAccounts({} as never), /"authJsProvider" of fromAuthJsAccounts/],
    ['accounts that are none', () => fromBetterAuthAccounts({ betterAuthProvider: 'a' } as never), /"accounts" of/],
  ])('in the options of an origin: %s', (_name, make, message) => {
    expect(make).toThrow(message)
  })

  it('is an origin of another library', () => {
    const options = { store: memoryStore(), migrateFrom: connectRedis() }
    expect(() => new KoaStore(options)).toThrow(/connect-redis, which only the store of coatcheck\/express-session/)
    expect(() => new ExpressStore({ ...options, migrateFrom: koaSessionStore() })).toThrow(/koa-session/)
    expect(() => new ExpressStore({ ...options, migrateFrom: {} as never })).toThrow(/result of connectRedis\(\)/)
  })
})

it('reads old records from a store of their own', async () => {
  const store = memoryStore({ name: `old-${randomBytes(4).toString('hex')}` })
  const elsewhere = await startDualReadWorld(store)
  const sid = randomBytes(16).toString('hex')
  await elsewhere.set(`sess:${sid}`, oldText({ n: 5 }))
  const process = await world.start('move', connectRedis({ mode: 'move', store }))
  expect(await process.sessions.find(sid)).not.toBeNull()
  expect(await elsewhere.old.read(`sess:${sid}`)).toBeNull()
  expect((await process.sessions.find(sid))?.json).toContain('"n":5')
  await process.close()
  await elsewhere.stop()
})
