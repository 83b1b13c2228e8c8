/** `coatcheck migrate sessions` as a process, on sessions of the real connect-redis: look, take over, interrupt, resume. */
import { randomBytes } from 'node:crypto'
import { constants, getPriority } from 'node:os'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RedisStore } from 'connect-redis'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CoatcheckStore } from '../../src/app/drop-ins/express-session.ts'
import { connectRedis } from '../../src/entries/migrate.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { PATIENT } from '../lab/limits.ts'
import { type CommandFolder, commandFolder, type Ended } from '../support/command-line.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { until } from '../support/redis-topologies.ts'

const KEYS = `k1:${randomBytes(32).toString('base64')}`
const HOUR_S = 3600
const SECRET = 'the-content-of-a-cart'
/** What a write has to arrive. A later one does nothing. */
const WRITE_MS = 5000
const WRITES = { REDIS_WRITE_TIMEOUT_MS: String(WRITE_MS) }

let server: RedisServer
let client: ReturnType<typeof createClient>
let at: CommandFolder
const closing: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  server = await startRedisServer()
  client = createClient({ url: server.url })
  await client.connect()
})
beforeEach(() => {
  at = commandFolder({ REDIS_URL: server.url, COATCHECK_KEYS: KEYS, REDIS_COMMAND_TIMEOUT_MS: '3000', ...WRITES })
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  at.remove()
  await client.flushAll()
})
afterAll(async () => {
  client.destroy()
  await server.stop()
})

const FROM = ['--from', 'connect-redis', '--user-id', 'passport.user']
const migrate = async (...args: readonly string[]): Promise<Ended> => {
  const ended = await at.run(['migrate', 'sessions', ...args])
  expect(ended.stdout + ended.stderr).not.toContain(SECRET)
  // No name of a key shows a session id.
  expect(ended.stdout + ended.stderr).not.toContain('sid-')
  return ended
}
const json = async (...args: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse((await migrate(...args, '--json')).stdout) as Record<string, unknown>

/** Sessions of the old application, two for each user. */
async function oldSessions(count: number): Promise<void> {
  const old = new RedisStore({ client })
  const set = (sid: string, maxAgeMs: number, user: string): Promise<unknown> =>
    old.set(sid, {
      cookie: { originalMaxAge: maxAgeMs, expires: new Date(Date.now() + maxAgeMs), httpOnly: true, path: '/' },
      passport: { user },
      cart: SECRET,
    } as never) as Promise<unknown>
  const lives = [0.5, 12, 48, 24 * 20]
  for (let from = 0; from < count; from += 500) {
    const portion = Array.from({ length: Math.min(500, count - from) }, (_, i) => from + i)
    await Promise.all(portion.map((i) => set(`sid-${i}`, (lives[i % 4] ?? 1) * HOUR_S * 1000, `user-${i >> 1}`)))
  }
}
/** The store of the new application. */
function application(mode: 'read' | 'move' = 'read', keys = KEYS): CoatcheckStore {
  const userId = (data: Readonly<Record<string, unknown>>) => (data['passport'] as { user: string }).user
  const store = redisStore({ ...PATIENT, url: server.url })
  const created = new CoatcheckStore({ store, keys, userId, migrateFrom: connectRedis({ mode }) })
  closing.push(() => created.close())
  return created
}
const keysOf = async (pattern: string): Promise<string[]> => {
  const all: string[] = []
  for await (const keys of client.scanIterator({ MATCH: pattern, COUNT: 1000 })) all.push(...keys)
  return all
}

describe('a dry run', () => {
  test('families, lives and unreadable values, without keys of encryption and without a change', async () => {
    await oldSessions(40)
    await client.set('sess:broken', 'no session', { EX: 60 })
    await client.set('sess:endless', JSON.stringify({ cookie: {}, passport: { user: 'ada' } }))
    await client.hSet('sess:a-hash', 'field', 'value')
    await client.set('other:thing', SECRET)
    const before = await client.sendCommand(['DEBUG', 'DIGEST']).catch(() => client.dbSize())
    const { code, stdout, stderr } = await at.run(['migrate', 'sessions', '--from', 'connect-redis'], {
      COATCHECK_KEYS: '',
    })
    expect([code, stdout.split('\n')[1]]).toEqual([0, 'sess:*\t42\t1\t11\t10\t10\t10\t1'])
    expect(stdout).toContain('Nothing was changed.')
    // A process of an operator announces no development defaults, such as keys generated at start.
    expect(stderr).toBe('')
    expect(await json(...FROM, '--mode', 'move')).toMatchObject({
      ...{ command: 'migrate sessions', dryRun: true, mode: 'move', origin: 'connect-redis', isWhole: true },
      families: [{ family: 'sess:*', keys: 42, unreadable: 1, lives: { none: 1, underHour: 11, longer: 10 } }],
    })
    expect(await client.sendCommand(['DEBUG', 'DIGEST']).catch(() => client.dbSize())).toEqual(before)
  })

  test('says what --write does, and the command that does it', async () => {
    await oldSessions(2)
    expect((await migrate(...FROM)).stdout).toMatch(
      /Examined 2 old keys of connect-redis\. Nothing was changed\.\n.*keeps its old key\.\nNext: npx coatcheck migrate sessions --from connect-redis --user-id passport\.user --write\n$/,
    )
    expect((await migrate('--from', 'connect-redis')).stdout).toMatch(/keeps its old key\. .*--user-id <path>.*\n$/)
  })

  test('no old key: says so', async () => {
    const ended = await migrate(...FROM, '--old-prefix', 'other:')
    expect(ended).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^No old key of connect-redis\. .*begin with "other:"/),
    })
  })
})

