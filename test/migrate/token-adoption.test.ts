/** Tokens of other libraries, adopted by `auth.tokens.adopt()`: with refresh tokens of a real provider, and refreshes there. */
import { randomBytes } from 'node:crypto'
import type { ConfidentialClientApplication } from '@azure/msal-node'
import * as openid from 'openid-client'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { type DevProvider, startDevProvider } from '../../src/entries/dev.ts'
import { oidc } from '../../src/entries/coatcheck.ts'
import {
  type BetterAuthAccount,
  fromAuthJsAccounts,
  fromBetterAuthAccounts,
  fromGuideTokens,
  fromMsal,
} from '../../src/entries/migrate.ts'
import type { TokenOrigin } from '../../src/entries/migrate.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { msalApplication } from './msal-application.ts'

const redirectUri = 'http://localhost:3000/auth/callback'
const scope = 'openid profile email offline_access api://orders/Orders.Read'
const keys = randomBytes(32).toString('base64')
const HOUR_S = 3600

let redis: RedisServer
let provider: DevProvider
let client: Awaited<ReturnType<typeof connect>>
let opened: Coatcheck<object>[] = []
let outcomes: string[]

const connect = async () => createClient({ url: redis.url }).connect()

beforeAll(async () => {
  redis = await startRedisServer()
  client = await connect()
  provider = await startDevProvider({ rotation: 'strict', redirectUris: [redirectUri] })
})
afterAll(async () => {
  await client.close()
  await provider.close()
  await redis.stop()
})
beforeEach(async () => {
  await client.flushAll()
  outcomes = []
})
afterEach(async () => {
  for (const one of opened) await one.close()
  opened = []
})

/** One process of the application. */
function process(origin: TokenOrigin) {
  const { issuer, clientId, clientSecret } = provider
  const auth = coatcheck({
    baseUrl: 'http://localhost:3000',
    store: redisStore({ url: redis.url }),
    keys,
    providers: [oidc({ name: 'dev', issuer, clientId, clientSecret, scopes: scope.split(' ') })],
  })
  auth.events.on('migration.read', ({ origin: name, outcome }) => outcomes.push(`${name} ${outcome}`))
  opened.push(auth)
  return { auth, adoption: auth.tokens.adopt(origin) }
}

/** Follows the provider's redirects with its cookies, to the callback. */
async function signIn(): Promise<openid.TokenEndpointResponse> {
  const config = await openid.discovery(new URL(provider.issuer), provider.clientId, provider.clientSecret, undefined, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so that it stands out; the provider is on loopback
    execute: [openid.allowInsecureRequests],
  })
  const verifier = openid.randomPKCECodeVerifier()
  const cookies = new Map<string, string>()
  let url = openid.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    login_hint: 'ada@example.test',
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  while (!url.href.startsWith(redirectUri)) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split(/=(.*)/)
      cookies.set(name, value)
    }
    const location = response.headers.get('location')
    if (location === null) throw new Error(`the provider shows a page with status ${response.status}`)
    url = new URL(location, url)
  }
  return openid.authorizationCodeGrant(config, url, { pkceCodeVerifier: verifier, idTokenExpected: true })
}

const nowS = (): number => Math.floor(Date.now() / 1000)
const guide = (tokens: openid.TokenEndpointResponse, expiresAt: number): string =>
  JSON.stringify({ accessToken: tokens.access_token, refreshToken: tokens.refresh_token, expiresAt })

