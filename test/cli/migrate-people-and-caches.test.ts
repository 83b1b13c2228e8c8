/** `coatcheck migrate` on the keys of the real Auth.js adapter and of MSAL's real cache plugin: look, take over, interrupt, resume. */
import { randomBytes, randomUUID } from 'node:crypto'
import { UpstashRedisAdapter } from '@auth/upstash-redis-adapter'
import { DistributedCachePlugin } from '@azure/msal-node'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CoatcheckAdapter } from '../../src/app/drop-ins/authjs.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { PATIENT } from '../lab/limits.ts'
import { msalApplication } from '../migrate/msal-application.ts'
import { type CommandFolder, commandFolder, type Ended } from '../support/command-line.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { until } from '../support/redis-topologies.ts'

const KEYS = `k1:${randomBytes(32).toString('base64')}`
const HOUR_MS = 3_600_000
const SECRET = 'ada@example.test'
/** What a write has to arrive. A later one does nothing. */
const WRITE_MS = 5000
const WRITES = { REDIS_WRITE_TIMEOUT_MS: String(WRITE_MS) }

let server: RedisServer
let client: ReturnType<typeof createClient>
let at: CommandFolder
beforeAll(async () => {
  server = await startRedisServer()
  client = createClient({ url: server.url })
  await client.connect()
})
beforeEach(() => {
  at = commandFolder({ REDIS_URL: server.url, COATCHECK_KEYS: KEYS, REDIS_COMMAND_TIMEOUT_MS: '3000', ...WRITES })
})
afterEach(async () => {
  at.remove()
  await client.flushAll()
})
afterAll(async () => {
  client.destroy()
  await server.stop()
})

const migrate = async (...args: readonly string[]): Promise<Ended> => {
  const ended = await at.run(['migrate', ...args])
  expect(ended.stdout + ended.stderr).not.toContain(SECRET)
  return ended
}
const json = async (...args: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse((await migrate(...args, '--json')).stdout) as Record<string, unknown>
const keysOf = async (pattern: string): Promise<string[]> => {
  const all: string[] = []
  for await (const keys of client.scanIterator({ MATCH: pattern, COUNT: 1000 })) all.push(...keys)
  return all.sort()
}

describe('Auth.js', () => {
  const FROM = ['sessions', '--from', 'auth-js', '--old-prefix', 'nextauth:']
  const tokens: { token: string; endsAtMs: number; userId: string }[] = []

  /** What the old adapter stores for users with an account, each with two sessions. */
  async function oldUsers(count: number): Promise<void> {
    const adapter = UpstashRedisAdapter(
      {
        set: (key: string, value: string) => client.set(key, value),
        get: async (key: string) => JSON.parse((await client.get(key)) ?? 'null') as unknown,
        del: (...keys: string[]) => client.del(keys),
      } as never,
      { baseKeyPrefix: 'nextauth:' },
    ) as unknown as CoatcheckAdapter
    tokens.length = 0
    for (let i = 0; i < count; i++) {
      const email = i === 0 ? SECRET : `user-${i}@example.test`
      const { id } = await adapter.createUser({ email, emailVerified: null })
      await adapter.linkAccount({ userId: id, type: 'oidc', provider: 'idp', providerAccountId: `account-${i}` })
      for (const hours of [0.5, 48]) {
        const session = { sessionToken: randomUUID(), userId: id, expires: new Date(Date.now() + hours * HOUR_MS) }
        await adapter.createSession(session)
        tokens.push({ token: session.sessionToken, endsAtMs: session.expires.getTime(), userId: id })
      }
    }
  }
  const adapterWithout = (): CoatcheckAdapter =>
    CoatcheckAdapter({ store: redisStore({ ...PATIENT, url: server.url }), keys: KEYS })

  test('a dry run: sessions in read, users and accounts too in move, by the end that a session names', async () => {
    await oldUsers(5)
    await client.set('nextauth:user:session:broken', 'no session')
    await client.set('nextauth:user:ada:tokens', 'of another application')
    const before = await client.sendCommand(['DEBUG', 'DIGEST']).catch(() => client.dbSize())
    const lives = { none: 1, underHour: 5, underDay: 0, underWeek: 5, longer: 0 }
    const sessions = { family: 'nextauth:user:session:*', keys: 11, unreadable: 1, lives }
    expect(await json(...FROM)).toMatchObject({ dryRun: true, origin: 'auth-js', families: [sessions] })
    expect(await json(...FROM, '--mode', 'move')).toMatchObject({
      families: [
        { family: 'nextauth:user:*', keys: 5, unreadable: 0, lives: { none: 5 } },
        { family: 'nextauth:user:account:*', keys: 5, unreadable: 0 },
        sessions,
      ],
    })
    const told = await migrate(...FROM, '--mode', 'move')
    expect(told.stdout).toContain('users and accounts have none here either.')
    expect(await client.sendCommand(['DEBUG', 'DIGEST']).catch(() => client.dbSize())).toEqual(before)
  })

  test('read: every session has a copy that ends no later, and all old keys stay', async () => {
    await oldUsers(10)
    const before = await keysOf('nextauth:*')
    const first = await migrate(...FROM, '--write')
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('Took over 20 records.') as string })
    expect(await keysOf('nextauth:*')).toEqual(before)
    expect(await keysOf('host:authjs-session:*')).toHaveLength(20)
    expect(await keysOf('host:authjs-user:*')).toEqual([])
    expect(await json(...FROM, '--write')).toMatchObject({ keys: 20, outcomes: { unchanged: 40 }, isDone: true })
  })

  test('move: interrupted and resumed, each record is moved once, and no old key is left', async () => {
    const count = 150
    await oldUsers(count)
    const running = at.start(['migrate', ...FROM, '--mode', 'move', '--write', '--yes', '--json'])
    await until(async () => (await keysOf('host:authjs-session:*')).length > 20)
    running.signal('SIGINT')
    const interrupted = await running.ended
    expect([interrupted.code, interrupted.stderr]).toEqual([130, ''])
    const part = JSON.parse(interrupted.stdout) as { outcomes: { moved: number }; isDone: boolean }
    expect(part.isDone).toBe(false)
    const rest = (await json(...FROM, '--mode', 'move', '--write', '--yes')) as typeof part
    // A user, an account and two sessions.
    expect(part.outcomes.moved + rest.outcomes.moved).toBe(4 * count)
    expect(await keysOf('nextauth:*')).toEqual([])

    const adapter = adapterWithout()
    for (const { token, endsAtMs, userId } of tokens) {
      const found = await adapter.getSessionAndUser(token)
      expect([found?.session.expires.getTime(), found?.user.id]).toEqual([endsAtMs, userId])
    }
    const userId = tokens[0]?.userId ?? ''
    expect(await adapter.listSessionsByUser(userId)).toHaveLength(2)
    expect((await adapter.getUserByAccount({ provider: 'idp', providerAccountId: 'account-0' }))?.id).toBe(userId)
    await adapter.close()
  })

  test('move: of two users with one address, the second keeps the old record', async () => {
    await oldUsers(1)
    const second = { id: 'second', email: SECRET, emailVerified: null }
    await client.set('nextauth:user:second', JSON.stringify(second))
    await migrate(...FROM, '--mode', 'move', '--write', '--yes')
    // Redis shows keys in any order, so either may be the second.
    const people = [second.id, tokens[0]?.userId ?? ''].map((id) => `nextauth:user:${id}`)
    const left = (await keysOf('nextauth:user:*')).filter((key) => people.includes(key))
    expect(left).toHaveLength(1)
    expect(await client.get(left[0] ?? '')).toContain(SECRET)
  })
})

