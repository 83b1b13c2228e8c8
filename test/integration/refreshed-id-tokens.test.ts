/** ID tokens of refreshes (OpenID Connect Core section 12.2), through openid-client: whom they name, and who signed them. */
import type { JWTPayload } from 'jose'
import { beforeEach, describe, expect, test } from 'vitest'
import { isCoatcheckError } from '../../src/core/errors.ts'
import {
  hostileProvider,
  type HostileProvider,
  newKey,
  sign,
  type Victim,
  victimOf,
} from '../support/hostile-provider.ts'
import type { Browser } from '../support/test-app.ts'

let provider: HostileProvider
let victim: Victim
let browser: Browser
/** The ID token of the sign-in. */
let first: string

beforeEach(async () => {
  provider = await hostileProvider()
  victim = victimOf(provider)
  browser = victim.newBrowser()
  // Nothing of the access token is left, so the next call refreshes.
  provider.script.answer = (honest) => ({ ...honest, expires_in: 0 })
  provider.script.idToken = (claims) => sign({ ...claims, auth_time: 1_700_000_000 }, provider.key)
  expect((await victim.signIn(browser)).status).toBe(303)
  provider.script.answer = (honest) => honest
  first = (await victim.app.tokens.getUserTokens('ada'))?.idToken ?? ''
  expect(first).not.toBe('')
})

const codeOf = async (): Promise<string> =>
  victim.refresh().catch((error: unknown) => (isCoatcheckError(error) ? error.code : String(error)))
const outcomes = (): unknown[] =>
  victim.app.seen
    .filter(({ name }) => name === 'token.refresh-failed')
    .map(({ event }) => event as { outcome: string; check?: string })
    .map(({ outcome, check }) => [outcome, check])
const refreshTokens = (): (string | null)[] =>
  provider.tokenRequests.filter((r) => r.get('grant_type') === 'refresh_token').map((r) => r.get('refresh_token'))

test.each([
  ['another subject', 'subject', { sub: 'mallory' }],
  ['another issuer', 'issuer', { iss: 'https://evil.example' }],
  ['another subject in a token that has expired', 'subject', { sub: 'mallory', exp: 1 }],
])('%s ends the grant; the session stays', async (_, check, claims) => {
  provider.script.idToken = (honest) => sign({ ...honest, ...claims }, provider.key)
  expect(await codeOf()).toBe('COATCHECK_REAUTH_REQUIRED')
  expect(await victim.app.tokens.getUserTokens('ada')).toBeNull()
  expect(outcomes()).toEqual([['subject-mismatch', check]])
  expect(victim.app.seen.filter(({ name }) => name === 'token.subject-mismatch')).toHaveLength(1)
  expect(await victim.isSignedIn(browser)).toBe(true)
  expect(refreshTokens()).toEqual(['refresh-1'])
})

describe('an answer that does not pass a check', () => {
  test.each([
    ['signed by a foreign key', 'signature', async (c: JWTPayload) => sign(c, await newKey('one'))],
    ['of an unknown key', 'signing-key', async (c: JWTPayload) => sign(c, await newKey('two'))],
    ['that has expired', 'expiry', (c: JWTPayload) => sign({ ...c, exp: 1 }, provider.key)],
    ['for another client', 'audience', (c: JWTPayload) => sign({ ...c, aud: 'other' }, provider.key)],
    ['authorized for another', 'authorized-party', (c: JWTPayload) => sign({ ...c, azp: 'other' }, provider.key)],
    [
      'with another time of authentication',
      'authentication-time',
      (c: JWTPayload) => sign({ ...c, auth_time: 1 }, provider.key),
    ],
    ['with another nonce', 'nonce', (c: JWTPayload) => sign({ ...c, nonce: 'other' }, provider.key)],
    ['that is no JWT', 'format', () => 'nonsense'],
  ])('an ID token %s: nothing is handed out, and the rotated refresh token is kept', async (_, check, make) => {
    provider.script.idToken = make
    expect(await codeOf()).toBe('COATCHECK_TOKEN_ANSWER_INVALID')
    expect(outcomes()).toEqual([['invalid-answer', check]])
    const stored = await victim.app.tokens.getUserTokens('ada')
    expect([stored?.refreshToken, stored?.idToken, stored?.accessToken]).toEqual(['refresh-2', first, null])
    // Never twice with one refresh token: a provider that rotates would end the grant.
    expect(refreshTokens()).toEqual(['refresh-1'])
    expect(await victim.isSignedIn(browser)).toBe(true)
  })
})

test('a key set that cannot be fetched costs no token: the ID token before stays until the next one', async () => {
  const rotated = await newKey('two')
  provider.key = rotated
  provider.script.keySet = () => new Response('', { status: 503 })
  expect(await victim.refresh()).toBe('access-2')
  const stored = await victim.app.tokens.getUserTokens('ada')
  expect([stored?.refreshToken, stored?.idToken]).toEqual(['refresh-2', first])
})

test('without an ID token in the answer the one before stays', async () => {
  provider.script.idToken = () => undefined
  expect(await victim.refresh()).toBe('access-2')
  expect((await victim.app.tokens.getUserTokens('ada'))?.idToken).toBe(first)
})

test('no refresh token of a refused answer is printed with the error', async () => {
  const { inspect } = await import('node:util')
  provider.script.idToken = () => 'nonsense'
  const error = await victim.refresh().catch((reason: unknown) => reason)
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('refresh-2')
  expect(JSON.stringify(error)).not.toContain('refresh-2')
})
