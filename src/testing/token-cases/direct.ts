/** Tokens without a grant: of the application itself and on behalf of callers. Also `fetch` with a user's token. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance.ts'
import { codeOf, HOUR, MINUTE } from '../session-fixture.ts'
import { tokenFixture, type TokenHarness } from '../token-fixture.ts'
import { closedGate, signedIn } from './signed-in.ts'

const GRAPH = { scopes: ['https://graph.example/.default'] }
const CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'

/** A fake resource: returns the responses in order, and records the requests. */
function resource(...answers: readonly Response[]): { readonly fetch: typeof fetch; readonly asked: string[] } {
  const asked: string[] = []
  const left = [...answers]
  return {
    asked,
    async fetch(input, init) {
      const request = new Request(input, init)
      asked.push(`${request.method} ${request.headers.get('authorization') ?? ''} ${await request.text()}`)
      return left.shift() ?? new Response('fine')
    },
  }
}

function challenge(): Response {
  const claims = Buffer.from(CLAIMS).toString('base64')
  const value = `Bearer realm="", error="insufficient_claims", claims="${claims}"`
  return new Response('', { status: 401, headers: { 'WWW-Authenticate': value } })
}

export const directCases: readonly ConformanceCase<TokenHarness>[] = [
  {
    name: 'an app token is asked for once over all processes, kept, and renewed behind late in its life',
    async run(harness) {
      const here = tokenFixture(harness)
      const there = tokenFixture(harness, { provider: here.provider })
      const { gate, open } = closedGate()
      here.provider.gate = gate
      const asked = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? here : there).cache.getAppToken(GRAPH))
      while (here.provider.direct.length < 1) await new Promise(setImmediate)
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
      open()
      assert.deepEqual(new Set((await Promise.all(asked)).map((token) => token.accessToken)), new Set(['access-1']))
      assert.equal((await there.cache.getAppToken(GRAPH)).expiresAt, harness.clock.now() + HOUR)
      assert.deepEqual(here.provider.direct, [GRAPH])
      await harness.advance(0.9 * HOUR)
      assert.equal((await here.cache.getAppToken(GRAPH)).accessToken, 'access-1')
      await here.cache.close()
      assert.equal((await there.cache.getAppToken(GRAPH)).accessToken, 'access-2')
      await harness.advance(HOUR)
      assert.equal((await there.cache.getAppToken(GRAPH)).accessToken, 'access-3')
      assert.equal((await there.cache.getAppToken({ resource: 'api://other' })).accessToken, 'access-4')
    },
  },
  {
    name: 'tokens on behalf of two callers are two tokens; one caller costs one request',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      const [ada, again, grace] = await Promise.all([
        cache.getOnBehalfOfToken('token-of-ada', GRAPH),
        cache.getOnBehalfOfToken('token-of-ada', GRAPH),
        cache.getOnBehalfOfToken('token-of-grace', GRAPH),
      ])
      assert.equal(ada.accessToken, again.accessToken)
      assert.notEqual(ada.accessToken, grace.accessToken)
      assert.equal((await cache.getOnBehalfOfToken('token-of-ada', GRAPH)).accessToken, ada.accessToken)
      assert.deepEqual(provider.direct.map(({ assertion }) => assertion).sort(), ['token-of-ada', 'token-of-grace'])
      assert.equal(await codeOf(cache.getOnBehalfOfToken('', GRAPH)), 'COATCHECK_INVALID_ARGUMENT')
    },
  },
  {
    name: 'a direct token that cannot be had is not asked for again at once, by no process; a valid one is served',
    async run(harness) {
      const here = tokenFixture(harness)
      const there = tokenFixture(harness, { provider: here.provider })
      here.provider.answers.push({ status: 400, error: 'invalid_scope' })
      assert.equal(await codeOf(here.cache.getAppToken(GRAPH)), 'COATCHECK_TOKEN_REFRESH_REJECTED')
      assert.equal(await codeOf(there.cache.getAppToken(GRAPH)), 'COATCHECK_TOKEN_REFRESH_REJECTED')
      assert.equal(here.provider.direct.length, 1)
      await harness.advance(MINUTE)
      assert.equal((await there.cache.getAppToken(GRAPH)).accessToken, 'access-2')
      await harness.advance(HOUR - 10_000)
      here.provider.answers.push({ status: 503 })
      assert.equal((await here.cache.getAppToken(GRAPH)).accessToken, 'access-2')
      here.provider.answers.push({ status: 429, retryAfterMs: 7000 })
      await assert.rejects(here.cache.getAppToken({ resource: 'https://other.test/' }), (error) => {
        const { code, details } = error as { code: string; details: { retryAfterMs?: number } }
        return code === 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE' && details.retryAfterMs === 7000
      })
      await harness.advance(MINUTE)
      const claims = '{"access_token":{}}'
      here.provider.answers.push({ status: 400, error: 'invalid_grant', suberror: 'basic_action', claims })
      await assert.rejects(here.cache.getOnBehalfOfToken('token-of-ada', GRAPH), (error) => {
        const { code, details } = error as { code: string; details: { claims?: string } }
        return code === 'COATCHECK_REAUTH_REQUIRED' && details.claims === claims
      })
    },
  },
  {
    name: 'fetchWithToken adds the token, and answers a claims challenge by one refresh and one more request with its body',
    async run(harness) {
      const api = resource(challenge())
      const { cache, provider } = tokenFixture(harness, { fetch: api.fetch })
      await cache.setUserTokens('ada', signedIn(harness))
      const orders = 'api://orders'
      const options = { method: 'POST', body: 'one order' }
      const answer = await cache.fetchWithToken('ada', orders, 'https://orders.example/', options)
      assert.equal(await answer.text(), 'fine')
      assert.deepEqual(api.asked, ['POST Bearer access-1 one order', 'POST Bearer access-2 one order'])
      assert.deepEqual(
        provider.requests.map(({ request }) => [request.resource, request.claims]),
        [
          [orders, undefined],
          [orders, CLAIMS],
        ],
      )
      await cache.fetchWithToken('ada', { resource: orders }, new Request('https://orders.example/'))
      assert.equal(api.asked.at(-1), 'GET Bearer access-2 ')
      assert.equal(
        await codeOf(cache.fetchWithToken('ada', orders, 'http://orders.example/')),
        'COATCHECK_INVALID_ARGUMENT',
      )
    },
  },
  {
    name: 'a resource that is not content with the refreshed token, or a refresh that needs the user, is a sign-in address',
    async run(harness) {
      const api = resource(challenge(), challenge(), challenge())
      const { cache, provider } = tokenFixture(harness, { fetch: api.fetch })
      await cache.setUserTokens('ada', signedIn(harness))
      const refused = (): Promise<void> =>
        assert.rejects(cache.fetchWithToken('ada', 'api://orders', 'https://orders.example/'), (error) => {
          const { code, details } = error as { code: string; details: { signInUrl?: string } }
          assert.equal(code, 'COATCHECK_REAUTH_REQUIRED')
          assert.equal(details.signInUrl, `/auth/login?provider=entra&claims=${CLAIMS}`)
          return true
        })
      await refused()
      assert.equal(api.asked.length, 2)
      await cache.deleteUserTokens('ada')
      await cache.setUserTokens('ada', signedIn(harness))
      provider.answers.push({}, { status: 400, error: 'interaction_required', claims: CLAIMS })
      await refused()
      assert.equal(api.asked.length, 3)
      assert.equal((await cache.getAccessToken('ada')).accessToken, 'access-0')
    },
  },
]
