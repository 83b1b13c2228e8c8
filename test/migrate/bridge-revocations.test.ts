/** After `revokeByUser`, no old cookie is adopted whose session began before, also where the browser shows no cookie of ours. */
import { randomBytes } from 'node:crypto'
import { sealData } from 'iron-session'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { expressAuth } from '../../src/adapters/express.ts'
import { honoAuth } from '../../src/adapters/hono.ts'
import { withAdoption } from '../../src/adapters/next/with-adoption.ts'
import { nodeAuth } from '../../src/adapters/node.ts'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { leaveUncounted } from '../../src/app/drop-in-origin.ts'
import { fromIronSession } from '../../src/entries/migrate.ts'
import { setCookiesOf } from '../../src/http/cookie.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import { namesEntryOf } from '../../src/keyring/keyring.ts'
import type { CookieBridge } from '../../src/migrate/cookie-bridge.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { cookieHeader } from './old-apps.ts'
import { withBridge } from './old-bridges.ts'
import { auth0App, authJsApp } from './old-sealed-apps.ts'

const SECRET = 'the secret of the old application, 32 characters or more'
const KEYS = randomBytes(32).toString('base64')

let redis: RedisServer
let auth: Coatcheck<Record<string, unknown>>

beforeAll(async () => {
  vi.stubEnv('COATCHECK_LOG', 'silent')
  redis = await startRedisServer()
  auth = coatcheck({ baseUrl: 'https://app.example', keys: KEYS, store: redisStore({ url: redis.url }) })
  // A timer reports the counts of old sessions to the store. Here only commands of requests count.
  leaveUncounted(auth.events)
  await auth.ready()
})
afterAll(async () => {
  await auth.close()
  await redis.stop()
  vi.unstubAllEnvs()
})
beforeEach(() => redis.cli('flushall'))
afterEach(() => vi.useRealTimers())

function exchange(cookie: string, adopt: CookieBridge) {
  const sink = createHeadersSink()
  const made = auth.http.requestSession({ cookieHeader: cookie, sink, adopt })
  return { ...made, cookie: () => cookieHeader(setCookiesOf(sink), cookie) }
}
const later = () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2000 })
const ironBridge = (signedInAtMs?: number) =>
  fromIronSession<{ userId?: string }>({
    ...{ password: SECRET, cookieName: 'iron' },
    user: ({ userId }) => ({
      userId,
      ...(signedInAtMs !== undefined && {
        authentication: { provider: 'dev', issuer: 'i', subject: 's', authenticatedAtMs: signedInAtMs },
      }),
    }),
  })
const ironCookie = async (userId = 'ada') =>
  `iron=${encodeURIComponent(await sealData({ userId }, { password: SECRET }))}`
const userOf = async (cookie: string, adopt: CookieBridge) => (await exchange(cookie, adopt).getSession()).user?.id

it.each([true, false])(
  'a JWT of Auth.js that began before is refused, and one of a later sign-in is adopted (adopted before: %s)',
  async (isAdopted) => {
    const app = withBridge(authJsApp())
    const first = await app.signIn('ada')
    const adopt = app.bridge()
    expect(await userOf(isAdopted ? first : 'x=y', adopt)).toBe(isAdopted ? 'ada' : undefined)
    const sealedAgain = cookieHeader((await app.ask(first)).lines, first)
    expect(sealedAgain).not.toBe(first)
    await auth.sessions.revokeByUser('ada')
    const before = await redis.cli('debug', 'digest')
    for (const cookie of [first, sealedAgain]) expect(await userOf(cookie, adopt)).toBeUndefined()
    expect(await redis.cli('debug', 'digest')).toBe(before)
    later()
    expect(await userOf(await app.signIn('ada'), adopt)).toBe('ada')
  },
)

