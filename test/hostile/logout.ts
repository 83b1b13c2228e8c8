/** Logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.6), posted by anyone. */
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { type HostileProvider, LOGOUT_EVENT, newKey, nowSeconds, sign } from '../support/hostile-provider.ts'
import { ACCEPTED, type LogoutCase } from './case.ts'

type Make = LogoutCase['token']
const MODULE = 'oidcc-client-test-rp-backchannel-rpinitlogout'

const typed = (claims: JWTPayload, provider: HostileProvider, header: object = {}): Promise<string> =>
  sign(claims, provider.key, { typ: 'logout+jwt', ...header })
const with_ =
  (more: JWTPayload): Make =>
  (provider) =>
    typed({ ...provider.logoutClaims(), ...more }, provider)
const without =
  (name: string): Make =>
  (provider) => {
    const { [name]: _, ...rest } = provider.logoutClaims()
    return typed(rest, provider)
  }
const header =
  (more: object): Make =>
  (provider) =>
    typed(provider.logoutClaims(), provider, more)

export const logoutCases: readonly LogoutCase[] = [
  { does: 'names a subject', result: ACCEPTED, token: with_({}), module: MODULE },
  {
    does: 'names a session in place of a subject',
    result: ACCEPTED,
    token: with_({ sub: undefined as unknown as string, sid: 'session' }),
  },
  { does: 'leaves out the type', result: 'type', token: header({ typ: undefined }) },
  {
    does: 'sends no signature',
    result: 'algorithm',
    token: (p) => new UnsecuredJWT(p.logoutClaims()).encode(),
    module: `${MODULE}-alg-none`,
  },
  {
    does: 'signs with HS256 and the client secret',
    result: 'algorithm',
    token: (p) =>
      new SignJWT(p.logoutClaims())
        .setProtectedHeader({ alg: 'HS256', typ: 'logout+jwt' })
        .sign(Buffer.from('s'.padEnd(32))),
    module: `${MODULE}-wrong-alg`,
  },
  {
    does: 'signs with a foreign key',
    result: 'signature',
    token: async (p) => sign(p.logoutClaims(), await newKey('one'), { typ: 'logout+jwt' }),
  },
  {
    does: 'names an unknown key',
    result: 'signature',
    token: async (p) => sign(p.logoutClaims(), await newKey('two'), { typ: 'logout+jwt' }),
  },
  {
    does: 'changes its key without overlap',
    result: ACCEPTED,
    token: async (p) => {
      p.key = await newKey('two')
      return typed(p.logoutClaims(), p)
    },
  },
  {
    does: 'names another issuer',
    result: 'issuer',
    token: with_({ iss: 'https://evil.example' }),
    module: `${MODULE}-wrong-iss`,
  },
  { does: 'names no issuer', result: 'issuer', token: without('iss') },
  { does: 'names another audience', result: 'audience', token: with_({ aud: 'other' }), module: `${MODULE}-wrong-aud` },
  { does: 'names no audience', result: 'audience', token: without('aud') },
  {
    does: 'has a nonce, as an ID token has',
    result: 'nonce',
    token: with_({ nonce: 'n' }),
    module: `${MODULE}-with-nonce`,
  },
  { does: 'has no events', result: 'events', token: without('events'), module: `${MODULE}-no-event` },
  { does: 'has another event', result: 'events', token: with_({ events: { 'https://evil.example': {} } }) },
  { does: 'has an event that is no object', result: 'events', token: with_({ events: { [LOGOUT_EVENT]: true } }) },
  { does: 'names neither subject nor session', result: 'subject', token: without('sub') },
  { does: 'names a subject of 600 characters', result: 'subject', token: with_({ sub: 'x'.repeat(600) }) },
  { does: 'has no jti', result: 'token-id', token: without('jti') },
  { does: 'has no iat', result: 'issued-at', token: without('iat') },
  { does: 'was issued in an hour', result: 'issued-at', token: with_({ iat: nowSeconds() + 3600 }) },
  {
    does: 'was issued ten minutes ago and never expires',
    result: 'too-old',
    token: with_({ iat: nowSeconds() - 600, exp: 253_402_300_799 }),
  },
  { does: 'is valid in an hour', result: 'issued-at', token: with_({ nbf: nowSeconds() + 3600 }) },
  { does: 'has no exp', result: 'expired', token: without('exp') },
  { does: 'expired an hour ago', result: 'expired', token: with_({ exp: nowSeconds() - 3600 }) },
  { does: 'is an ID token', result: 'type', token: (p) => sign(p.claims(), p.key, { typ: 'JWT' }) },
  { does: 'is an access token', result: 'type', token: header({ typ: 'at+jwt' }) },
  { does: 'is encrypted', result: 'encrypted', token: () => 'a.b.c.d.e' },
  { does: 'is no JWT', result: 'malformed', token: () => 'nonsense' },
  { does: 'has 20,000 characters', result: 'too-long', token: () => 'x'.repeat(20_000) },
]
