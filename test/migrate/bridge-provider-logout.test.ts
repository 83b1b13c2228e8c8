/** A logout at the provider ends adopted sessions, and refuses old cookies of that sign-in that are shown afterwards. */
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sealData } from 'iron-session'
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { expressAuth } from '../../src/adapters/express.ts'
import { fromIronSession } from '../../src/entries/migrate.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { providerMetadata } from '../support/provider-metadata.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const PASSWORD = 'the password of the old application, 32 characters or more'
const BASE_URL = 'http://localhost:3000'
const MINUTE_MS = 60_000

interface OldSession {
  readonly userId: string
  readonly sid?: string
  readonly signedInAtMs: number
}

let redis: RedisServer
let server: Server
let issuer: string
let key: CryptoKey
let auth: Coatcheck<Record<string, unknown>>

beforeAll(async () => {
  vi.stubEnv('COATCHECK_LOG', 'silent')
  redis = await startRedisServer()
  const pair = await generateKeyPair('RS256')
  key = pair.privateKey
  const jwk = { ...(await exportJWK(pair.publicKey)), alg: 'RS256', use: 'sig', kid: 'one' }
  server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url === '/keys' ? { keys: [jwk] } : providerMetadata(issuer)))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await redis.stop()
  vi.unstubAllEnvs()
})
beforeEach(async () => {
  await redis.cli('flushall')
  auth = coatcheck({
    ...{ baseUrl: BASE_URL, keys: randomBytes(32).toString('base64'), store: redisStore({ url: redis.url }) },
    providers: [oidc({ name: 'dev', issuer, clientId: 'app', clientSecret: 'secret' })],
  })
  expressAuth(auth, { adopt })
})
afterEach(async () => {
  vi.useRealTimers()
  await auth.close()
})

const adopt = fromIronSession<OldSession>({
  ...{ password: PASSWORD, cookieName: 'iron' },
  user: ({ userId, sid, signedInAtMs }) => ({
    userId,
    authentication: {
      ...{ provider: 'dev', issuer, subject: userId, authenticatedAtMs: signedInAtMs },
      ...(sid !== undefined && { sid }),
    },
  }),
})
const signedInAtMs = Date.now() - 10 * MINUTE_MS
async function oldCookie(old: Partial<OldSession> = {}): Promise<string> {
  const session: OldSession = { userId: 'ada', signedInAtMs, ...old }
  return `iron=${encodeURIComponent(await sealData(session, { password: PASSWORD }))}`
}
async function userOf(cookieHeader: string): Promise<string | undefined> {
  const exchange = auth.http.requestSession({ cookieHeader, sink: createHeadersSink(), adopt })
  return (await exchange.getSession()).user?.id
}
async function logOutAtProvider(claims: { readonly sub?: string; readonly sid?: string }): Promise<void> {
  const seconds = Math.floor(Date.now() / 1000)
  const token = await new SignJWT({
    ...{ iss: issuer, aud: 'app', iat: seconds, exp: seconds + 120, jti: randomBytes(12).toString('hex'), ...claims },
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })
    .setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'logout+jwt' })
    .sign(key)
  const response = await auth.handler(
    new Request(`${BASE_URL}/auth/backchannel-logout`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ logout_token: token }),
    }),
  )
  expect(response.status).toBe(200)
}

describe.each([
  ['of the user', { sub: 'ada' }, {}],
  ['of the session', { sub: 'ada', sid: 'one' }, { sid: 'one' }],
  ['of the session, without a subject', { sid: 'one' }, { sid: 'one' }],
  ['of a session, where the old one names none', { sub: 'ada', sid: 'one' }, {}],
])('a logout %s', (_name, claims, old) => {
  it('ends the session that was adopted', async () => {
    const cookie = await oldCookie(old)
    expect(await userOf(cookie)).toBe('ada')
    await logOutAtProvider(claims)
    expect(await auth.sessions.listByUser('ada')).toEqual([])
    for (const one of [cookie, await oldCookie(old)]) expect(await userOf(one)).toBeUndefined()
  })

  it('refuses an old cookie that is shown for the first time afterwards, also weeks later', async () => {
    await logOutAtProvider(claims)
    expect(await userOf(await oldCookie(old))).toBeUndefined()
    expect(await auth.sessions.listByUser('ada')).toEqual([])
    const names = (await redis.cli('--scan', '--pattern', 'provider:sid:*')).split('\n')
    const lives = await Promise.all(names.map(async (name) => Number(await redis.cli('pttl', name))))
    expect(Math.max(...lives)).toBeGreaterThan(29 * 24 * 60 * MINUTE_MS)
  })

  it('lets another user, and a later sign-in, be adopted', async () => {
    await logOutAtProvider(claims)
    expect(await userOf(await oldCookie({ ...old, userId: 'grace', ...('sid' in old && { sid: 'two' }) }))).toBe(
      'grace',
    )
    const later = await oldCookie({ ...('sid' in old && { sid: 'two' }), signedInAtMs: Date.now() + 2000 })
    expect(await userOf(later)).toBe('ada')
  })
})

it('an old session whose time of the sign-in is unknown counts as one before the logout', async () => {
  await logOutAtProvider({ sub: 'ada' })
  expect(await userOf(await oldCookie({ signedInAtMs: Number.NaN }))).toBeUndefined()
})

it('without an option adopt, a logout is remembered for as long as a sign-in may take', async () => {
  await auth.close()
  auth = coatcheck({
    ...{ baseUrl: BASE_URL, keys: randomBytes(32).toString('base64'), store: redisStore({ url: redis.url }) },
    providers: [oidc({ name: 'dev', issuer, clientId: 'app', clientSecret: 'secret' })],
  })
  await logOutAtProvider({ sub: 'ada' })
  const name = await redis.cli('--scan', '--pattern', 'provider:sid:*')
  expect(Number(await redis.cli('pttl', name))).toBeLessThanOrEqual(20 * MINUTE_MS)
})