describe('every origin', () => {
  /** As MSAL Node stores it. The access token has expired, so the first use refreshes. */
  const msalBlob = (tokens: openid.TokenEndpointResponse, user: string): object => {
    const home = { home_account_id: `${user}.tenant`, environment: 'idp', client_id: 'app', realm: 'tenant' }
    const access = { ...home, credential_type: 'AccessToken', target: scope, expires_on: String(nowS() - 60) }
    return {
      Account: { [`${user}-account`]: { ...home, local_account_id: user, username: `${user}@example.test` } },
      IdToken: { [`${user}-id`]: { ...home, credential_type: 'IdToken', secret: tokens.id_token } },
      AccessToken: { [`${user}-access`]: { ...access, secret: tokens.access_token } },
      RefreshToken: { [`${user}-refresh`]: { ...home, credential_type: 'RefreshToken', secret: tokens.refresh_token } },
      AppMetadata: {},
    }
  }
  const accounts = new Map<string, BetterAuthAccount[]>()
  const userOf = ({ localAccountId }: { readonly localAccountId: string }): string => localAccountId

  it.each<[string, (tokens: openid.TokenEndpointResponse) => Promise<unknown>, () => TokenOrigin]>([
    [
      'fromMsal, a cache for each user',
      (tokens) => client.set('msal:ada', JSON.stringify(msalBlob(tokens, 'ada'))),
      () => fromMsal({ key: (userId) => `msal:${userId}`, userOf, prefix: 'msal:' }),
    ],
    [
      'fromMsal, one cache for all users',
      async (tokens) => {
        const grace = msalBlob(await signIn(), 'grace') as Record<string, object>
        const ada = msalBlob(tokens, 'ada') as Record<string, object>
        const all = Object.keys(ada).map((section) => [section, { ...grace[section], ...ada[section] }] as const)
        await client.set('msal', JSON.stringify(Object.fromEntries(all)))
      },
      () => fromMsal({ key: 'msal', userOf }),
    ],
    ['fromGuideTokens', (tokens) => client.set('user:ada:tokens', guide(tokens, nowS() - 60)), () => fromGuideTokens()],
    [
      'fromAuthJsAccounts',
      async ({ access_token, refresh_token, id_token }) => {
        const account = { provider: 'dev-idp', providerAccountId: '1', userId: 'ada', type: 'oidc' }
        const tokens = { access_token, refresh_token, id_token, expires_at: nowS() - 60 }
        await client.set('nextauth:user:account:dev-idp:1', JSON.stringify({ ...account, ...tokens, id: 'dev-idp:1' }))
        await client.set('nextauth:user:account:by-user-id:ada', 'nextauth:user:account:dev-idp:1')
      },
      () => fromAuthJsAccounts({ baseKeyPrefix: 'nextauth:', authJsProvider: 'dev-idp' }),
    ],
    [
      'fromBetterAuthAccounts',
      (tokens) => {
        const account = {
          accessToken: tokens.access_token,
          refreshToken: tokens.refresh_token ?? null,
          idToken: tokens.id_token ?? null,
        }
        const expired = new Date(Date.now() - 60_000)
        accounts.set('ada', [{ ...account, userId: 'ada', providerId: 'dev-idp', accessTokenExpiresAt: expired }])
        return Promise.resolve()
      },
      () =>
        fromBetterAuthAccounts({
          betterAuthProvider: 'dev-idp',
          accounts: (userId) => Promise.resolve(accounts.get(userId) ?? []),
          async *users() {
            yield* accounts.keys()
          },
        }),
    ],
  ])('%s: adopted at the first use, refreshed at the provider, sealed, and listed', async (_name, store, originOf) => {
    const tokens = await signIn()
    await store(tokens)
    const before = provider.counters.count('token', 'refresh_token')
    const { auth } = process(originOf())
    const { accessToken, expiresAt } = await auth.tokens.getAccessToken('ada')
    expect(accessToken).not.toBe(tokens.access_token)
    expect(expiresAt).toBeGreaterThan(Date.now())
    expect(provider.counters.count('token', 'refresh_token')).toBe(before + 1)
    // The grant is ours now: the rotated refresh token is kept, and the next process finds it.
    const { auth: other, adoption } = process(originOf())
    expect((await other.tokens.getAccessToken('ada')).accessToken).toBe(accessToken)
    expect((await other.tokens.getUserTokens('ada'))?.refreshToken).not.toBe(tokens.refresh_token)
    expect(outcomes.filter((outcome) => / adopted$/.test(outcome))).toHaveLength(1)
    const listed = []
    for await (const { userId, outcome } of adoption.all()) listed.push([userId, outcome])
    expect(listed).toContainEqual(['ada', 'present'])
    const [name = ''] = (await client.keys('*')).filter((key) => key.includes('{') && key.endsWith(':tokens'))
    expect(JSON.stringify(await client.hGetAll(name))).not.toContain(tokens.refresh_token)
    const life = await client.pTTL(name)
    expect(life).toBeGreaterThan(0)
    expect(life).toBeLessThanOrEqual(90 * 86_400_000)
    expect(await other.tokens.getUserTokens('nobody')).toBeNull()
  })
})