it('a session of nextjs-auth0 is refused, also when the SDK seals it again after the revocation', async () => {
  const app = withBridge(await auth0App())
  const first = await app.signIn('ada')
  const adopt = app.bridge()
  expect(await userOf(first, adopt)).toBe('ada')
  await auth.sessions.revokeByUser('ada')
  later()
  const sealedAgain = cookieHeader((await app.ask(first)).lines, first)
  expect(sealedAgain).not.toBe(first)
  expect(await userOf(sealedAgain, adopt)).toBeUndefined()
  expect(await userOf(await app.signIn('ada'), adopt)).toBe('ada')
})

it('a cookie that does not say when it began is refused, unless user() says it', async () => {
  await userOf('x=y', ironBridge())
  await auth.sessions.revokeByUser('ada')
  const now = Date.now()
  expect(await userOf(await ironCookie(), ironBridge())).toBeUndefined()
  expect(await userOf(await ironCookie(), ironBridge(now - 1000))).toBeUndefined()
  expect(await userOf(await ironCookie(), ironBridge(now + 1000))).toBe('ada')
})

it('a time of the sign-in that is no time counts as unknown', async () => {
  await userOf('x=y', ironBridge())
  await auth.sessions.revokeByUser('ada')
  // As of an old session that lacks the field: new Date(old.loginAt).getTime().
  for (const time of [Number.NaN, Number.POSITIVE_INFINITY, String(Date.now() + 1000) as never])
    expect(await userOf(await ironCookie(), ironBridge(time))).toBeUndefined()
})

it('in a process whose middleware has served no request yet, it is remembered all the same', async () => {
  const fresh = coatcheck({ baseUrl: 'https://app.example', keys: KEYS, store: redisStore({ url: redis.url }) })
  for (const mount of [
    () => expressAuth(fresh, { adopt: ironBridge() }),
    () => honoAuth(fresh, { adopt: ironBridge() }),
    () => nodeAuth(fresh, { adopt: ironBridge() }),
    () => withAdoption(fresh, { adopt: ironBridge() }),
  ]) {
    await redis.cli('flushall')
    mount()
    await fresh.sessions.revokeByUser('ada')
    expect(await userOf(await ironCookie(), ironBridge())).toBeUndefined()
  }
  await fresh.close()
})

it('the session that stays stays, and another user is none of it', async () => {
  const adopt = ironBridge()
  const [kept, other] = [exchange(await ironCookie(), adopt), exchange(await ironCookie(), adopt)]
  const [{ id }] = await Promise.all([kept.getSession(), other.getSession()])
  await auth.sessions.revokeByUser('ada', { except: id ?? '' })
  expect(await userOf(kept.cookie(), adopt)).toBe('ada')
  expect(await userOf(other.cookie(), adopt)).toBeUndefined()
  expect(await userOf(await ironCookie('grace'), ironBridge())).toBe('grace')
})

it('a store that takes no mark ends the sessions all the same, and the caller hears of it', async () => {
  const first = exchange(await ironCookie(), ironBridge())
  await first.getSession()
  await redis.cli('config', 'set', 'maxmemory', '1')
  try {
    await expect(auth.sessions.revokeByUser('ada')).rejects.toMatchObject({ code: 'COATCHECK_REDIS_OOM' })
  } finally {
    await redis.cli('config', 'set', 'maxmemory', '0')
  }
  expect(await userOf(first.cookie(), ironBridge())).toBeUndefined()
})

it('a mark that no key of the ring opens refuses old cookies all the same', async () => {
  await userOf('x=y', ironBridge())
  await auth.sessions.revokeByUser('ada')
  // The operator has removed the key that sealed the mark, and kept the names.
  const keys = `next:${randomBytes(32).toString('base64')},${namesEntryOf(KEYS)}`
  const rotated = coatcheck({ baseUrl: 'https://app.example', keys, store: redisStore({ url: redis.url }) })
  const show = async (cookieHeader: string) => {
    const request = rotated.http.requestSession({
      cookieHeader,
      sink: createHeadersSink(),
      adopt: ironBridge(),
    })
    return (await request.getSession()).user?.id
  }
  try {
    expect(await show(await ironCookie())).toBeUndefined()
    expect(await show(await ironCookie('grace'))).toBe('grace')
  } finally {
    await rotated.close()
  }
})
