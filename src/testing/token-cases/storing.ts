/** Which tokens are stored, for which user, and for how long. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance.ts'
import { codeOf, HOUR } from '../session-fixture.ts'
import { tokenFixture, type TokenHarness } from '../token-fixture.ts'
import { ORDERS, signedIn } from './signed-in.ts'

export const storingCases: readonly ConformanceCase<TokenHarness>[] = [
  {
    name: 'what is set is got, deleted, and of one user only',
    async run(harness) {
      const { cache } = tokenFixture(harness)
      const { setUserTokens, getUserTokens, deleteUserTokens } = cache
      assert.equal(await getUserTokens('ada'), null)
      const tokens = signedIn(harness)
      await setUserTokens('ada', tokens)
      const { accessToken, refreshToken, idToken, expiresAt } = tokens
      assert.deepEqual(await getUserTokens('ada'), { accessToken, idToken, refreshToken, expiresAt })
      assert.equal(await getUserTokens('grace'), null)
      await deleteUserTokens('ada')
      await deleteUserTokens('ada')
      assert.equal(await getUserTokens('ada'), null)
      assert.equal(await codeOf(cache.getAccessToken('ada')), 'COATCHECK_TOKEN_NONE')
    },
  },
  {
    name: 'expired access tokens are not returned; the refresh token outlives them by the life of the grant',
    async run(harness) {
      const { cache, provider, keyring } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR + 1000)
      const stored = await cache.getUserTokens('ada')
      assert.deepEqual(stored, { accessToken: null, expiresAt: null, idToken: 'id-0', refreshToken: 'refresh-0' })
      assert.equal(provider.requests.length, 0)
      const lifeMs = await harness.lifeMs(keyring.userKey('ada'))
      assert.ok(lifeMs !== null && lifeMs > 89 * 24 * HOUR)
    },
  },
  {
    name: 'without a refresh token everything goes with the access token',
    async run(harness) {
      const { cache, keyring } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness, { refreshToken: null }))
      const lifeMs = await harness.lifeMs(keyring.userKey('ada'))
      assert.ok(lifeMs !== null && lifeMs <= HOUR && lifeMs > HOUR - 5000)
      await harness.advance(HOUR + 1000)
      assert.equal(await cache.getUserTokens('ada'), null)
      assert.equal(await harness.lifeMs(keyring.userKey('ada')), null)
    },
  },
  {
    name: 'a new sign-in replaces everything of its provider and nothing of others',
    async run(harness) {
      const { cache } = tokenFixture(harness, { providers: ['entra', 'other'] })
      await cache.setUserTokens('ada', signedIn(harness), { provider: 'entra' })
      await cache.setUserTokens('ada', signedIn(harness, { accessToken: 'extra' }), { provider: 'entra', ...ORDERS })
      await cache.setUserTokens('ada', signedIn(harness, { accessToken: 'foreign' }), { provider: 'other' })
      await cache.setUserTokens('ada', signedIn(harness, { accessToken: 'new' }), { provider: 'entra' })
      const [entra, other] = await cache.status('ada')
      assert.deepEqual(
        entra?.resources.map(({ resource }) => resource),
        [''],
      )
      assert.equal(entra.refreshCount, 0)
      assert.equal(other?.provider, 'other')
      assert.equal((await cache.getUserTokens('ada', { provider: 'other' }))?.accessToken, 'foreign')
      await cache.deleteUserTokens('ada', { provider: 'entra' })
      assert.equal(await cache.getUserTokens('ada', { provider: 'entra' }), null)
      assert.equal((await cache.getUserTokens('ada', { provider: 'other' }))?.accessToken, 'foreign')
    },
  },
  {
    name: 'nothing is readable in the store, and a record opens only where it belongs',
    async run(harness) {
      const { cache, keyring } = tokenFixture(harness)
      const secrets = ['access-SECRET', 'refresh-SECRET', 'id-SECRET']
      const [accessToken = '', refreshToken = '', idToken = ''] = secrets
      await cache.setUserTokens('ada', signedIn(harness, { accessToken, refreshToken, idToken }))
      const [from, to] = [keyring.userKey('ada'), keyring.userKey('mallory')]
      const all = await harness.driver.readAll(from)
      assert.equal(all.size, 2)
      for (const [field, record] of all) {
        for (const secret of [...secrets, 'ada'])
          assert.equal(`${field}${record.toString('latin1')}`.includes(secret), false)
      }
      const set = new Map([...all].map(([field, record]) => [field, { record, ttlMs: HOUR }]))
      await harness.driver.write(to, { set })
      assert.equal(await cache.getUserTokens('mallory'), null)
      assert.equal(await codeOf(cache.getAccessToken('mallory')), 'COATCHECK_TOKEN_NONE')
      const own = [...all].map(([field, record]) => [`access:entra:${field}`, { record, ttlMs: HOUR }] as const)
      await harness.driver.write(from, { set: new Map(own) })
      assert.deepEqual((await cache.status('ada'))[0]?.resources.length, 1)
      const foreign = tokenFixture(harness, { namespace: 'other-app:' })
      assert.equal(await foreign.cache.getUserTokens('ada'), null)
    },
  },
]
