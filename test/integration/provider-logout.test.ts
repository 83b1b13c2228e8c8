/**
 * Logout that the provider begins: by the development provider itself, by tokens of every wrong kind, and in the middle of a
 * sign-in, a thousand times.
 */
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import type { ResolvedProvider } from '../../src/config/types.ts'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import { systemRandom } from '../../src/core/random.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { createRedisProviderSessionDriver } from '../../src/stores/redis/provider-session-driver.ts'
import { oidc, type OidcOptions } from '../../src/oidc/provider.ts'
import { createProviderLogout } from '../../src/oidc/provider-logout.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { absentSessions } from '../../src/session/absent-sessions.ts'
import { createRedisSessionDriver } from '../../src/stores/redis/session-driver.ts'
import { sessionIdOf } from '../../src/session/ticket.ts'
import { testKey } from '../../src/testing/session-fixture.ts'
import { closeRedis, openRedis } from '../support/redis-clients.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { providerMetadata } from '../support/provider-metadata.ts'
import { Browser } from '../support/test-app.ts'
import { HANG_MS } from '../lab/limits.ts'

type Auth = Coatcheck<Record<string, unknown>>

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const BASE_URL = 'http://localhost:3000'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())
beforeEach(() => redis.cli('flushall'))

function open(
  { issuer, clientId, clientSecret }: Pick<DevProvider, 'issuer' | 'clientId' | 'clientSecret'>,
  options: Pick<OidcOptions, 'clockTolerance' | 'allowUntypedLogoutTokens'> = {},
  redisOptions: Pick<RedisStoreOptions, 'durability'> = {},
): Auth {
  return coatcheck({
    store: redisStore({ url: redis.url, ...redisOptions }),
    keys: randomBytes(32).toString('base64'),
    baseUrl: BASE_URL,
    signIn: { userId: ({ claims }) => claims['email'] as string },
    providers: [oidc({ name: 'dev', issuer, clientId, clientSecret, ...options })],
  })
}
const browserOf = (auth: Auth): Browser =>
  new Browser({ config: { baseUrl: new URL(BASE_URL) }, routes: (request, context) => auth.handler(request, context) })
