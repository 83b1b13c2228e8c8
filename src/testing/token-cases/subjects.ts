/** Refresh responses that name another subject, or fail a check (OpenID Connect Core section 12.2). */
import assert from 'node:assert/strict'
import { createSeal } from '../../keyring/seal.ts'
import { RefreshFailure, type RefusedAnswer } from '../../token/refresh-outcome.ts'
import { createTokenCodec, type Grant } from '../../token/token-codec.ts'
import { grantField } from '../../token/token-fields.ts'
import type { ConformanceCase } from '../conformance.ts'
import { codeOf, HOUR, MINUTE } from '../session-fixture.ts'
import { tokenFixture, type TokenFixture, type TokenHarness } from '../token-fixture.ts'
import { ORDERS, signedIn } from './signed-in.ts'

const ISSUER = 'https://idp.example'
const ADA = { issuer: ISSUER, subject: 'ada' }
const MALLORY = { issuer: ISSUER, subject: 'mallory' }
const USER = 'ada'

/** An ID token as `setUserTokens` receives it: decoded, but not verified. */
const idTokenOf = ({ issuer, subject }: typeof ADA, more: object = {}): string =>
  [{ alg: 'none' }, { iss: issuer, sub: subject, ...more }, '']
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')

const refused = (answer: RefusedAnswer, check = 'signature'): RefreshFailure =>
  new RefreshFailure({ status: 200, check }, { outcome: 'invalid-answer', answer })

/** The stored grant, opened. */
async function grantOf({ keyring }: TokenFixture, { driver }: TokenHarness): Promise<Grant | null> {
  const field = grantField('entra')
  const userKey = keyring.userKey(USER)
  const [record] = await driver.read(userKey, [field])
  if (!record) return null
  const opened = createTokenCodec(createSeal(keyring), '').openGrant(userKey, field, record)
  return typeof opened === 'string' ? null : opened.value
}

/** Stores the grant as an earlier build did: without its owner. */
async function storeAsBefore({ keyring }: TokenFixture, harness: TokenHarness, idToken: string | null): Promise<void> {
  const field = grantField('entra')
  const userKey = keyring.userKey(USER)
  const nowMs = harness.clock.now()
  const grant: Grant = {
    ...{ family: 'sign-in', refreshCount: 0, refreshToken: 'refresh-0', idToken },
    ...{ obtainedAtMs: nowMs, expiresAtMs: nowMs + HOUR },
  }
  const record = createTokenCodec(createSeal(keyring), '').sealGrant(userKey, field, grant)
  await harness.driver.write(userKey, { set: new Map([[field, { record, ttlMs: HOUR }]]), lasting: true })
}