describe('what is missing', () => {
  test.each([
    [['--write'], /Which sessions\?/],
    [['--from', 'connect-redis', '--write'], /--user-id passport\.user.*--no-users/],
    [['--from', 'better-auth', '--user-id', 'x'], /name their user themselves/],
    [['--module', 'store.mjs', '--from', 'connect-redis'], /leave out --from/],
    [['--from', 'connect-redis', '--old-url', 'redis://:secret@host'], /OLD_REDIS_PASSWORD/],
    [['--from', 'koa-session', '--ttl', 'soon'], /such as 24h/],
  ])('%j: wrong use, with what to write', async (args, says) => {
    const ended = await migrate(...args)
    expect([ended.code, ended.stdout]).toEqual([2, ''])
    expect(ended.stderr).toMatch(says)
  })

  test('keys of encryption: nothing is sealed with keys that no other process has', async () => {
    await oldSessions(2)
    const ended = await at.run(['migrate', 'sessions', ...FROM, '--mode', 'move', '--write', '--yes'], {
      COATCHECK_KEYS: '',
    })
    expect(ended.code).toBe(6)
    expect(ended.stderr).toContain('Set COATCHECK_KEYS')
    expect(await client.dbSize()).toBe(2)
  })
})

describe('taking over', () => {
  test('read: every session once, with its life and its user; old keys stay; a sign-out is not revived', async () => {
    await oldSessions(40)
    await client.set('sess:broken', 'no session', { EX: 60 })
    const first = await migrate(...FROM, '--write')
    expect(first).toMatchObject({ code: 7, stderr: '' })
    expect(first.stdout).toMatch(/Took over 40 sessions\.\n1 value could not be read/)
    expect(await keysOf('sess:*')).toHaveLength(41)
    const app = application()
    expect(await app.listByUser('user-3')).toHaveLength(2)
    await app.destroy('sid-6')
    const second = await json(...FROM, '--write')
    expect(second).toMatchObject({ keys: 40, outcomes: { unreadable: 1 }, isDone: true })
    expect(second['outcomes']).not.toHaveProperty('adopted')
    expect(await app.get('sid-6')).toBeNull()
    expect(await app.listByUser('user-3')).toHaveLength(1)
  })

  test('no life becomes longer; one without an end gets that of --ttl', async () => {
    await oldSessions(8)
    await client.set('sess:endless', JSON.stringify({ cookie: {}, passport: { user: 'ada' } }))
    const report = await json(...FROM, '--write', '--ttl', '2h')
    expect(report).toMatchObject({ outcomes: { adopted: 9, no_expiry: 1 } })
    const app = application()
    for (let i = 0; i < 8; i++) {
      const id = await app.idOf(`sid-${i}`)
      const end = await client.pExpireTime(`sess:sid-${i}`)
      const session = (await app.listByUser(`user-${i >> 1}`)).find((one) => one.id === id)
      expect(session?.expiresAtMs).toBeLessThanOrEqual(end)
      expect(session?.expiresAtMs).toBeGreaterThan(end - 60_000)
      // Redis counts the life of the key from the arrival of the write, which does nothing once its deadline is over. Between the two
      // ends no session is handed out.
      const removed = await client.pExpireTime(`host:express-session:${id}`)
      expect(removed).toBeLessThanOrEqual(end + WRITE_MS)
    }
    const endless = await client.pTTL(`host:express-session:${await app.idOf('endless')}`)
    expect(endless).toBeLessThanOrEqual(2 * HOUR_S * 1000)
    expect(endless).toBeGreaterThan(HOUR_S * 1000)
  })

  test('move: interrupted and resumed, each session is moved once', async () => {
    const count = 1500
    await oldSessions(count)
    const running = at.start(['migrate', 'sessions', ...FROM, '--mode', 'move', '--write', '--yes', '--json'])
    await until(async () => (await keysOf('host:express-session:*')).length > 50)
    expect(getPriority(running.pid)).toBeGreaterThanOrEqual(constants.priority.PRIORITY_BELOW_NORMAL)
    running.signal('SIGINT')
    const interrupted = await running.ended
    expect([interrupted.code, interrupted.stderr]).toEqual([130, ''])
    const part = JSON.parse(interrupted.stdout) as { outcomes: { adopted: number; moved: number }; isDone: boolean }
    expect(part.isDone).toBe(false)
    // Consistent: each session is on one side.
    const left = await keysOf('sess:*')
    expect(left.length).toBeGreaterThan(0)
    expect(left.length + (await keysOf('host:express-session:*')).length).toBe(count)
    expect(part.outcomes).toMatchObject({ adopted: count - left.length, moved: count - left.length })

    const resumed = await json(...FROM, '--mode', 'move', '--write', '--yes')
    expect(resumed).toMatchObject({ keys: left.length, isDone: true })
    expect(resumed['outcomes']).toEqual({ adopted: left.length, moved: left.length })
    expect(await keysOf('sess:*')).toEqual([])
    expect(await keysOf('host:express-session:*')).toHaveLength(count)
    const app = application('move')
    expect(await app.get('sid-7')).toMatchObject({ passport: { user: 'user-3' }, cart: SECRET })
    const again = await migrate(...FROM, '--mode', 'move', '--write', '--yes')
    expect(again.stdout).toContain('Took over 0 sessions, removed 0 old keys.')
  })

  test('old keys on another server, with a password', async () => {
    const other = await startRedisServer({ args: ['--requirepass', 'old-password'] })
    try {
      const text = JSON.stringify({ cookie: {}, passport: { user: 'ada' } })
      await other.cli('-a', 'old-password', '--no-auth-warning', 'set', 'sess:sid-1', text, 'ex', '600')
      const args = [...FROM, '--old-url', other.url, '--mode', 'move', '--write', '--yes', '--json']
      const ended = await at.run(['migrate', 'sessions', ...args], { OLD_REDIS_PASSWORD: 'old-password' })
      expect(JSON.parse(ended.stdout)).toMatchObject({ keys: 1, outcomes: { adopted: 1, moved: 1 } })
      expect(await keysOf('host:express-session:*')).toHaveLength(1)
      const leaking = await at.run(['migrate', 'sessions', ...FROM, '--old-url', other.url], { REDIS_PASSWORD: 'ours' })
      expect(leaking.code).toBe(6)
      expect(leaking.stderr).toContain('REDIS_PASSWORD is set')
    } finally {
      await other.stop()
    }
  })
})