const post = (auth: Auth, token: string, path = '/auth/backchannel-logout'): Promise<Response> =>
  auth.handler(
    new Request(`${BASE_URL}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ logout_token: token }),
    }),
  )
const statusOf = async (browser: Browser): Promise<number> => (await browser.json('/auth/session')).status

describe('at the development provider', () => {
  let dev: DevProvider
  let auth: Auth
  let relay: Server
  const answers: number[] = []
  beforeEach(async () => {
    answers.length = 0
    // Where the provider posts its logout tokens to: the application, over real HTTP.
    relay = createServer((request, response) => {
      void (async () => {
        let body = ''
        for await (const chunk of request) body += String(chunk)
        const headers = { 'content-type': request.headers['content-type'] ?? '' }
        const answer = await auth.handler(
          new Request(`${BASE_URL}${request.url ?? ''}`, { method: 'POST', headers, body }),
        )
        answers.push(answer.status)
        response.writeHead(answer.status).end()
      })()
    })
    await new Promise<void>((resolve) => void relay.listen(0, '127.0.0.1', resolve))
    const { port } = relay.address() as AddressInfo
    dev = await startDevProvider({
      redirectUris: [`${BASE_URL}/auth/callback`],
      backchannelLogoutUri: `http://127.0.0.1:${port}/auth/backchannel-logout`,
    })
    auth = open(dev)
  })
  afterEach(async () => {
    await auth.close()
    await dev.close()
    relay.closeAllConnections()
    relay.close()
  })

  /** As a browser does it: the provider's own page, and its form. */
  async function signOutAtProvider(browser: Browser): Promise<void> {
    const endpoint = `${dev.url}/${dev.tenantId}/oauth2/v2.0/logout`
    const page = await (await browser.request(endpoint)).text()
    const action = /action="([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
    await browser.request(new URL(action, endpoint), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ xsrf, logout: 'yes' }).toString(),
    })
  }

  test('signing out there ends the session here, and no other one', async () => {
    const [ada, other] = [browserOf(auth), browserOf(auth)]
    await ada.signIn()
    await other.signIn()
    const logouts: unknown[] = []
    auth.events.on('provider.logout', (event) => logouts.push(event))
    await signOutAtProvider(ada)
    expect(answers).toEqual([200])
    expect(await statusOf(ada)).toBe(401)
    expect(await statusOf(other)).toBe(200)
    expect(logouts).toEqual([{ provider: 'dev', channel: 'back', count: 1 }])
    await ada.signIn()
    expect(await statusOf(ada)).toBe(200)
  })

  test('a logout that no replica has acknowledged is answered 503, so that the provider repeats it', async () => {
    await auth.close()
    auth = open(dev, {}, { durability: { replicas: 1, timeoutMs: 50 } })
    const ada = browserOf(auth)
    await ada.signIn()
    await signOutAtProvider(ada)
    expect(answers).toEqual([503])
    expect(await statusOf(ada)).toBe(401)
    expect(await redis.cli('--scan', '--pattern', '*provider:logout:*')).toBe('')
  })

  test('sessions that have ended leave the index of their user, and a session that lives stays in it', async () => {
    const kept = browserOf(auth)
    await kept.signIn()
    for (let i = 0; i < 40; i++) {
      const browser = browserOf(auth)
      await browser.signIn()
      const answer = (await (await browser.json('/auth/session')).json()) as { session: { id: string } }
      const { id } = answer.session
      if (i % 2 === 0) await auth.sessions.revoke(id)
      // An idle timeout: the record goes by itself.
      else await redis.cli('del', (await redis.cli('--scan', '--pattern', `*:{${id.replace('.', '}:')}`)).trim())
      if (i === 39) expect(await statusOf(browser)).toBe(401)
    }
    const names = (await redis.cli('--scan', '--pattern', '*provider:sid:*')).split('\n')
    const sizes = await Promise.all(
      names.map(async (name) => Number(await redis.cli('zcount', name, '100000000000', '+inf'))),
    )
    expect(Math.max(...sizes)).toBeGreaterThan(1)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 * 1 + 17)
    expect(await statusOf(kept)).toBe(200)
    await signOutAtProvider(kept)
    expect(await statusOf(kept)).toBe(401)
  })

  test('the front channel ends it by sid alone, without cookies, in a frame; an unknown sid looks the same', async () => {
    const ada = browserOf(auth)
    await ada.signIn()
    const stored = await auth.tokens.getUserTokens('ada@example.test')
    const payload = JSON.parse(Buffer.from(stored?.idToken?.split('.')[1] ?? '', 'base64url').toString()) as {
      sid: string
    }
    const get = (sid: string): Promise<Response> =>
      auth.handler(new Request(`${BASE_URL}/auth/frontchannel-logout?${new URLSearchParams({ sid }).toString()}`))
    const before = await redis.cli('dbsize')
    const unknown = await get('never-heard-of')
    expect(await redis.cli('dbsize')).toBe(before)
    expect(await statusOf(ada)).toBe(200)
    const known = await get(payload.sid)
    expect(await statusOf(ada)).toBe(401)
    for (const answer of [unknown, known]) {
      expect(answer.status).toBe(200)
      expect(answer.headers.get('cache-control')).toContain('no-store')
      expect(answer.headers.get('x-frame-options')).toBeNull()
      expect(answer.headers.get('content-security-policy')).not.toContain('frame-ancestors')
      expect(answer.headers.getSetCookie()).toEqual([])
    }
    expect(await unknown.text()).toBe(await known.text())
    for (const query of ['', '?sid=', '?sid=a&sid=b', `?sid=${'x'.repeat(600)}`, '?sid=a&iss=https://other.example']) {
      expect((await auth.handler(new Request(`${BASE_URL}/auth/frontchannel-logout${query}`))).status).toBe(400)
    }
  })
})

