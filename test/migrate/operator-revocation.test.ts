/** What operators end stays ended: after `coatcheck sessions revoke`, no old cookie of the user is adopted that began before. */
import { mkdtempSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sealData } from 'iron-session'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { runProgram } from '../../src/cli/program.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import {
  type AdminContext,
  deleteTokens,
  endSessions,
  type RevocationTarget,
  openAdmin,
  planRevocation,
} from '../../src/entries/admin.ts'
import { oidc } from '../../src/entries/coatcheck.ts'
import { fromGuideTokens, fromIronSession } from '../../src/entries/migrate.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const PASSWORD = 'the password of the old application, 32 characters or more'
const KEYS = randomBytes(32).toString('base64')
const OLD_TOKENS = { accessToken: 'old access token', refreshToken: 'old refresh token' }

let redis: RedisServer
let auth: Coatcheck<Record<string, unknown>>
let operator: AdminContext
let folder: string

beforeAll(async () => {
  redis = await startRedisServer()
  folder = mkdtempSync(join(tmpdir(), 'coatcheck-operator-'))
  for (const [name, value] of Object.entries({ COATCHECK_LOG: 'silent', REDIS_URL: redis.url, COATCHECK_KEYS: KEYS }))
    vi.stubEnv(name, value)
  const options = {
    baseUrl: 'https://app.example',
    keys: KEYS,
    store: redisStore({ url: redis.url }),
    providers: [oidc({ name: 'login', issuer: 'https://login.example', clientId: 'app', clientSecret: 'secret' })],
  }
  auth = coatcheck(options)
  auth.tokens.adopt(fromGuideTokens())
  operator = await openAdmin(options)
  await auth.ready()
})
afterAll(async () => {
  await auth.close()
  await operator.close()
  await redis.stop()
  rmSync(folder, { recursive: true })
  vi.unstubAllEnvs()
})
beforeEach(() => redis.cli('flushall'))

const adopt = fromIronSession<{ userId?: string }>({
  ...{ password: PASSWORD, cookieName: 'iron' },
  user: ({ userId }) => ({ userId }),
})
/** Each seal has a text of its own, as when the old application saves its session at each request. */
async function oldCookie(userId = 'ada'): Promise<string> {
  return `iron=${encodeURIComponent(await sealData({ userId }, { password: PASSWORD }))}`
}
async function userOf(cookieHeader: string): Promise<string | undefined> {
  const exchange = auth.http.requestSession({ cookieHeader, sink: createHeadersSink(), adopt })
  return (await exchange.getSession()).user?.id
}

async function end(wish: RevocationTarget): Promise<void> {
  await endSessions(operator, wish, await planRevocation(operator, wish), 'laptop-lost')
}
async function command(...args: readonly string[]): Promise<number> {
  const sink = { isTerminal: false, hasColour: false, columns: 80, write: () => undefined }
  const terminal: Terminal = {
    ...{ stdout: sink, stderr: sink, isInteractive: false, folder },
    async *input() {},
    onInterrupt: () => () => undefined,
  }
  return runProgram(args, terminal)
}

describe.each<[string, () => Promise<unknown>]>([
  ['the command', () => command('sessions', 'revoke', '--user', 'ada', '--all', '--yes')],
  ['endSessions() of coatcheck/admin', () => end({ userKey: operator.keyring.userKey('ada') })],
  ['revokeByUser() of an admin context', () => operator.sessions.revokeByUser('ada')],
])('after %s has ended the sessions of a user', (_name, revoke) => {
  it.each([true, false])(
    'no old cookie of the user is adopted, and nothing is written (adopted before: %s)',
    async (isAdopted) => {
      const first = await oldCookie()
      if (isAdopted) expect(await userOf(first)).toBe('ada')
      await revoke()
      const before = await redis.cli('debug', 'digest')
      for (const cookie of [first, await oldCookie()]) expect(await userOf(cookie)).toBeUndefined()
      expect(await redis.cli('debug', 'digest')).toBe(before)
      expect(await userOf(await oldCookie('grace'))).toBe('grace')
    },
  )
})

it('a session that the operator keeps stays, and the old cookies of its user are refused', async () => {
  const { session, ticket } = await auth.sessions.create({ userId: 'ada' })
  await end({ userKey: operator.keyring.userKey('ada'), exceptSessionId: session.id ?? '' })
  expect((await auth.sessions.find(ticket)).session?.user?.id).toBe('ada')
  expect(await userOf(await oldCookie())).toBeUndefined()
})

it('a store that takes no mark ends the sessions all the same, and the operator hears of it', async () => {
  const { ticket } = await auth.sessions.create({ userId: 'ada' })
  await redis.cli('config', 'set', 'maxmemory', '1')
  try {
    await expect(end({ userKey: operator.keyring.userKey('ada') })).rejects.toMatchObject({
      code: 'COATCHECK_REDIS_OOM',
    })
  } finally {
    await redis.cli('config', 'set', 'maxmemory', '0')
  }
  expect((await auth.sessions.find(ticket)).session).toBeNull()
})

describe('old tokens', () => {
  let count = 0
  let userId: string
  /** A process remembers for seconds what it has found of a user. */
  beforeEach(() => (userId = `user-${++count}`))
  const keyOf = (id: string): string => operator.keyring.userKey(id)
  const storeOld = (): Promise<string> =>
    redis.cli('set', `user:${userId}:tokens`, JSON.stringify({ ...OLD_TOKENS, expiresAt: Date.now() / 1000 + 3600 }))
  const found = async (): Promise<string | undefined> =>
    (await auth.tokens.getUserTokens(userId))?.refreshToken ?? undefined

  it.each<[string, () => Promise<unknown>]>([
    ['deleteTokens()', () => deleteTokens(operator, keyOf(userId), undefined)],
    ['deleteTokens() of one provider', () => deleteTokens(operator, keyOf(userId), 'login')],
    ['deleteUserTokens() of an admin context', () => operator.tokens.deleteUserTokens(userId)],
    ['the end of all sessions', () => end({ userKey: keyOf(userId) })],
    ['revokeByUser() of an admin context', () => operator.sessions.revokeByUser(userId)],
    [
      'the end of the last session',
      async () => end({ sessionId: (await auth.sessions.listByUser(userId))[0]?.id ?? '' }),
    ],
  ])('are not adopted after %s', async (_name, revoke) => {
    await auth.sessions.create({ userId })
    await storeOld()
    await revoke()
    expect(await found()).toBeUndefined()
  })

  it('are adopted while the user has another session', async () => {
    for (let i = 0; i < 2; i++) await auth.sessions.create({ userId })
    await storeOld()
    await end({ sessionId: (await auth.sessions.listByUser(userId))[0]?.id ?? '' })
    expect(await found()).toBe(OLD_TOKENS.refreshToken)
  })

  it('a store that takes no mark deletes the tokens all the same, and the operator hears of it', async () => {
    await auth.tokens.setUserTokens(userId, { ...OLD_TOKENS, expiresAt: Date.now() + 3_600_000 })
    await redis.cli('config', 'set', 'maxmemory', '1')
    try {
      await expect(deleteTokens(operator, keyOf(userId), undefined)).rejects.toMatchObject({
        code: 'COATCHECK_REDIS_OOM',
      })
    } finally {
      await redis.cli('config', 'set', 'maxmemory', '0')
    }
    expect(await found()).toBeUndefined()
  })
})