describe('a module of the application', () => {
  const dist = (name: string): string =>
    pathToFileURL(resolve(import.meta.dirname, `../../dist/entries/${name}.js`)).href
  const module = (...lines: readonly string[]): void => {
    const imports = [
      `import { CoatcheckStore } from '${dist('express-session')}'`,
      `import { connectRedis } from '${dist('migrate')}'`,
    ]
    at.write('session-store.mjs', [...imports, ...lines].join('\n'))
  }

  test('its store takes the sessions over as it would in a request', async () => {
    await oldSessions(20)
    module(
      'export const store = new CoatcheckStore({',
      '  userId: (data) => `id of ${data.passport.user}`,',
      "  migrateFrom: connectRedis({ mode: 'move' }),",
      '})',
      'export default store',
    )
    expect(await json('--module', 'session-store.mjs')).toMatchObject({ dryRun: true, families: [{ keys: 20 }] })
    const report = await json('--module', 'session-store.mjs', '--write', '--yes')
    expect(report).toMatchObject({ mode: 'move', outcomes: { adopted: 20, moved: 20 } })
    expect(await application('move').listByUser('id of user-3')).toHaveLength(2)
    // What a command reads is no request: no count is left behind.
    expect(await keysOf('migration:*')).toEqual([])
  })

  test.each([
    ['no store', ['export const other = 1'], [], /exports no store of Coatcheck/],
    ['a store without migrateFrom', ['export const store = new CoatcheckStore()'], [], /has no migrateFrom/],
    [
      'a store without userId',
      ['export const store = new CoatcheckStore({ migrateFrom: connectRedis() })'],
      ['--write'],
      /Add the option userId/,
    ],
    [
      'several stores',
      ['export const one = new CoatcheckStore()', 'export const two = new CoatcheckStore()'],
      [],
      /--export one \| two/,
    ],
    ['another name', ['export const one = new CoatcheckStore()'], ['--export', 'two'], /as "two".*exports "one"/],
    ['an exception', ["throw new Error('not today')"], [], /cannot be loaded: not today/],
  ])('%s: says what is missing', async (_what, lines, args, says) => {
    module(...lines)
    const ended = await migrate('--module', 'session-store.mjs', ...args)
    expect(ended.code).toBeGreaterThan(1)
    expect(ended.stderr).toMatch(says)
  })
})

