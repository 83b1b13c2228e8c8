/** Several processes and one grant: which one refreshes, which one waits, and which one is refused. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance.ts'
import { codeOf, HOUR } from '../session-fixture.ts'
import { tokenFixture, type TokenHarness } from '../token-fixture.ts'
import { closedGate, ORDERS, signedIn, whileWaiting } from './signed-in.ts'

export const processesCases: readonly ConformanceCase<TokenHarness>[] = [
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
      // After the refusal, it reads the lease again and finds that of its successor.
      while (!here.names().includes('token.refresh-failed')) await new Promise(setImmediate)
      assert.equal((await there.cache.getUserTokens('ada'))?.refreshToken, 'refresh-0')
      gates[1]?.open()
      assert.equal((await successor).accessToken, 'new')
      assert.equal((await whileWaiting(here, sleeper)).accessToken, 'new')
      assert.equal((await there.cache.getUserTokens('ada'))?.refreshToken, 'new')
    },
  },
  {
    name: 'a waiting process is notified of the end of a lease, without polling',
    async run(harness) {
      const here = tokenFixture(harness)
      const there = tokenFixture(harness, { provider: here.provider })
      await here.cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      const { gate, open } = closedGate()
      here.provider.gate = gate
      const first = here.cache.getAccessToken('ada')
      while (here.provider.requests.length < 1) await new Promise(setImmediate)
      // This case never runs scheduled work, so only a message can wake the waiting process.
      const second = there.cache.getAccessToken('ada')
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
      open()
      const tokens = await Promise.all([first, second])
      assert.deepEqual(
        tokens.map((token) => token.accessToken),
        ['access-1', 'access-1'],
      )
      assert.equal(here.provider.requests.length, 1)
    },
  },
  {
    name: 'a failure of one process holds for the others, for this target of this sign-in only',
    async run(harness) {
      const here = tokenFixture(harness)
      const there = tokenFixture(harness, { provider: here.provider })
      await here.cache.setUserTokens('ada', signedIn(harness))
      await harness.advance(HOUR)
      here.provider.answers.push({ status: 400, error: 'invalid_scope' })
      assert.equal(await codeOf(here.cache.getAccessToken('ada', ORDERS)), 'COATCHECK_TOKEN_REFRESH_REJECTED')
      assert.equal(await codeOf(there.cache.getAccessToken('ada', ORDERS)), 'COATCHECK_TOKEN_REFRESH_REJECTED')
      assert.equal(here.provider.requests.length, 1)
      assert.equal((await there.cache.getAccessToken('ada')).accessToken, 'access-2')
      await harness.advance(5000)
      assert.equal((await there.cache.getAccessToken('ada', ORDERS)).accessToken, 'access-3')

      await harness.advance(HOUR)
      here.provider.answers.push({ status: 503 })
      assert.equal(await codeOf(here.cache.getAccessToken('ada')), 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE')
      await there.cache.setUserTokens('ada', signedIn(harness, { expiresAt: harness.clock.now() - 1000 }))
      assert.equal((await there.cache.getAccessToken('ada')).accessToken, 'access-5')
    },
  },
  {
    name: 'Retry-After holds for all users of all processes; a valid token is served meanwhile',
    async run(harness) {
      const here = tokenFixture(harness)
      const there = tokenFixture(harness, { provider: here.provider })
      await here.cache.setUserTokens('ada', signedIn(harness))
      await here.cache.setUserTokens('grace', signedIn(harness))
      await harness.advance(HOUR)
      await here.cache.setUserTokens('mary', signedIn(harness, { expiresAt: harness.clock.now() + 20_000 }))
      here.provider.answers.push({ status: 429, retryAfterMs: 7000 })
      assert.equal(await codeOf(here.cache.getAccessToken('ada')), 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE')
      for (let second = 0; second < 6; second++) {
        assert.equal(await codeOf(there.cache.getAccessToken('grace')), 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE')
        assert.equal(await codeOf(here.cache.getAccessToken('ada')), 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE')
        assert.equal((await there.cache.getAccessToken('mary')).accessToken, 'access-0')
        await harness.advance(1000)
      }
      assert.equal(here.provider.requests.length, 1)
      await harness.advance(2000)
      assert.equal((await there.cache.getAccessToken('grace')).accessToken, 'access-2')
      assert.equal((await here.cache.getAccessToken('ada')).accessToken, 'access-3')
    },
  },
  {
    name: 'an API whose claims the provider does not answer keeps no other user from asking, unless the provider asks for a pause',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens('ada', signedIn(harness))
      await cache.setUserTokens('grace', signedIn(harness))
      await harness.advance(HOUR)
      // A firewall in front of the provider refuses the requests with a page. A fault of the provider counts the same.
      provider.answers.push(...Array.from({ length: 6 }, (_, i) => ({ status: i % 2 === 0 ? 403 : 500 })))
      for (let i = 0; i < 6; i++) {
        const claims = JSON.stringify({ access_token: { odd: { value: String(i) } } })
        assert.equal(await codeOf(cache.getAccessToken('ada', { claims })), 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE')
      }
      assert.equal(provider.requests.length, 6)
      assert.equal((await cache.getAccessToken('grace')).accessToken, 'access-7')

      provider.answers.push({ status: 429, retryAfterMs: 7000 })
      const claims = JSON.stringify({ access_token: { odd: { value: 'last' } } })
      assert.equal(await codeOf(cache.getAccessToken('ada', { claims })), 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE')
      assert.equal(
        await codeOf(cache.getAccessToken('grace', { scopes: ['more'] })),
        'COATCHECK_TOKEN_REFRESH_UNAVAILABLE',
      )
      assert.equal(provider.requests.length, 8)
    },
  },
  {
    name: 'after five failures in a row no process asks for a while, then one tries for all',
    async run(harness) {
      const here = tokenFixture(harness)
      const there = tokenFixture(harness, { provider: here.provider })
      const users = ['ada', 'grace', 'mary', 'joan', 'edith', 'hedy', 'radia']
      for (const user of users) await here.cache.setUserTokens(user, signedIn(harness))
      await harness.advance(HOUR)
      here.provider.answers.push(...Array.from({ length: 6 }, () => ({ status: 503 })))
      const codes = async (): Promise<string[]> =>
        Promise.all(users.slice(5).map((user) => codeOf(there.cache.getAccessToken(user))))
      for (const user of users.slice(0, 5)) await codeOf(here.cache.getAccessToken(user))
      assert.equal(here.provider.requests.length, 5)
      assert.deepEqual(new Set(await codes()), new Set(['COATCHECK_TOKEN_REFRESH_UNAVAILABLE']))
      assert.equal(here.provider.requests.length, 5)
      await harness.advance(1500)
      assert.deepEqual(new Set(await codes()), new Set(['COATCHECK_TOKEN_REFRESH_UNAVAILABLE']))
      assert.equal(here.provider.requests.length, 6)
      await harness.advance(5000)
      assert.equal((await there.cache.getAccessToken('hedy')).accessToken, 'access-7')
      assert.equal((await there.cache.getAccessToken('radia')).accessToken, 'access-8')
    },
  },
]