export const subjectsCases: readonly ConformanceCase<TokenHarness>[] = [
  ...[
    { what: 'subject', named: MALLORY },
    { what: 'issuer', named: { ...ADA, issuer: 'https://other.example' } },
  ].map(({ what, named }): ConformanceCase<TokenHarness> => ({
    name: `a refresh that answers with tokens of another ${what} ends the grant, and nothing of the answer is stored`,
    async run(harness) {
      const fixture = tokenFixture(harness)
      const { cache, provider, seen, keyring } = fixture
      await cache.setUserTokens(USER, signedIn(harness, { idToken: idTokenOf(ADA) }))
      await cache.setUserTokens(USER, signedIn(harness, { accessToken: 'orders' }), ORDERS)
      await harness.advance(HOUR - 1000)
      provider.answers.push({ accessToken: 'foreign', subject: named, idToken: idTokenOf(named) })
      assert.equal(await codeOf(cache.getAccessToken(USER)), 'COATCHECK_REAUTH_REQUIRED')
      assert.equal(await cache.getUserTokens(USER), null)
      assert.equal(await codeOf(cache.getAccessToken(USER, ORDERS)), 'COATCHECK_REAUTH_REQUIRED')
      assert.equal(provider.requests.length, 1)
      assert.equal((await cache.status(USER))[0]?.lastRefresh?.outcome, 'subject-mismatch')
      const reported = seen.filter(({ name }) => name === 'token.subject-mismatch')
      assert.deepEqual(
        reported.map(({ event }) => [(event as { userKey: string }).userKey, (event as { check?: string }).check]),
        [[keyring.userKey(USER), what]],
      )
      assert.doesNotMatch(JSON.stringify(seen), /mallory|foreign/)
      await cache.setUserTokens(USER, signedIn(harness, { idToken: idTokenOf(ADA) }))
      assert.equal((await cache.getAccessToken(USER)).accessToken, 'access-0')
    },
  })),
  {
    name: 'a refused answer that names another subject ends the grant, whichever check it failed',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens(USER, signedIn(harness, { idToken: idTokenOf(ADA) }))
      await harness.advance(HOUR)
      provider.answers.push(refused({ subject: MALLORY, refreshToken: 'refresh-of-mallory' }, 'expiry'))
      assert.equal(await codeOf(cache.getAccessToken(USER)), 'COATCHECK_REAUTH_REQUIRED')
      assert.equal(await cache.getUserTokens(USER), null)
    },
  },
  {
    name: 'a grant from setUserTokens() belongs to the subject of its ID token',
    async run(harness) {
      const fixture = tokenFixture(harness)
      await fixture.cache.setUserTokens(USER, signedIn(harness, { idToken: idTokenOf(ADA) }))
      assert.deepEqual({ ...(await grantOf(fixture, harness))?.owner }, ADA)
      await harness.advance(HOUR)
      fixture.provider.answers.push({ subject: ADA, idToken: idTokenOf(ADA, { n: 2 }) })
      assert.equal((await fixture.cache.getAccessToken(USER)).accessToken, 'access-1')
      const grant = await grantOf(fixture, harness)
      assert.deepEqual([{ ...grant?.owner }, grant?.idToken], [ADA, idTokenOf(ADA, { n: 2 })])
      assert.equal(fixture.provider.requests[0]?.request.idToken, idTokenOf(ADA))
    },
  },
  {
    name: 'a grant of an earlier build belongs to the subject of its ID token, else to that of the next verified one',
    async run(harness) {
      const fixture = tokenFixture(harness)
      const { cache, provider } = fixture
      await storeAsBefore(fixture, harness, null)
      // Without a key set the response is accepted, but does not decide the owner.
      provider.answers.push({ subject: ADA, expiresInSeconds: 60 })
      assert.equal((await cache.getAccessToken(USER)).accessToken, 'access-1')
      assert.equal((await grantOf(fixture, harness))?.owner, undefined)
      await harness.advance(MINUTE)
      provider.answers.push({ subject: ADA, idToken: idTokenOf(ADA), expiresInSeconds: 60 })
      assert.equal((await cache.getAccessToken(USER)).accessToken, 'access-2')
      assert.deepEqual({ ...(await grantOf(fixture, harness))?.owner }, ADA)
      await harness.advance(MINUTE)
      provider.answers.push({ subject: MALLORY })
      assert.equal(await codeOf(cache.getAccessToken(USER)), 'COATCHECK_REAUTH_REQUIRED')

      await storeAsBefore(fixture, harness, idTokenOf(ADA))
      provider.answers.push({ subject: MALLORY })
      assert.equal(await codeOf(cache.getAccessToken(USER)), 'COATCHECK_REAUTH_REQUIRED')
    },
  },
  {
    name: 'without a key set the store takes the new tokens and keeps the previous ID token',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens(USER, signedIn(harness, { idToken: idTokenOf(ADA) }))
      await harness.advance(HOUR)
      provider.answers.push({ subject: ADA })
      assert.equal((await cache.getAccessToken(USER)).accessToken, 'access-1')
      const stored = await cache.getUserTokens(USER)
      assert.deepEqual([stored?.refreshToken, stored?.idToken], ['refresh-1', idTokenOf(ADA)])
    },
  },
  {
    name: 'a refused answer leaves its rotated refresh token only, and the request is not repeated',
    async run(harness) {
      const { cache, provider, names, seen } = tokenFixture(harness)
      await cache.setUserTokens(USER, signedIn(harness, { idToken: idTokenOf(ADA) }))
      await harness.advance(HOUR)
      provider.answers.push(refused({ subject: ADA, refreshToken: 'successor' }))
      assert.equal(await codeOf(cache.getAccessToken(USER)), 'COATCHECK_TOKEN_ANSWER_INVALID')
      assert.equal(provider.requests.length, 1)
      assert.ok(!names().includes('token.refresh-repeated'))
      assert.doesNotMatch(JSON.stringify(seen), /successor/)
      const stored = await cache.getUserTokens(USER)
      assert.deepEqual([stored?.refreshToken, stored?.idToken], ['successor', idTokenOf(ADA)])
      const [status] = await cache.status(USER)
      assert.deepEqual([status?.lastRefresh?.outcome, status?.refreshCount], ['invalid-answer', 1])
      await harness.advance(MINUTE)
      assert.equal((await cache.getAccessToken(USER)).accessToken, 'access-2')
      assert.equal(provider.requests[1]?.request.refreshToken, 'successor')
    },
  },
  {
    name: 'a refused answer without another refresh token changes nothing, and a valid access token is served',
    async run(harness) {
      const { cache, provider } = tokenFixture(harness)
      await cache.setUserTokens(USER, signedIn(harness, { idToken: idTokenOf(ADA) }))
      await harness.advance(HOUR - 10_000)
      provider.answers.push(refused({ subject: ADA, refreshToken: null }))
      assert.equal((await cache.getAccessToken(USER)).accessToken, 'access-0')
      assert.equal((await cache.getUserTokens(USER))?.refreshToken, 'refresh-0')
      assert.equal(provider.requests.length, 1)
      await harness.advance(MINUTE)
      assert.equal((await cache.getAccessToken(USER)).accessToken, 'access-2')
    },
  },
  {
    name: 'tokens that were deleted while a refused answer was on its way stay deleted',
    async run(harness) {
      const { cache, provider, keyring } = tokenFixture(harness)
      await cache.setUserTokens(USER, signedIn(harness, { idToken: idTokenOf(ADA) }))
      await harness.advance(HOUR)
      let open = (): void => undefined
      provider.gate = new Promise<void>((resolve) => (open = resolve))
      provider.answers.push(refused({ subject: ADA, refreshToken: 'successor' }))
      const late = codeOf(cache.getAccessToken(USER))
      while (provider.requests.length < 1) await new Promise(setImmediate)
      await cache.deleteUserTokens(USER)
      open()
      assert.equal(await late, 'COATCHECK_TOKEN_NONE')
      assert.equal((await harness.driver.readAll(keyring.userKey(USER))).size, 0)
    },
  },
]