describe('a mistyped --user-id', () => {
  const TYPO = ['--from', 'connect-redis', '--user-id', 'passport.usr'] as const
  const SAYS = /None of 4 sessions with data has a text or a number at "passport\.usr".*the fields cart, passport\./

  test('a look says so and names no next command; --write refuses, also with --yes', async () => {
    await oldSessions(4)
    const look = await migrate(...TYPO)
    expect([look.code, look.stdout]).toEqual([0, expect.stringMatching(SAYS)])
    expect(look.stdout).not.toContain('Next:')
    for (const flags of [[], ['--yes'], ['--mode', 'move', '--yes']]) {
      const refused = await migrate(...TYPO, '--write', ...flags)
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(SAYS)])
      expect(refused.stderr).toContain('--no-users')
    }
    expect(await client.dbSize()).toBe(4)
  })

  test('one session with a user is enough, behind any number of visitors', async () => {
    const visits = Array.from(
      { length: 1200 },
      (_, i) => [`sess:sid-visit-${i}`, '{"cookie":{},"cart":"empty"}'] as const,
    )
    await client.mSet(visits.flat())
    await oldSessions(1)
    expect(await json(...FROM, '--write')).toMatchObject({ keys: 1201, outcomes: { adopted: 1201 } })
  })

  test('sessions without data say nothing about the field', async () => {
    await client.mSet(['sess:sid-1', '{"cookie":{}}', 'sess:sid-2', '{"cookie":{"path":"/"}}'])
    const ended = await migrate(...TYPO, '--write')
    expect([ended.code, ended.stderr]).toEqual([0, ''])
    await oldSessions(4)
    expect((await migrate(...TYPO, '--write')).stderr).toMatch(SAYS)
  })
})

describe('the mode move and the keys of the application', () => {
  const MOVE = [...FROM, '--mode', 'move', '--write'] as const

  test('without a report of the application, --write moves only with --yes', async () => {
    await oldSessions(2)
    const refused = await migrate(...MOVE)
    expect(refused.code).toBe(6)
    expect(refused.stderr).toMatch(/No process of the application has reported its keys.*--yes/s)
    expect(await client.dbSize()).toBe(2)
    expect((await migrate(...MOVE, '--yes')).code).toBe(0)
    expect(await keysOf('sess:*')).toEqual([])
  })

  test('with other keys than the application, nothing moves, also with --yes; with the same keys, --yes is not needed', async () => {
    await oldSessions(2)
    const app = application()
    await app.get('sid-0')
    // Reports its reads and its keys.
    await app.close()
    const other = { COATCHECK_KEYS: randomBytes(32).toString('base64') }
    const refused = await at.run(['migrate', 'sessions', ...MOVE, '--yes'], other)
    expect(refused.code).toBe(6)
    expect(refused.stderr).toMatch(/not among the keys of the application/)
    expect(await keysOf('sess:*')).toHaveLength(2)
    expect((await migrate(...MOVE)).code).toBe(0)
    expect(await keysOf('sess:*')).toEqual([])
  })

  test('if one process of the application has other keys, nothing moves, whichever has reported last', async () => {
    await oldSessions(2)
    for (const keys of [randomBytes(32).toString('base64'), KEYS]) {
      const app = application('read', keys)
      await app.get('sid-0')
      await app.close()
    }
    const refused = await migrate(...MOVE, '--yes')
    expect(refused.code).toBe(6)
    expect(refused.stderr).toMatch(/Some processes .* do not have the first key/)
    expect(await keysOf('sess:*')).toHaveLength(2)
  })
})
