/** The authorization response (RFC 6749 section 4.1.2, RFC 9207) and the token answer (section 5.1), seen by a sign-in. */
import { json } from '../support/hostile-provider.ts'
import { answer, type Change, instead, without } from './answer.ts'
import { ACCEPTED, type HostileCase, REJECTED, UNAVAILABLE } from './case.ts'

const response =
  (change: (honest: URLSearchParams) => void): Change =>
  ({ script }) => {
    script.response = (honest) => {
      change(honest)
      return honest
    }
  }
const announced =
  (change: (honest: URLSearchParams) => void): Change =>
  async (provider) => {
    provider.script.metadata = (honest) => ({ ...honest, authorization_response_iss_parameter_supported: true })
    await response(change)(provider)
  }
const typed = (type: string): Change =>
  instead((honest) => new Response(JSON.stringify(honest), { headers: { 'content-type': type } }))
const refusal = (error: string, status = 400): Change => instead(() => json({ error }, { status }))

export const responseCases: readonly HostileCase[] = [
  { does: 'returns state and code', result: ACCEPTED, change: () => undefined, module: 'oidcc-client-test' },
  {
    does: 'names itself in iss',
    result: ACCEPTED,
    change: announced((r) => r.set('iss', 'https://idp.test')),
  },
  {
    does: 'names another issuer in iss',
    result: `${REJECTED} response-issuer`,
    change: response((r) => r.set('iss', 'https://evil.example')),
  },
  {
    does: 'leaves out the iss that it announces',
    result: `${REJECTED} response-issuer`,
    change: announced(() => undefined),
  },
  {
    does: 'returns two iss',
    result: `${REJECTED} duplicate-parameter`,
    change: response((r) => {
      r.append('iss', 'https://idp.test')
      r.append('iss', 'https://evil.example')
    }),
  },
  { does: 'returns no state', result: `${REJECTED} state`, change: response((r) => r.delete('state')) },
  {
    does: 'returns two states',
    result: `${REJECTED} duplicate-parameter`,
    change: response((r) => r.append('state', 'other')),
  },
  {
    does: 'returns a state that this browser did not start',
    result: 'COATCHECK_SIGNIN_EXPIRED browser',
    change: response((r) => r.set('state', 'A'.repeat(43))),
  },
  {
    does: 'returns a state of 300 characters',
    result: `${REJECTED} state`,
    change: response((r) => r.set('state', 'A'.repeat(300))),
  },
  { does: 'returns no code', result: `${REJECTED} response`, change: response((r) => r.delete('code')) },
  {
    does: 'returns two codes',
    result: `${REJECTED} duplicate-parameter`,
    change: response((r) => r.append('code', 'other')),
  },
  {
    does: 'returns an access token with the code (implicit flow)',
    result: `${REJECTED} response`,
    change: response((r) => r.set('token', 'access')),
  },
  {
    does: 'returns an ID token with the code (hybrid flow)',
    result: `${REJECTED} response`,
    change: response((r) => r.set('id_token', 'a.b.c')),
  },
  {
    does: 'returns a signed response (JARM)',
    result: `${REJECTED} response`,
    change: response((r) => r.set('response', 'a.b.c')),
  },
  {
    does: 'returns access_denied',
    result: 'COATCHECK_SIGNIN_DENIED access_denied',
    change: response((r) => {
      r.delete('code')
      r.set('error', 'access_denied')
    }),
  },
  {
    does: 'returns an error and a code',
    result: 'COATCHECK_SIGNIN_DENIED access_denied',
    change: response((r) => r.set('error', 'access_denied')),
  },
  {
    does: 'returns an error that is a script',
    result: `${REJECTED} unreadable`,
    change: response((r) => r.set('error', '<script>alert(1)</script>')),
  },
  {
    does: 'returns temporarily_unavailable',
    result: `${UNAVAILABLE} temporarily_unavailable`,
    change: response((r) => r.set('error', 'temporarily_unavailable')),
  },
]