describe('a logout token', () => {
  let issuer: string
  let server: Server
  let auth: Auth
  let key: CryptoKey
  let otherKey: CryptoKey
  let keyRequests = 0
  let publishedId: string
  const clientId = 'app'
  beforeEach(async () => {
    keyRequests = 0
    publishedId = 'one'
    const pair = await generateKeyPair('RS256')
    key = pair.privateKey
    otherKey = (await generateKeyPair('RS256')).privateKey
    const jwk = { ...(await exportJWK(pair.publicKey)), alg: 'RS256', use: 'sig' }
    server = createServer((request, response) => {
      const isKeys = request.url === '/keys'
      if (isKeys) keyRequests++
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(isKeys ? { keys: [{ ...jwk, kid: publishedId }] } : providerMetadata(issuer)))
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    auth = open({ issuer, clientId, clientSecret: 'secret' })
  })
  afterEach(async () => {
    await auth.close()
    server.closeAllConnections()
    server.close()
  })
  const nowSeconds = (): number => Math.floor(Date.now() / 1000)
  const claims = (): JWTPayload => ({
    iss: issuer,
    aud: clientId,
    sub: 'subject',
    sid: 'session',
    iat: nowSeconds(),
    exp: nowSeconds() + 120,
    jti: randomBytes(12).toString('hex'),
    events: { [EVENT]: {} },
  })
  type Header = { alg?: string; typ?: string | undefined; kid?: string }
  const sign = (payload: JWTPayload, header: Header = {}, signer: CryptoKey = key): Promise<string> => {
    const { typ = 'logout+jwt', ...rest } = header
    return new SignJWT(payload)
      .setProtectedHeader({ alg: 'RS256', kid: 'one', ...(typ && { typ }), ...rest })
      .sign(signer)
  }
  /** What any visitor can post. */
  const unsigned = (header: string, payload: string): string =>
    [header, payload, 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.')
  const nested = '['.repeat(5000) + ']'.repeat(5000)
  const without = (name: string): JWTPayload => {
    const { [name]: _, ...rest } = claims()
    return rest
  }

  const forged: readonly [reason: string, name: string, make: () => Promise<string> | string][] = [
    ['malformed', 'that is none', () => 'nonsense'],
    ['malformed', 'whose parts are no JSON', () => 'a.b.c'],
    ['encrypted', 'that is encrypted', () => 'a.b.c.d.e'],
    ['too-long', 'of 20 KB', () => 'x'.repeat(20_000)],
    [
      'algorithm',
      'with alg none',
      () =>
        `${Buffer.from('{"alg":"none","typ":"logout+jwt"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims())).toString('base64url')}.`,
    ],
    [
      'algorithm',
      'signed with the client secret',
      () =>
        new SignJWT(claims())
          .setProtectedHeader({ alg: 'HS256', typ: 'logout+jwt' })
          .sign(Buffer.from('secret'.padEnd(32))),
    ],
    ['type', 'typed as an access token', () => sign(claims(), { typ: 'at+jwt' })],
    ['type', 'typed as any JWT', () => sign(claims(), { typ: 'JWT' })],
    ['type', 'without a type', () => sign(claims(), { typ: '' })],
    ['malformed', 'with a type that is no text', () => unsigned('{"alg":"RS256","typ":1}', JSON.stringify(claims()))],
    [
      'issuer',
      'with an issuer of 5,000 nested arrays',
      () => unsigned('{"alg":"RS256","typ":"logout+jwt"}', `{"iss":${nested}}`),
    ],
    [
      'audience',
      'with an audience of 5,000 nested arrays',
      () => unsigned('{"alg":"RS256","typ":"logout+jwt"}', `{"iss":"${issuer}","aud":${nested}}`),
    ],
    ['issuer', 'of another issuer', () => sign({ ...claims(), iss: 'https://other.example' })],
    ['issuer', 'without issuer', () => sign(without('iss'))],
    ['audience', 'for another application', () => sign({ ...claims(), aud: ['other'] })],
    ['audience', 'without audience', () => sign(without('aud'))],
    ['issued-at', 'without iat', () => sign(without('iat'))],
    ['issued-at', 'of the future', () => sign({ ...claims(), iat: nowSeconds() + 3600 })],
    ['issued-at', 'beyond the tolerance of the clocks', () => sign({ ...claims(), iat: nowSeconds() + 90 })],
    [
      'too-old',
      'of seven minutes ago that does not expire',
      () => sign({ ...claims(), iat: nowSeconds() - 420, exp: 253_402_300_799 }),
    ],
    ['expired', 'without exp', () => sign(without('exp'))],
    ['expired', 'that has expired', () => sign({ ...claims(), exp: nowSeconds() - 3600 })],
    ['subject', 'without sub and sid', () => sign({ ...without('sub'), sid: undefined })],
    ['subject', 'with a sid that is no text', () => sign({ ...claims(), sid: { $ne: '' } })],
    ['events', 'without events', () => sign(without('events'))],
    ['events', 'with another event', () => sign({ ...claims(), events: { 'https://other.example': {} } })],
    ['events', 'with an event that is no object', () => sign({ ...claims(), events: { [EVENT]: true } })],
    ['nonce', 'with a nonce, as an ID token has', () => sign({ ...claims(), nonce: 'n' })],
    ['token-id', 'without jti', () => sign(without('jti'))],
    ['signature', 'signed with another key', () => sign(claims(), {}, otherKey)],
    ['signature', 'of an unknown key id', () => sign(claims(), { kid: 'two' }, otherKey)],
  ]
  test.each(forged)('is refused as %s: one %s', async (reason, _name, make) => {
    const answer = await post(auth, await make())
    expect(answer.status).toBe(400)
    expect(await answer.json()).toEqual({ error: 'invalid_request', error_description: reason })
    expect(answer.headers.get('cache-control')).toContain('no-store')
    expect(await redis.cli('dbsize')).toBe('0')
  })

  test('leaves a key that ends soon, whatever its own end says', async () => {
    expect((await post(auth, await sign({ ...claims(), exp: 253_402_300_799 }))).status).toBe(200)
    const keys = (await redis.cli('--scan')).split('\n')
    const lives = await Promise.all(keys.map(async (key) => Number(await redis.cli('pttl', key))))
    expect(Math.max(...lives)).toBeLessThanOrEqual(20 * 60_000)
    expect(Math.min(...lives)).toBeGreaterThan(0)
  })

  test('without a type is taken where the provider is allowed to leave it away', async () => {
    const lenient = open({ issuer, clientId, clientSecret: 'secret' }, { allowUntypedLogoutTokens: true })
    try {
      for (const typ of ['', 'JWT']) expect((await post(lenient, await sign(claims(), { typ }))).status).toBe(200)
      expect((await post(lenient, await sign(claims(), { typ: 'at+jwt' }))).status).toBe(400)
    } finally {
      await lenient.close()
    }
  })

  test('is judged by clockTolerance', async () => {
    const exact = open({ issuer, clientId, clientSecret: 'secret' }, { clockTolerance: '1s' })
    const lenient = open({ issuer, clientId, clientSecret: 'secret' }, { clockTolerance: '5m' })
    try {
      const ahead = await sign({ ...claims(), iat: nowSeconds() + 30, exp: nowSeconds() + 150 })
      expect((await post(exact, ahead)).status).toBe(400)
      expect((await post(lenient, await sign({ ...claims(), iat: nowSeconds() + 240 }))).status).toBe(200)
    } finally {
      await Promise.all([exact.close(), lenient.close()])
    }
  })

  test('is taken once, for unknown sessions too; a second time it is a replay', async () => {
    const token = await sign(claims())
    expect((await post(auth, token)).status).toBe(200)
    const again = await post(auth, token)
    expect([again.status, await again.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'replayed' },
    ])
    expect((await post(auth, await sign(without('sid')), '/auth/backchannel-logout/dev')).status).toBe(200)
    expect((await post(auth, await sign(claims()), '/auth/backchannel-logout/other')).status).toBe(400)
  })

  test('that comes while Redis is away is answered 503, and works when it comes again', async () => {
    const token = await sign(claims())
    expect((await post(auth, await sign(claims()))).status).toBe(200)
    redis.pause()
    expect((await post(auth, token)).status).toBe(503)
    redis.resume()
    const end = Date.now() + HANG_MS
    let status = 503
    while (status === 503 && Date.now() < end) status = (await post(auth, token)).status
    expect(status).toBe(200)
  })

  test('whose sign-out failed half way works when the provider repeats it', async () => {
    const token = await sign(claims())
    await redis.cli('acl', 'setuser', 'default', '-zadd', '-del')
    try {
      expect((await post(auth, token)).status).toBeGreaterThanOrEqual(500)
    } finally {
      await redis.cli('acl', 'setuser', 'default', '+@all')
    }
    expect((await post(auth, token)).status).toBe(200)
    expect((await post(auth, token)).status).toBe(400)
  })

  test('of a new key gets 503 with the time of the next fetch, if a stranger has used up the fetch of the minute', async () => {
    expect((await post(auth, await sign(claims()))).status).toBe(200)
    expect((await post(auth, await sign(claims(), { kid: 'junk' }, otherKey))).status).toBe(400)
    publishedId = 'two'
    const answer = await post(auth, await sign(claims(), { kid: 'two' }))
    expect(answer.status).toBe(503)
    const seconds = Number(answer.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(5)
    expect(seconds).toBeLessThanOrEqual(60)
    expect(await answer.json()).toMatchObject({ error: { code: 'COATCHECK_OIDC_UNAVAILABLE', retryable: true } })
  })

  test('forged 10,000 times costs at most two key sets, and Redis nothing', { timeout: 120_000 }, async () => {
    expect((await post(auth, await sign(claims()))).status).toBe(200)
    const template = (await sign(claims(), { kid: 'two' }, otherKey)).split('.')
    await redis.cli('config', 'resetstat')
    const answers = new Map<string, number>()
    for (let i = 0; i < 10_000; i += 100) {
      const batch = Array.from({ length: 100 }, async (_, n) => {
        const header = { alg: 'RS256', typ: 'logout+jwt', kid: `kid-${i + n}` }
        const token = [Buffer.from(JSON.stringify(header)).toString('base64url'), template[1], template[2]].join('.')
        const response = await post(auth, token)
        const { error_description: reason = '' } = (await response.json()) as { error_description?: string }
        const answer = `${response.status} ${reason}`.trim()
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      })
      await Promise.all(batch)
    }
    // The fetch refutes those of the first batch that came before it. The others might be of a newer key.
    const [refuted = 0, unknown = 0] = [answers.get('400 signature'), answers.get('503')]
    expect(refuted).toBeGreaterThanOrEqual(1)
    expect(refuted).toBeLessThanOrEqual(100)
    expect(refuted + unknown).toBe(10_000)
    expect(keyRequests).toBeLessThanOrEqual(2)
    const stats = await redis.cli('info', 'commandstats')
    // The revocation worker checks every 30 s; no token has caused a command.
    const calls = [...stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g)]
      .filter(([, name]) => !['config', 'info', 'ping', 'time', 'zrangebyscore'].includes(name ?? ''))
      .reduce((sum, [, , count]) => sum + Number(count), 0)
    expect(calls).toBeLessThanOrEqual(2)
  })
})

test('sweeps that meet sign-ins and sign-outs remove no session that lives', async () => {
  const { redis: client } = openRedis({ url: redis.url })
  await client.ready()
  const keys = redisKeys('')
  const sessions = createRedisSessionDriver(client, keys, { random: systemRandom })
  const driver = createRedisProviderSessionDriver(client, keys)
  const revoked = new Set<string>()
  const now = Math.floor(Date.now() / 1000)
  const token = {
    issuer: 'i',
    subject: 's',
    sid: null,
    tokenId: 't',
    issuedAtSeconds: now,
    takenUntilSeconds: now + 60,
  }
  const logout = createProviderLogout({
    driver,
    tokens: { verify: () => Promise.resolve(token) },
    keyring: createKeyring(testKey('first')),
    absent: (ids) => absentSessions(sessions, ids),
    revoke: (id) => Promise.resolve(revoked.add(id)).then(() => ({ durable: true })),
    isDurable: false,
    sessionLifeMs: 3_600_000,
    clock: systemClock,
    events: new EventBus(),
  })
  const life = { ttlMs: 60_000, slackMs: 60_000, absoluteMs: 3_600_000 }
  const live = new Set<string>()
  const signIn = async (n: number): Promise<void> => {
    const ref = { kind: 'user', userKey: 'user-key-is-0016', id: randomBytes(16).toString('base64url') } as const
    await sessions.create(ref, Buffer.concat([Buffer.alloc(8), randomBytes(60)]), life)
    await logout.register({ provider: 'p', issuer: 'i', subject: 's', claims: { iat: now } }, sessionIdOf(ref))
    if (n % 10 === 0) live.add(sessionIdOf(ref))
    else await sessions.end(ref, { reason: 'signed-out', ttlMs: 60_000 })
  }
  for (let n = 0; n < 600; n += 20) await Promise.all(Array.from({ length: 20 }, (_, i) => signIn(n + i)))
  const [name = ''] = (await redis.cli('--scan', '--pattern', 'provider:sid:*')).split('\n')
  const entries = Number(await redis.cli('zcount', name, '100000000000', '+inf'))
  const members = Number(await redis.cli('zcard', name))
  await logout.backChannel({ name: 'p' } as ResolvedProvider, 'token')
  expect(live.size).toBe(60)
  expect([...live].filter((id) => !revoked.has(id))).toEqual([])
  // Twice the live ones and 16; one batch that was signed in during a sweep, twice.
  expect(entries).toBeLessThanOrEqual(2 * (60 + 20) + 16 + 20)
  // Each with the time of issue of its ID token, and `swept`.
  expect(members).toBeLessThanOrEqual(2 * entries + 1)
  await closeRedis()
})

test('a logout token with sub and sid ends the sessions of the subject whose ID token had no sid, and no other one', async () => {
  const { redis: client } = openRedis({ url: redis.url })
  await client.ready()
  const revoked: string[] = []
  const now = Math.floor(Date.now() / 1000)
  const base = { issuer: 'i', tokenId: 't', issuedAtSeconds: now, takenUntilSeconds: now + 60 }
  const logout = createProviderLogout({
    driver: createRedisProviderSessionDriver(client, redisKeys('')),
    tokens: { verify: () => Promise.resolve({ ...base, subject: 'ada', sid: 'one' }) },
    keyring: createKeyring(testKey('first')),
    absent: () => Promise.resolve([]),
    revoke: (id) => Promise.resolve(revoked.push(id)).then(() => ({ durable: true })),
    isDurable: false,
    sessionLifeMs: 3_600_000,
    clock: systemClock,
    events: new EventBus(),
  })
  const register = (subject: string, sid: string | null, sessionId: string): Promise<void> =>
    logout.register(
      { provider: 'p', issuer: 'i', subject, claims: { iat: now - 60, ...(sid !== null && { sid }) } },
      sessionId,
    )
  await register('ada', null, 'without')
  await register('ada', 'one', 'named')
  await register('ada', 'two', 'other device')
  await register('grace', null, 'other user')
  await logout.backChannel({ name: 'p' } as ResolvedProvider, 'token')
  expect(revoked.sort()).toEqual(['named', 'without'])
  await closeRedis()
})

test('a logout that failed half way and comes again ends no session of a sign-in after it', async () => {
  const { redis: client } = openRedis({ url: redis.url })
  await client.ready()
  const now = Math.floor(Date.now() / 1000)
  const revoked: string[] = []
  let isFailing = true
  const logout = createProviderLogout({
    driver: createRedisProviderSessionDriver(client, redisKeys('')),
    tokens: {
      verify: () =>
        Promise.resolve({
          issuer: 'i',
          subject: 's',
          sid: null,
          tokenId: 't',
          issuedAtSeconds: now - 60,
          takenUntilSeconds: now + 60,
        }),
    },
    keyring: createKeyring(testKey('first')),
    absent: () => Promise.resolve([]),
    revoke: (id) => {
      if (isFailing) return Promise.reject(new Error('half way'))
      revoked.push(id)
      return Promise.resolve({ durable: true })
    },
    isDurable: false,
    sessionLifeMs: 3_600_000,
    clock: systemClock,
    events: new EventBus(),
  })
  const register = (iat: number, id: string): Promise<void> =>
    logout.register({ provider: 'p', issuer: 'i', subject: 's', claims: { iat } }, id)
  await register(now - 300, 'before')
  await expect(logout.backChannel({ name: 'p' } as ResolvedProvider, 'token')).rejects.toThrow('half way')
  await register(now, 'after')
  isFailing = false
  await logout.backChannel({ name: 'p' } as ResolvedProvider, 'token')
  expect(revoked).toEqual(['before'])
  await closeRedis()
})

test('entries of a build that kept no time of issue end with every logout, and such a build finds and removes the new ones', async () => {
  const { redis: client } = openRedis({ url: redis.url })
  await client.ready()
  const keys = redisKeys('')
  const driver = createRedisProviderSessionDriver(client, keys)
  const key = keys.providerSession('name')
  const [now, life] = [Math.floor(Date.now() / 1000), 3_600_000]
  await redis.cli('zadd', key, String(Date.now() + life), 'earlier')
  await driver.register('name', 'present', now, life)
  expect(await driver.end('name', now - 60, life)).toEqual(['earlier'])
  // What that build reads, counts and removes: members above 10^11.
  expect((await redis.cli('zrangebyscore', key, '100000000000', '+inf')).split('\n').sort()).toEqual([
    'earlier',
    'present',
  ])
  await redis.cli('zrem', key, 'earlier', 'present')
  await driver.sweep('name', [])
  expect((await redis.cli('zrange', key, '0', '-1')).split('\n').sort()).toEqual(['ended', 'swept'])
  await closeRedis()
})

test(
  'a logout and a sign-in that meet, 1,000 times: either the sign-in is refused, or its session is named',
  {
    timeout: 120_000,
  },
  async () => {
    const { redis: client } = openRedis({ url: redis.url })
    await client.ready()
    const driver = createRedisProviderSessionDriver(client, redisKeys(''))
    const seconds = Math.floor(Date.now() / 1000)
    const outcomes = new Set<string>()
    for (let round = 0; round < 1000; round++) {
      const name = `round-${round}`
      const [registered, ended] = await Promise.all(
        round % 2 === 0
          ? [driver.register(name, 'ours', seconds, 60_000), driver.end(name, seconds, 60_000)]
          : ([driver.end(name, seconds, 60_000), driver.register(name, 'ours', seconds, 60_000)].reverse() as [
              Promise<'registered' | 'ended'>,
              Promise<readonly string[]>,
            ]),
      )
      expect(registered === 'ended' || ended.includes('ours')).toBe(true)
      outcomes.add(registered)
    }
    expect(outcomes).toEqual(new Set(['registered', 'ended']))
    await closeRedis()
  },
)