describe('adoption', () => {
  const origin = (options = {}): TokenOrigin => fromGuideTokens(options)

  it('in move, deletes the old value that a crash after the adoption has left', async () => {
    const text = guide(await signIn(), nowS() + HOUR_S)
    await client.set('user:ada:tokens', text)
    const first = process(origin({ mode: 'move' }))
    await first.auth.tokens.getAccessToken('ada')
    expect(await client.get('user:ada:tokens')).toBeNull()
    await client.set('user:ada:tokens', text)
    await process(origin()).auth.tokens.getAccessToken('ada')
    expect(await client.get('user:ada:tokens')).toBe(text)
    await process(origin({ mode: 'move' })).auth.tokens.getAccessToken('ada')
    expect(await client.get('user:ada:tokens')).toBeNull()
  })

  it('takes an access token that is still valid as it is, in seconds and in milliseconds, and counts the unit', async () => {
    const tokens = await signIn()
    await client.set('user:ada:tokens', guide(tokens, nowS() + HOUR_S))
    await client.set('user:grace:tokens', guide(tokens, (nowS() + HOUR_S) * 1000))
    const { auth } = process(origin())
    const before = provider.counters.count('token', 'refresh_token')
    for (const userId of ['ada', 'grace']) {
      const { accessToken, expiresAt } = await auth.tokens.getAccessToken(userId)
      expect(accessToken).toBe(tokens.access_token)
      expect(Math.abs(expiresAt - Date.now() - HOUR_S * 1000)).toBeLessThan(60_000)
    }
    expect(provider.counters.count('token', 'refresh_token')).toBe(before)
    expect(outcomes).toEqual(['guide-tokens-seconds adopted', 'guide-tokens-milliseconds adopted'])
  })

  it('happens once for parallel first uses in two processes, which ask the provider once', async () => {
    for (let round = 0; round < 10; round++) {
      await client.flushAll()
      outcomes = []
      await client.set('user:ada:tokens', guide(await signIn(), nowS() - 60))
      const processes = [process(origin()), process(origin())]
      const before = provider.counters.count('token', 'refresh_token')
      const uses = Array.from({ length: 20 }, (_, i) => processes[i % 2]?.auth.tokens.getAccessToken('ada'))
      const found = await Promise.all(uses)
      expect(new Set(found.map((one) => one?.accessToken)).size).toBe(1)
      expect(provider.counters.count('token', 'refresh_token')).toBe(before + 1)
      expect(outcomes).toEqual(['guide-tokens-seconds adopted'])
    }
  })

  it('never replaces a grant of Coatcheck, and never happens after deleteUserTokens', async () => {
    const [older, newer] = [await signIn(), await signIn()]
    await client.set('user:ada:tokens', guide(older, nowS() + HOUR_S))
    const { auth } = process(origin())
    await auth.tokens.setUserTokens('ada', auth.tokens.fromOAuth(newer))
    expect((await auth.tokens.getUserTokens('ada'))?.refreshToken).toBe(newer.refresh_token)
    await auth.tokens.deleteUserTokens('ada')
    expect(await auth.tokens.getUserTokens('ada')).toBeNull()
    const { auth: other } = process(origin())
    expect(await other.tokens.getUserTokens('ada')).toBeNull()
    await expect(other.tokens.getAccessToken('ada')).rejects.toMatchObject({ code: 'COATCHECK_TOKEN_NONE' })
    expect(outcomes).toEqual([])
  })

  it('and deleteUserTokens at the same time: nothing is left, 50 times', async () => {
    const tokens = await signIn()
    for (let round = 0; round < 50; round++) {
      await client.set(`user:ada${round}:tokens`, guide(tokens, nowS() + HOUR_S))
      const [one, two] =
        round === 0 ? [process(origin()), process(origin())] : [opened[0], opened[1]].map((auth) => ({ auth }))
      await Promise.all([
        one?.auth?.tokens.getUserTokens(`ada${round}`),
        two?.auth?.tokens.deleteUserTokens(`ada${round}`),
      ])
      expect(await one?.auth?.tokens.getUserTokens(`ada${round}`)).toBeNull()
    }
  })

  it('does not happen after the last sign-out of a user, and does after that of another device', async () => {
    const tokens = await signIn()
    await client.set('user:ada:tokens', guide(tokens, nowS() + HOUR_S))
    await client.set('user:grace:tokens', guide(tokens, nowS() + HOUR_S))
    // A process that never uses tokens.
    const { auth } = process(origin())
    const device = { ip: null, userAgent: null }
    for (const userId of ['ada', 'grace', 'grace']) await auth.sessions.create({ userId, data: {}, device } as never)
    const [ada] = await auth.sessions.listByUser('ada')
    const [grace] = await auth.sessions.listByUser('grace')
    await auth.sessions.revoke(ada?.id ?? '')
    await auth.sessions.revoke(grace?.id ?? '')
    await expect.poll(() => client.keys('host:adopted-tokens:*'), { timeout: 5000 }).toHaveLength(1)
    const { auth: other } = process(origin())
    expect(await other.tokens.getUserTokens('ada')).toBeNull()
    expect((await other.tokens.getUserTokens('grace'))?.refreshToken).toBe(tokens.refresh_token)
  })

  it('is remembered before a process that signs a user out has closed', async () => {
    await client.set('user:ada:tokens', guide(await signIn(), nowS() + HOUR_S))
    const { auth } = process(origin())
    await auth.sessions.create({ userId: 'ada' })
    await auth.sessions.revokeByUser('ada')
    await auth.close()
    expect(await client.keys('host:adopted-tokens:*')).toHaveLength(1)
    expect(await process(origin()).auth.tokens.getUserTokens('ada')).toBeNull()
  })

  it('leaves no mark for a session without a user', async () => {
    const { auth } = process(origin())
    await auth.tokens.getUserTokens('nobody')
    const anonymous = await auth.sessions.create()
    await auth.sessions.revoke(anonymous.session.id ?? '')
    await auth.close()
    expect(await client.keys('host:adopted-tokens:*')).toEqual([])
  })

  it('leaves the tokens of another user and values of another kind alone, and counts them', async () => {
    await client.set('user:ada:tokens', '{"of":"another library"}')
    const guideProcess = process(origin())
    expect(await guideProcess.adoption.user('ada')).toBe('unreadable')
    await client.set(
      'msal:ada',
      JSON.stringify({ Account: { a: { home_account_id: 'g.t', local_account_id: 'grace' } } }),
    )
    const ofMsal = fromMsal({ key: (userId) => `msal:${userId}`, userOf: ({ localAccountId }) => localAccountId })
    expect(await process(ofMsal).adoption.user('ada')).toBe('refused')
    expect(outcomes).toEqual(['guide-tokens unreadable', 'msal-tokens refused'])
    expect(await client.get('user:ada:tokens')).toBe('{"of":"another library"}')
  })

  it('deletes the old value in mode move, once the tokens are stored', async () => {
    await client.set('user:ada:tokens', guide(await signIn(), nowS() + HOUR_S))
    const { auth } = process(origin({ mode: 'move' }))
    expect(await auth.tokens.getUserTokens('ada')).not.toBeNull()
    expect(await client.exists('user:ada:tokens')).toBe(0)
  })

  it('rejects during an outage, and adopts afterwards', async () => {
    const tokens = await signIn()
    await client.set('user:ada:tokens', guide(tokens, nowS() + HOUR_S))
    const { auth } = process(origin())
    await auth.ready()
    redis.pause()
    try {
      await expect(auth.tokens.getUserTokens('ada')).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
    } finally {
      redis.resume()
    }
    await expect
      .poll(async () => (await auth.tokens.getUserTokens('ada').catch(() => null))?.refreshToken, { timeout: 10_000 })
      .toBe(tokens.refresh_token)
  })

  it('reads what MSAL Node itself stores: times as texts, several accounts, no tokens of the family of client ids', async () => {
    let blob = ''
    const plugin = {
      beforeCacheAccess: async ({ tokenCache }: { tokenCache: { deserialize(text: string): void } }) => {
        tokenCache.deserialize(blob)
        return Promise.resolve()
      },
      afterCacheAccess: async ({ tokenCache }: { tokenCache: { serialize(): string } }) => {
        blob = tokenCache.serialize()
        return Promise.resolve()
      },
    }
    const app: ConfidentialClientApplication = msalApplication(plugin, { requests: 0 })
    for (const code of ['ada', 'grace']) {
      await app.acquireTokenByCode({ code, scopes: ['api://orders/Read'], redirectUri })
    }
    await client.set('msal', blob)
    const userOf = ({ idTokenClaims }: { readonly idTokenClaims: Readonly<Record<string, unknown>> | null }) =>
      typeof idTokenClaims?.['oid'] === 'string' ? idTokenClaims['oid'] : null
    const { auth, adoption } = process(fromMsal({ key: 'msal', userOf, clientId: 'app' }))
    const found = []
    for await (const { userId, outcome } of adoption.all()) found.push([userId, outcome])
    expect(found).toEqual([
      ['ada', 'adopted'],
      ['grace', 'adopted'],
    ])
    const ada = await auth.tokens.getUserTokens('ada')
    expect(ada).toMatchObject({ accessToken: 'ada 1', refreshToken: 'refresh-1.ada' })
    expect((await auth.tokens.getAccessToken('grace')).scopes).toContain('api://orders/Read')
    const family = JSON.parse(blob) as { RefreshToken: Record<string, { family_id?: string }> }
    for (const entry of Object.values(family.RefreshToken)) entry.family_id = '1'
    await client.flushAll()
    await client.set('msal', JSON.stringify(family))
    const again = process(fromMsal({ key: 'msal', userOf }))
    expect(await again.auth.tokens.getUserTokens('ada')).toMatchObject({ accessToken: 'ada 1', refreshToken: null })
  })
})
