/** Answers to a refresh (RFC 6749 section 6, OpenID Connect Core section 12.2), after a sign-in where the provider was honest. */
import type { JWTPayload } from 'jose'
import { json, newKey, nowSeconds, sign } from '../support/hostile-provider.ts'
import { answer, type Change, instead, without } from './answer.ts'
import { ACCEPTED, type HostileCase } from './case.ts'

const claims =
  (more: JWTPayload): Change =>
  (provider) =>
    void (provider.script.idToken = (honest) => sign({ ...honest, ...more }, provider.key))

export const refreshCases: readonly HostileCase[] = [
  {
    does: 'answers with new tokens',
    result: ACCEPTED,
    change: () => undefined,
    module: 'oidcc-client-test-refresh-token',
  },
  { does: 'sends no ID token', result: ACCEPTED, change: ({ script }) => void (script.idToken = () => undefined) },
  { does: 'sends no refresh token', result: ACCEPTED, change: without('refresh_token') },
  {
    does: 'names another subject',
    result: 'subject-mismatch subject',
    change: claims({ sub: 'mallory' }),
    module: 'oidcc-client-test-refresh-token-invalid-sub',
  },
  {
    does: 'names another issuer',
    result: 'subject-mismatch issuer',
    change: claims({ iss: 'https://evil.example' }),
    module: 'oidcc-client-test-refresh-token-invalid-issuer',
  },
  {
    does: 'names another subject in a token that has expired',
    result: 'subject-mismatch subject',
    change: claims({ sub: 'mallory', exp: 1 }),
  },
  {
    does: 'names another subject in a token with a foreign signature',
    result: 'subject-mismatch subject',
    change: (provider) => {
      provider.script.idToken = async (honest) => sign({ ...honest, sub: 'mallory' }, await newKey('one'))
    },
  },
  {
    does: 'names another subject, while the key set cannot be fetched',
    result: 'subject-mismatch subject',
    change: async (provider) => {
      provider.script.keySet = () => json({}, { status: 503 })
      provider.key = await newKey('two')
      await claims({ sub: 'mallory' })(provider)
    },
  },
  {
    does: 'names another subject, and labels the answer as text/html',
    result: 'subject-mismatch subject',
    change: async (provider) => {
      await claims({ sub: 'mallory' })(provider)
      provider.script.answer = (honest) =>
        new Response(JSON.stringify(honest), { headers: { 'content-type': 'text/html' } })
    },
  },
  {
    does: 'names another audience',
    result: 'invalid-answer audience',
    change: claims({ aud: 'other' }),
    module: 'oidcc-client-test-refresh-token-invalid-aud',
  },
  { does: 'names a foreign azp', result: 'invalid-answer authorized-party', change: claims({ azp: 'other' }) },
  { does: 'sends another nonce', result: 'invalid-answer nonce', change: claims({ nonce: 'other' }) },
  { does: 'sends another auth_time', result: 'invalid-answer authentication-time', change: claims({ auth_time: 1 }) },
  { does: 'sends the same auth_time', result: ACCEPTED, change: claims({ auth_time: 1_700_000_000 }) },
  { does: 'sends a token that has expired', result: 'invalid-answer expiry', change: claims({ exp: 1 }) },
  {
    does: 'sends a token of the future',
    result: 'invalid-answer not-before',
    change: claims({ nbf: nowSeconds() + 3600 }),
  },
  {
    does: 'sends a token without a subject',
    result: 'invalid-answer subject',
    change: claims({ sub: undefined as unknown as string }),
  },
  {
    does: 'signs with a foreign key',
    result: 'invalid-answer signature',
    change: ({ script }) => {
      script.idToken = async (honest) => sign(honest, await newKey('one'))
    },
  },
  {
    does: 'signs with an unknown key',
    result: 'invalid-answer signing-key',
    change: ({ script }) => {
      script.idToken = async (honest) => sign(honest, await newKey('unknown'))
    },
  },
  {
    does: 'changes its key without overlap',
    result: ACCEPTED,
    change: async (provider) => {
      provider.key = await newKey('two')
    },
  },
  {
    does: 'signs with a new key, and the key set cannot be fetched',
    result: ACCEPTED,
    change: async (provider) => {
      provider.key = await newKey('two')
      provider.script.keySet = () => json({}, { status: 503 })
    },
  },
  {
    does: 'sends an ID token that is no JWT',
    result: 'invalid-answer format',
    change: ({ script }) => void (script.idToken = () => 'nonsense'),
  },
  { does: 'sends no access token', result: 'invalid-answer token-answer', change: without('access_token') },
  { does: 'sends the token_type DPoP', result: 'invalid-answer token-type', change: answer({ token_type: 'DPoP' }) },
  { does: 'sends no token_type', result: 'invalid-answer token-answer', change: without('token_type') },
  {
    does: 'sends an expires_in that is no number',
    result: 'invalid-answer token-answer',
    change: answer({ expires_in: 'soon' }),
  },
  { does: 'sends an expires_in of 1e300', result: 'invalid-answer expires-in', change: answer({ expires_in: 1e300 }) },
  {
    does: 'labels JSON as text/html',
    result: 'invalid-answer OAUTH_RESPONSE_IS_NOT_JSON',
    change: instead((honest) => new Response(JSON.stringify(honest), { headers: { 'content-type': 'text/html' } })),
  },
  {
    does: 'answers with a page',
    result: 'transient OAUTH_RESPONSE_IS_NOT_JSON',
    change: instead(() => new Response('<html>', { headers: { 'content-type': 'text/html' } })),
  },
  {
    does: 'redirects the token request to another host',
    result: 'transient OAUTH_RESPONSE_IS_NOT_CONFORM',
    change: instead(() => new Response(null, { status: 307, headers: { location: 'https://evil.example' } })),
  },
  {
    does: 'answers with 2 MiB',
    result: 'transient ANSWER_TOO_LARGE',
    change: answer({ padding: 'x'.repeat(2 * 1024 * 1024) }),
  },
  {
    does: 'refuses the refresh token',
    result: 'invalid-grant invalid_grant',
    change: instead(() => json({ error: 'invalid_grant' }, { status: 400 })),
  },
  {
    does: 'answers 200 with an error',
    result: 'invalid-answer token-answer',
    change: instead(() => json({ error: 'invalid_grant' })),
  },
]