describe('MSAL', () => {
  const FROM = ['tokens', '--from', 'msal', '--old-key', 'msal:<id>']
  const SCOPES = ['api://orders/Read']
  const cache = {
    get: async (key: string) => (await client.get(key)) ?? '',
    set: async (key: string, value: string) => (await client.set(key, value, { EX: 7200 })) ?? '',
  }
  async function oldCaches(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const plugin = new DistributedCachePlugin(cache, {
        getKey: () => Promise.resolve(''),
        extractKey: ({ homeAccountId }) => Promise.resolve(`msal:${homeAccountId}`),
      })
      const request = { code: `user-${i}`, scopes: SCOPES, redirectUri: 'http://localhost' }
      await msalApplication(plugin, { requests: 0 }).acquireTokenByCode(request)
    }
  }
  const partitionKey = (i: number): string => redisKeys('').tokens(createKeyring(KEYS).userKey(`msal user-${i}.tenant`))

  // Redis counts a life from the arrival of the write. One that arrives after its deadline does nothing.
  test('a dry run, then a move: each cache once, with its remaining life; values of something else stay', async () => {
    await oldCaches(30)
    await client.set('msal:other', 'no cache')
    const ends = await Promise.all(Array.from({ length: 30 }, (_, i) => client.pExpireTime(`msal:user-${i}.tenant`)))
    const families = [{ family: 'msal:*', keys: 31, unreadable: 1, lives: { none: 1, underDay: 30 } }]
    expect(await json(...FROM, '--mode', 'move')).toMatchObject({ command: 'migrate tokens', dryRun: true, families })
    expect(await keysOf('msal:*')).toHaveLength(31)

    const report = await json(...FROM, '--mode', 'move', '--write', '--yes')
    expect(report).toMatchObject({ keys: 31, outcomes: { moved: 30, unreadable: 1 }, isDone: true })
    expect(await keysOf('msal:*')).toEqual(['msal:other'])
    for (const [i, end] of ends.entries()) {
      const own = await client.pExpireTime(partitionKey(i))
      expect(own).toBeLessThanOrEqual(end + WRITE_MS)
      expect(own).toBeGreaterThan(end - 60_000)
    }
    const again = await migrate(...FROM, '--mode', 'move', '--write', '--yes')
    expect(again.stdout).toContain('Took over 0 caches, removed 0 old keys.')
  })

  test('says what is wrong', async () => {
    const noKey = await migrate('tokens', '--from', 'msal')
    expect([noKey.code, noKey.stderr]).toEqual([2, expect.stringContaining("--old-key 'msal:<id>'")])
    const reading = await migrate(...FROM, '--write')
    expect([reading.code, reading.stderr]).toEqual([2, expect.stringContaining('Mode move takes them over')])
  })
})
