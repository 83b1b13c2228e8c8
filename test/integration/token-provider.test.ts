/** The whole way: a real provider with rotating refresh tokens, a real Redis, the refresh grant of openid-client. */
import * as openid from 'openid-client'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ResolvedProvider } from '../../src/config/types.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import { systemRandom } from '../../src/core/random.ts'
import { type DevProvider, startDevProvider } from '../../src/entries/dev.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { createProviderClients } from '../../src/oidc/provider-client.ts'
import { createTokenRequester } from '../../src/oidc/token-requester.ts'
import type { RedisClientPort } from '../../src/redis/client-port.ts'
import { openRedisClient } from '../../src/redis/open-client.ts'
import { resolveDestination } from '../../src/redis/resolve-destination.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { limitsOf } from '../../src/redis/options.ts'
import { testKey } from '../../src/testing/session-fixture.ts'
import { createRedisProviderGateDriver } from '../../src/stores/redis/provider-gate-driver.ts'
import { createRedisTokenDriver } from '../../src/stores/redis/token-driver.ts'
import { createProviderGate, gateNames } from '../../src/token/provider-gate.ts'
import { createTokenCache, type OwnedTokenCache } from '../../src/token/token-cache.ts'
import type { OAuthAccount } from '../../src/token/types.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const redirectUri = 'http://localhost:3000/auth/callback'
const scope = 'openid profile email offline_access api://orders/Orders.Read api://reports/Reports.Read'
const HOUR = 3_600_000

let server: RedisServer
let client: RedisClientPort
let provider: DevProvider
let cache: OwnedTokenCache
/** Ahead of the wall clock: the provider lives in real time, so its tokens have expired for the cache. */
let aheadMs: number

beforeAll(async () => {
  server = await startRedisServer()
  const options = { url: server.url }
  client = openRedisClient(resolveDestination(options, {}), limitsOf(options, {}), {
    clock: systemClock,
    events: new EventBus(),
  })
  await client.ready()
})
afterAll(async () => {
  await client.close()
  await server.stop()
})
beforeEach(async () => {
  await server.cli('flushall')
  aheadMs = 0
  provider = await startDevProvider({ rotation: 'strict' })
  const clock: Clock = { now: () => systemClock.now() + aheadMs, monotonic: () => systemClock.monotonic() }
  const resolved: ResolvedProvider = {
    name: 'entra',
    preset: 'entra',
    issuer: provider.issuer,
    discoveryUrl: `${provider.issuer}/.well-known/openid-configuration`,
    clientId: provider.clientId,
    credential: { kind: 'secret', secret: provider.clientSecret },
    scopes: scope.split(' '),
    allowedTenants: [],
    responseMode: 'query',
    allowInsecureHttp: true,
    settings: { authority: 'issuer', clientId: 'clientId', credential: 'clientSecret' },
  }
  const keyring = createKeyring(testKey('first'))
  cache = createTokenCache({
    driver: createRedisTokenDriver(client, redisKeys('')),
    appDriver: createRedisTokenDriver(client, { ...redisKeys(''), tokens: redisKeys('').appTokens }),
    gate: createProviderGate({
      driver: createRedisProviderGateDriver(client, redisKeys('')),
      nameOf: gateNames(keyring),
      clock,
      random: systemRandom,
    }),
    keyring,
    seal: createSeal(keyring),
    providers: [resolved],
    refresher: createTokenRequester(createProviderClients([resolved], { clock: systemClock }), systemClock),
    config: { grantLifetimeMs: 90 * 24 * HOUR, minValidityMs: 30_000 },
    clock,
    random: systemRandom,
    events: new EventBus(),
    namespace: '',
  })
})
afterEach(async () => {
  await cache.close()
  await provider.close()
})

/** Follows the provider's redirects with its cookies, to the callback. */
async function signIn(): Promise<OAuthAccount> {
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

const audienceOf = (token: string): unknown =>
  (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { aud: unknown }).aud

describe('a provider with strict rotation', () => {
  it('sees one request for 50 parallel callers of an expired token, and the grant lives on', async () => {
    await cache.setUserTokens('ada', cache.fromOAuth(await signIn()))
    for (let round = 1; round <= 5; round++) {
      aheadMs += 2 * HOUR
      const tokens = await Promise.all(Array.from({ length: 50 }, () => cache.getAccessToken('ada')))
      expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(1)
      expect(provider.counters.count('token', 'refresh_token')).toBe(round)
    }
  })

  it('serves several targets one after the other, each caller its own audience', async () => {
    await cache.setUserTokens('ada', cache.fromOAuth(await signIn()))
    aheadMs += 2 * HOUR
    const calls = Array.from({ length: 20 }, (_, i) => {
      const name = i % 2 === 0 ? 'orders/Orders.Read' : 'reports/Reports.Read'
      return cache.getAccessToken('ada', { scopes: [`api://${name}`] })
    })
    const tokens = await Promise.all(calls)
    tokens.forEach(({ accessToken }, i) => {
      expect(audienceOf(accessToken)).toBe(i % 2 === 0 ? 'api://orders' : 'api://reports')
    })
    expect(provider.counters.count('token', 'refresh_token')).toBe(2)
    const [status] = await cache.status('ada')
    expect(status?.resources.map(({ resource }) => resource)).toEqual([
      'api://orders/Orders.Read',
      'api://reports/Reports.Read',
    ])
  })

  it('ends the tokens of a user whose account was disabled, and of nobody else', async () => {
    await cache.setUserTokens('ada', cache.fromOAuth(await signIn()))
    await cache.setUserTokens('other', cache.fromOAuth(await signIn()))
    aheadMs += 2 * HOUR
    await cache.getAccessToken('other')
    provider.setDisabled('ada', true)
    await expect(cache.getAccessToken('ada')).rejects.toMatchObject({ code: 'COATCHECK_REAUTH_REQUIRED' })
    expect(await cache.getUserTokens('ada')).toBeNull()
    expect((await cache.getAccessToken('other')).accessToken).not.toBe('')
  })

  it('hides its outage behind a token that is still valid', async () => {
    const account = await signIn()
    await cache.setUserTokens('ada', cache.fromOAuth(account))
    aheadMs += HOUR - 20_000
    provider.faults.add({ status: 503, body: '<html>busy</html>', times: 1 })
    expect((await cache.getAccessToken('ada')).accessToken).toBe(account.access_token)
    aheadMs += HOUR
    // The provider is back: a new token, and not the old one again.
    const again = async () => (await cache.getAccessToken('ada').catch(() => null))?.accessToken ?? account.access_token
    await expect.poll(again).not.toBe(account.access_token)
  })
})
