/** What the token cache promises, on every driver: storing, hits, refreshes, outcomes. */
import assert from 'node:assert/strict'
import type { TokenSet } from '../token/types.ts'
import type { ConformanceCase } from './conformance.ts'
import { codeOf, HOUR, MINUTE } from './session-fixture.ts'
import { type TokenFixture, tokenFixture, type TokenHarness } from './token-fixture.ts'

const ORDERS = { scopes: ['api://orders/Orders.Read'] }

/** Lets the time pass that a process waits for another one's lease. */
async function whileWaiting<T>({ runScheduled }: TokenFixture, work: Promise<T>): Promise<T> {
  let isDone = false
  const done = (): void => void (isDone = true)
  work.then(done, done)
  while (!isDone) {
    runScheduled()
    await new Promise(setImmediate)
  }
  return work
}

function signedIn(harness: TokenHarness, overrides: Partial<TokenSet> = {}): TokenSet {
  return {
    accessToken: 'access-0',
    refreshToken: 'refresh-0',
    idToken: 'id-0',
    expiresAt: harness.clock.now() + HOUR,
    scopes: ['openid', 'profile'],
    ...overrides,
  }
}

const storing: readonly ConformanceCase<TokenHarness>[] = [
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
      assert.equal(entra.generation, 1)
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

const refreshing: readonly ConformanceCase<TokenHarness>[] = [
  {
    name: 'a hit asks nobody; a miss refreshes once, rotates, and stores what came',
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
      assert.equal(status?.generation, 2)
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
      // A token of ten seconds is shorter than the default of thirty: it still counts as a hit for most of its life.
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
]

const outcomes: readonly ConformanceCase<TokenHarness>[] = [
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
    name: 'an unknown error of the transport is transient; the refresh token stays',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      provider.answers.push(new TypeError('fetch failed'))
      assert.equal(await codeOf(cache.getAccessToken('ada')), 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE')
      assert.equal((await cache.getUserTokens('ada'))?.refreshToken, 'refresh-0')
      assert.equal((await cache.status('ada'))[0]?.lastRefresh?.outcome, 'transient')
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
      assert.equal(await codeOf(cache.getAccessToken('ada')), 'COATCHECK_TOKEN_NONE')
      assert.equal(provider.requests.length, 1)
      const [status] = await cache.status('ada')
      assert.deepEqual([status?.lastRefresh?.outcome, status?.lastRefresh?.error], ['invalid-grant', 'invalid_grant'])
    },
  },
  {
    name: 'a holder that slept past its lease and hears invalid_grant ends nothing: it gets what its successor stored',
    async run(harness) {
      const here = tokenFixture(harness)
      const there = tokenFixture(harness, { provider: here.provider })
      await here.cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      let open = (): void => undefined
      here.provider.gate = new Promise<void>((resolve) => (open = resolve))
      here.provider.answers.push({ error: 'invalid_grant' }, { accessToken: 'theirs', refreshToken: 'refresh-theirs' })
      const theirs = there.cache.getAccessToken('ada')
      while (here.provider.requests.length < 1) await new Promise(setImmediate)
      await harness.advance(7000)
      const ours = here.cache.getAccessToken('ada')
      while (here.provider.requests.length < 2) await new Promise(setImmediate)
      open()
      assert.deepEqual(
        (await Promise.all([theirs, ours])).map((t) => t.accessToken),
        ['theirs', 'theirs'],
      )
      assert.equal((await here.cache.getUserTokens('ada'))?.refreshToken, 'refresh-theirs')
    },
  },
  {
    name: 'of two processes one asks the provider, and the other gets what it brings',
    async run(harness) {
      const here = tokenFixture(harness)
      const there = tokenFixture(harness, { provider: here.provider })
      await here.cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      let open = (): void => undefined
      here.provider.gate = new Promise<void>((resolve) => (open = resolve))
      const first = here.cache.getAccessToken('ada')
      while (here.provider.requests.length < 1) await new Promise(setImmediate)
      const others = Array.from({ length: 20 }, () => there.cache.getAccessToken('ada'))
      const asked = [here.cache.getAccessToken('ada'), ...others]
      open()
      const all = Promise.all([first, ...asked])
      const tokens = await whileWaiting(there, all)
      assert.deepEqual(new Set(tokens.map((token) => token.accessToken)), new Set(['access-1']))
      assert.equal(here.provider.requests.length, 1)
    },
  },
  {
    name: 'a holder that slept past its lease commits nothing while its successor is asking',
    async run(harness) {
      const here = tokenFixture(harness)
      const there = tokenFixture(harness, { provider: here.provider })
      await here.cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      const gates = [0, 1].map(() => {
        let open = (): void => undefined
        const gate = new Promise<void>((resolve) => (open = resolve))
        return { gate, open }
      })
      here.provider.answers.push(
        { accessToken: 'late', refreshToken: 'late' },
        { accessToken: 'new', refreshToken: 'new' },
      )
      here.provider.gate = gates[0]?.gate ?? Promise.resolve()
      const sleeper = here.cache.getAccessToken('ada')
      while (here.provider.requests.length < 1) await new Promise(setImmediate)
      await harness.advance(7000)
      here.provider.gate = gates[1]?.gate ?? Promise.resolve()
      const successor = there.cache.getAccessToken('ada')
      while (here.provider.requests.length < 2) await new Promise(setImmediate)
      gates[0]?.open()
      // Refused, it looks again and finds the lease of its successor.
      while (!here.names().includes('token.refresh-failed')) await new Promise(setImmediate)
      assert.equal((await there.cache.getUserTokens('ada'))?.refreshToken, 'refresh-0')
      gates[1]?.open()
      assert.equal((await successor).accessToken, 'new')
      assert.equal((await whileWaiting(here, sleeper)).accessToken, 'new')
      assert.equal((await there.cache.getUserTokens('ada'))?.refreshToken, 'new')
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
    name: 'what is deleted during a refresh stays deleted, and nobody sees the late token',
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
]

/** Everything that a token cache over a `TokenDriver` must do. Run each case against an empty store. */
export const tokenCases: readonly ConformanceCase<TokenHarness>[] = [...storing, ...refreshing, ...outcomes]
