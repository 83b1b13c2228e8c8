/** Hits and refreshes: one request for all callers that need it, and the options of callers. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance.ts'
import { codeOf, HOUR, MINUTE } from '../session-fixture.ts'
import { tokenFixture, type TokenHarness } from '../token-fixture.ts'
import { ORDERS, signedIn } from './signed-in.ts'

export const refreshingCases: readonly ConformanceCase<TokenHarness>[] = [
  {
    name: 'a hit sends no request; a miss refreshes once, rotates, and stores what came',
    async run(harness) {
      const { cache, provider, names } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      assert.equal((await cache.getAccessToken('ada')).accessToken, 'access-0')
      await harness.advance(HOUR)
      const fresh = await cache.getAccessToken('ada')
      assert.deepEqual(fresh, { accessToken: 'access-1', expiresAt: harness.clock.now() + HOUR, scopes: ['profile'] })
      assert.equal((await cache.getAccessToken('ada')).accessToken, 'access-1')
      assert.deepEqual(
        provider.requests.map(({ request }) => request.refreshToken),
        ['refresh-0'],
      )
      const stored = await cache.getUserTokens('ada')
      assert.deepEqual([stored?.refreshToken, stored?.idToken], ['refresh-1', 'id-0'])
      assert.deepEqual(names(), ['token.hit', 'token.miss', 'token.refreshed', 'token.hit'])
      const [status] = await cache.status('ada')
      assert.equal(status?.refreshCount, 1)
      assert.equal(status.lastRefresh?.outcome, 'refreshed')
      assert.equal(JSON.stringify(status).includes('access-'), false)
    },
  },
  {
    name: '200 parallel callers of an expired token are one request, and two targets take turns on the rotating grant',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      const calls = Array.from({ length: 200 }, (_, i) => cache.getAccessToken('ada', i % 2 === 0 ? {} : ORDERS))
      const tokens = new Set((await Promise.all(calls)).map(({ accessToken }) => accessToken))
      assert.deepEqual([...tokens].sort(), ['access-1', 'access-2'])
      assert.deepEqual(
        provider.requests.map(({ request }) => request.refreshToken),
        ['refresh-0', 'refresh-1'],
      )
      assert.deepEqual(
        provider.requests.map(({ request }) => request.scopes),
        [undefined, ORDERS.scopes],
      )
      assert.equal((await cache.getUserTokens('ada'))?.refreshToken, 'refresh-2')
    },
  },
  {
    name: 'resource and scopes name different tokens, the order of scopes does not matter',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      const get = async (options: object) => (await cache.getAccessToken('ada', options)).accessToken
      const byScopes = await get({ scopes: ['b', 'a'] })
      assert.equal(await get({ scopes: ['a', 'b', 'a'] }), byScopes)
      const byResource = await get({ resource: 'https://a.example' })
      const both = await get({ resource: 'https://a.example', scopes: ['a'] })
      assert.equal(new Set([byScopes, byResource, both, await get({})]).size, 4)
      assert.equal(provider.requests.length, 3)
      assert.equal(provider.requests[1]?.request.resource, 'https://a.example')
    },
  },
  {
    name: 'a token of sign-in that covers the scopes is used without a request, from then on as a hit',
    async run(harness) {
      const { cache, provider, names } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness, { scopes: ['openid', ...ORDERS.scopes] }))
      assert.equal((await cache.getAccessToken('ada', ORDERS)).accessToken, 'access-0')
      assert.equal((await cache.getAccessToken('ada', ORDERS)).accessToken, 'access-0')
      assert.equal(provider.requests.length, 0)
      assert.deepEqual(names(), ['token.miss', 'token.hit'])
    },
  },
  {
    name: 'late in its life a token is returned at once and refreshed behind',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(40 * MINUTE)
      assert.equal((await cache.getAccessToken('ada')).accessToken, 'access-0')
      assert.equal(provider.requests.length, 0)
      await harness.advance(14 * MINUTE)
      let open = (): void => undefined
      provider.gate = new Promise<void>((resolve) => (open = resolve))
      for (let i = 0; i < 5; i++) assert.equal((await cache.getAccessToken('ada')).accessToken, 'access-0')
      open()
      await cache.close()
      assert.equal(provider.requests.length, 1)
      assert.equal((await cache.getAccessToken('ada')).accessToken, 'access-1')
    },
  },
  {
    name: 'minValidityMs is honoured; more than a token ever has does not make each call a request',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(30 * MINUTE)
      assert.equal((await cache.getAccessToken('ada', { minValidityMs: 20 * MINUTE })).accessToken, 'access-0')
      assert.equal((await cache.getAccessToken('ada', { minValidityMs: 40 * MINUTE })).accessToken, 'access-1')
      for (let i = 0; i < 3; i++) await cache.getAccessToken('ada', { minValidityMs: 5 * HOUR })
      assert.equal(provider.requests.length, 1)
      // A token of ten seconds is shorter than the default of thirty. It still counts as a hit for most of its life.
      provider.answers.push({ expiresInSeconds: 10 })
      await harness.advance(2 * HOUR)
      await cache.getAccessToken('ada')
      await harness.advance(5000)
      await cache.getAccessToken('ada')
      assert.equal(provider.requests.length, 2)
    },
  },
  {
    name: 'a signal frees its caller alone',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      let open = (): void => undefined
      provider.gate = new Promise<void>((resolve) => (open = resolve))
      const controller = new AbortController()
      const leaving = cache.getAccessToken('ada', { signal: controller.signal })
      const staying = cache.getAccessToken('ada')
      const left = assert.rejects(leaving, (error) => error === controller.signal.reason)
      controller.abort(new Error('gone home'))
      await left
      open()
      assert.equal((await staying).accessToken, 'access-1')
      assert.equal(provider.requests.length, 1)
      await assert.rejects(cache.getAccessToken('ada', { signal: AbortSignal.abort() }))
    },
  },
  {
    name: 'a claims challenge is answered by one refresh with the claims, and not again',
    async run(harness) {
      const here = tokenFixture(harness)
      const there = tokenFixture(harness, { provider: here.provider })
      await here.cache.setUserTokens('ada', signedIn(harness))
      const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
      const tokens = await Promise.all([1, 2, 3].map(() => here.cache.getAccessToken('ada', { claims })))
      tokens.push(await there.cache.getAccessToken('ada', { claims }), await there.cache.getAccessToken('ada'))
      assert.deepEqual(new Set(tokens.map((token) => token.accessToken)), new Set(['access-1']))
      assert.deepEqual(
        here.provider.requests.map(({ request }) => request.claims),
        [claims],
      )
      const later = claims.replace('1604106651', '1604106652')
      here.provider.answers.push({ status: 400, error: 'interaction_required', claims: '{}' })
      assert.equal(await codeOf(here.cache.getAccessToken('ada', { claims: later })), 'COATCHECK_REAUTH_REQUIRED')
      assert.equal((await here.cache.getAccessToken('ada')).accessToken, 'access-1')
      assert.equal(await codeOf(here.cache.getAccessToken('ada', { claims: 'nbf' })), 'COATCHECK_INVALID_ARGUMENT')
    },
  },
]
