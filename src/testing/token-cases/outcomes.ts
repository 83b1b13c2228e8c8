/** How a failed refresh affects waiting callers and the stored tokens. */
import assert from 'node:assert/strict'
import { RedisError } from '../../core/errors.ts'
import { RefreshFailure } from '../../token/refresh-outcome.ts'
import type { ConformanceCase } from '../conformance.ts'
import { codeOf, HOUR, MINUTE } from '../session-fixture.ts'
import { tokenFixture, type TokenHarness } from '../token-fixture.ts'
import { ORDERS, signedIn } from './signed-in.ts'

export const outcomesCases: readonly ConformanceCase<TokenHarness>[] = [
  {
    name: 'a transient failure serves what is still valid, then says unavailable, and is not repeated at once',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR - 10_000)
      provider.answers.push({ status: 503 }, { status: 429, error: 'slow_down', retryAfterMs: 7000 })
      assert.equal((await cache.getAccessToken('ada')).accessToken, 'access-0')
      assert.equal((await cache.getAccessToken('ada')).accessToken, 'access-0')
      assert.equal(provider.requests.length, 1)
      await harness.advance(11_000)
      assert.equal(await codeOf(cache.getAccessToken('ada')), 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE')
      await harness.advance(6900)
      assert.equal(await codeOf(cache.getAccessToken('ada')), 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE')
      assert.equal(provider.requests.length, 2)
      await harness.advance(200)
      assert.equal((await cache.getAccessToken('ada')).accessToken, 'access-3')
    },
  },
  {
    name: 'a lost answer is asked for once more with the same refresh token',
    async run(harness) {
      const { cache, provider, names } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      provider.answers.push(new TypeError('fetch failed'))
      assert.equal((await cache.getAccessToken('ada')).accessToken, 'access-2')
      assert.deepEqual(
        provider.requests.map(({ request }) => request.refreshToken),
        ['refresh-0', 'refresh-0'],
      )
      assert.deepEqual(names().slice(-2), ['token.refresh-repeated', 'token.refreshed'])
      assert.equal((await cache.getUserTokens('ada'))?.refreshToken, 'refresh-2')
    },
  },
  {
    name: 'answers that stay away are transient; the refresh token stays. What never left is not repeated',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      provider.answers.push(new TypeError('fetch failed'), new TypeError('fetch failed'))
      assert.equal(await codeOf(cache.getAccessToken('ada')), 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE')
      assert.equal((await cache.getUserTokens('ada'))?.refreshToken, 'refresh-0')
      assert.equal((await cache.status('ada'))[0]?.lastRefresh?.outcome, 'transient')
      assert.equal(provider.requests.length, 2)
      await harness.advance(MINUTE)
      provider.answers.push(new RefreshFailure({ wasNeverSent: true }))
      assert.equal(await codeOf(cache.getAccessToken('ada')), 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE')
      assert.equal(provider.requests.length, 3)
    },
  },
  {
    name: 'invalid_grant ends the tokens, and status remembers why',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      provider.answers.push({ status: 400, error: 'invalid_grant', errorCodes: [700082] })
      assert.equal(await codeOf(cache.getAccessToken('ada')), 'COATCHECK_REAUTH_REQUIRED')
      assert.equal(await cache.getUserTokens('ada'), null)
      assert.equal(await codeOf(cache.getAccessToken('ada')), 'COATCHECK_REAUTH_REQUIRED')
      assert.equal(provider.requests.length, 1)
      const { lastRefresh } = (await cache.status('ada'))[0] ?? {}
      assert.deepEqual(
        [lastRefresh?.outcome, lastRefresh?.error, lastRefresh?.providerCode],
        ['invalid-grant', 'invalid_grant', 'AADSTS700082'],
      )
    },
  },
  {
    name: 'a needed interaction, a wrong client and a wrong scope each have their code and delete nothing',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      const cases = [
        [{ status: 400, error: 'invalid_grant', suberror: 'basic_action', claims: '{}' }, 'COATCHECK_REAUTH_REQUIRED'],
        [{ status: 401, error: 'invalid_client', errorCodes: [7000222] }, 'COATCHECK_TOKEN_REFRESH_REJECTED'],
        [{ status: 400, error: 'invalid_scope' }, 'COATCHECK_TOKEN_REFRESH_REJECTED'],
      ] as const
      for (const [facts, code] of cases) {
        provider.answers.push(facts)
        assert.equal(await codeOf(cache.getAccessToken('ada', ORDERS)), code)
        await harness.advance(MINUTE)
      }
      assert.equal((await cache.getAccessToken('ada', ORDERS)).accessToken, 'access-4')
    },
  },
  {
    name: 'tokens that are deleted during a refresh stay deleted, and no caller sees the late token',
    async run(harness) {
      const { cache, provider, keyring } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      let open = (): void => undefined
      provider.gate = new Promise<void>((resolve) => (open = resolve))
      const late = codeOf(cache.getAccessToken('ada'))
      while (provider.requests.length < 1) await new Promise(setImmediate)
      await cache.deleteUserTokens('ada')
      open()
      assert.equal(await late, 'COATCHECK_TOKEN_NONE')
      assert.equal((await harness.driver.readAll(keyring.userKey('ada'))).size, 0)
    },
  },
  {
    name: 'sign-out and a new sign-in during a refresh: the old one is refused, the caller gets the new one',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      let open = (): void => undefined
      provider.gate = new Promise<void>((resolve) => (open = resolve))
      const late = cache.getAccessToken('ada')
      while (provider.requests.length < 1) await new Promise(setImmediate)
      await cache.deleteUserTokens('ada')
      await cache.setUserTokens('ada', signedIn(harness, { accessToken: 'new', refreshToken: 'refresh-new' }))
      open()
      assert.equal((await late).accessToken, 'new')
      assert.equal((await cache.getUserTokens('ada'))?.refreshToken, 'refresh-new')
    },
  },
  ...(['deleteUserTokens', 'setUserTokens'] as const).map((ending): ConformanceCase<TokenHarness> => ({
    name: `a rotated grant that could not be stored yet is revoked at the provider by ${ending}`,
    async run(harness) {
      const driver = { ...harness.driver }
      const { cache, discarded, runScheduled, names } = tokenFixture(harness, { driver })
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      driver.write = () => Promise.reject(new RedisError('COATCHECK_REDIS_TIMEOUT'))
      assert.equal((await cache.getAccessToken('ada')).accessToken, 'access-1')
      driver.write = harness.driver.write
      assert.deepEqual(discarded, [])

      if (ending === 'deleteUserTokens') await cache.deleteUserTokens('ada')
      else await cache.setUserTokens('ada', signedIn(harness, { refreshToken: 'refresh-new' }))
      runScheduled()
      assert.deepEqual(discarded, ['refresh-1'])
      assert.ok(names().includes('token.grant-discarded'))
      const stored = await cache.getUserTokens('ada')
      assert.equal(stored?.refreshToken ?? null, ending === 'deleteUserTokens' ? null : 'refresh-new')
    },
  })),
  {
    name: 'a wrong client secret for an hour: all users stay signed in, and the provider gets a bounded number of requests',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      const users = ['ada', 'grace', 'mary']
      for (const user of users) await cache.setUserTokens(user, signedIn(harness))
      await harness.advance(HOUR)
      for (let second = 0; second < 3600; second += 20) {
        provider.answers.splice(0, Infinity, ...users.map(() => ({ status: 401, error: 'invalid_client' })))
        for (const user of users) {
          assert.equal(await codeOf(cache.getAccessToken(user)), 'COATCHECK_TOKEN_REFRESH_REJECTED')
        }
        await harness.advance(20_000)
      }
      // The pauses of half a minute apply to all callers together. A request for each of 180 x 3 calls would make 540.
      assert.ok(provider.requests.length < 150, `${provider.requests.length} requests`)
      provider.answers.length = 0
      await harness.advance(MINUTE)
      for (const user of users) assert.match((await cache.getAccessToken(user)).accessToken, /^access-/)
    },
  },
]