export const answerCases: readonly HostileCase[] = [
  { does: 'sends no access token', result: `${REJECTED} token-answer`, change: without('access_token') },
  {
    does: 'sends an access token that is a number',
    result: `${REJECTED} token-answer`,
    change: answer({ access_token: 1 }),
  },
  { does: 'sends an empty access token', result: `${REJECTED} token-answer`, change: answer({ access_token: '' }) },
  { does: 'sends no token_type', result: `${REJECTED} token-answer`, change: without('token_type') },
  { does: 'sends the token_type DPoP', result: `${REJECTED} token-type`, change: answer({ token_type: 'DPoP' }) },
  { does: 'sends the token_type N_A', result: `${REJECTED} token-answer`, change: answer({ token_type: 'N_A' }) },
  { does: 'sends the token_type mac', result: `${REJECTED} token-answer`, change: answer({ token_type: 'mac' }) },
  { does: 'writes the token_type as BEARER', result: ACCEPTED, change: answer({ token_type: 'BEARER' }) },
  { does: 'sends no expires_in', result: ACCEPTED, change: without('expires_in') },
  { does: 'sends expires_in as a text of digits', result: ACCEPTED, change: answer({ expires_in: '3600' }) },
  { does: 'sends an expires_in below zero', result: `${REJECTED} token-answer`, change: answer({ expires_in: -1 }) },
  {
    does: 'sends an expires_in that is no number',
    result: `${REJECTED} token-answer`,
    change: answer({ expires_in: 'soon' }),
  },
  { does: 'sends an expires_in of null', result: `${REJECTED} token-answer`, change: answer({ expires_in: null }) },
  { does: 'sends an expires_in of 1e300', result: `${REJECTED} expires-in`, change: answer({ expires_in: 1e300 }) },
  {
    does: 'sends an expires_in of 1,000 years',
    result: `${REJECTED} expires-in`,
    change: answer({ expires_in: 31_622_400_000 }),
  },
  {
    does: 'sends a refresh token that is an object',
    result: `${REJECTED} token-answer`,
    change: answer({ refresh_token: {} }),
  },
  { does: 'sends no refresh token', result: ACCEPTED, change: without('refresh_token') },
  { does: 'sends scope as a list', result: `${REJECTED} token-answer`, change: answer({ scope: ['openid'] }) },
  { does: 'grants a scope that was not asked for', result: ACCEPTED, change: answer({ scope: 'openid admin' }) },
  { does: 'sends no ID token', result: `${REJECTED} token-answer`, change: without('id_token') },
  { does: 'sends an ID token that is an object', result: `${REJECTED} token-answer`, change: answer({ id_token: {} }) },
  { does: 'labels JSON as text/html', result: `${UNAVAILABLE} OAUTH_RESPONSE_IS_NOT_JSON`, change: typed('text/html') },
  {
    does: 'labels JSON as text/plain',
    result: `${UNAVAILABLE} OAUTH_RESPONSE_IS_NOT_JSON`,
    change: typed('text/plain; charset=utf-8'),
  },
  { does: 'labels JSON as JSON with a charset', result: ACCEPTED, change: typed('application/json; charset=UTF-8') },
  {
    does: 'sends JSON that is cut off',
    result: `${UNAVAILABLE} OAUTH_PARSE_ERROR`,
    change: instead(() => new Response('{"access_token":"a', { headers: { 'content-type': 'application/json' } })),
  },
  { does: 'sends a list', result: `${REJECTED} token-answer`, change: instead((honest) => json([honest])) },
  {
    does: 'sends an answer of 2 MiB',
    result: `${UNAVAILABLE} ANSWER_TOO_LARGE`,
    change: answer({ padding: 'x'.repeat(2 * 1024 * 1024) }),
  },
  {
    does: 'redirects the token request to another host',
    result: `${UNAVAILABLE} OAUTH_RESPONSE_IS_NOT_CONFORM`,
    change: instead(() => new Response(null, { status: 307, headers: { location: 'https://evil.example' } })),
  },
  {
    does: 'answers 201 with tokens',
    result: `${UNAVAILABLE} OAUTH_RESPONSE_IS_NOT_CONFORM`,
    change: instead((honest) => json(honest, { status: 201 })),
  },
  {
    does: 'answers 400 with tokens',
    result: `${UNAVAILABLE} OAUTH_RESPONSE_IS_NOT_CONFORM`,
    change: instead((honest) => json(honest, { status: 400 })),
  },
  { does: 'refuses the code', result: `${REJECTED} invalid_grant`, change: refusal('invalid_grant') },
  {
    does: 'refuses the client',
    result: 'COATCHECK_OIDC_CLIENT_REJECTED invalid_client',
    change: refusal('invalid_client', 401),
  },
  { does: 'answers 429', result: `${UNAVAILABLE} slow_down`, change: refusal('slow_down', 429) },
  {
    does: 'closes the connection',
    result: `${UNAVAILABLE} UND_ERR_SOCKET`,
    change: ({ script }) => {
      script.answer = () => Promise.reject(Object.assign(new TypeError('fetch failed'), { code: 'UND_ERR_SOCKET' }))
    },
  },
]
