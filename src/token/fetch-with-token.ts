/** `fetch` with a user's access token, and the answer to a claims challenge: one refresh with the claims, one more request. */
import { MisuseError, TokenError } from '../core/errors.ts'
import { claimsOfChallenge } from './claims-challenge.ts'
import type { SignInUrl } from './sign-in-url.ts'
import type { GetAccessTokenOptions, TokenCache } from './types.ts'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

export function createFetchWithToken(deps: {
  readonly getAccessToken: TokenCache['getAccessToken']
  readonly userKeyOf: (userId: string) => string
  readonly nameOf: (options: GetAccessTokenOptions) => string
  readonly signInUrl: SignInUrl | undefined
  readonly fetch: typeof fetch | undefined
}): TokenCache['fetchWithToken'] {
  const send = deps.fetch ?? ((request: Request) => fetch(request))

  return async (userId, resource, input, init) => {
    const options = typeof resource === 'string' ? { resource } : resource
    const request = new Request(input, init)
    assertProtected(request.url)
    const first = await deps.getAccessToken(userId, { signal: request.signal, ...options })
    // A body can be read only once. The copy is for the second request, which is rare.
    const copy = request.clone()
    const response = await send(withToken(request, first.accessToken))
    const claims = response.status === 401 ? claimsOfChallenge(response.headers.get('www-authenticate')) : null
    if (claims === null) {
      await copy.body?.cancel()
      return response
    }
    await response.body?.cancel()
    const second = await deps.getAccessToken(userId, { signal: request.signal, ...options, claims })
    const isAnswered = second.accessToken !== first.accessToken
    const answer = isAnswered ? await send(withToken(copy, second.accessToken)) : null
    const wanted = answer?.status === 401 ? claimsOfChallenge(answer.headers.get('www-authenticate')) : null
    if (answer && wanted === null) return answer
    await answer?.body?.cancel()
    throw notContent(userId, options, wanted ?? claims)
  }

  function notContent(userId: string, options: GetAccessTokenOptions, claims: string): TokenError {
    const provider = deps.nameOf(options)
    const params = { provider, userKey: deps.userKeyOf(userId), claims, scopes: options.scopes ?? [] }
    return new TokenError('COATCHECK_REAUTH_REQUIRED', {
      message: 'The resource refuses a token that was refreshed with the claims it had asked for.',
      details: { provider, claims, ...(deps.signInUrl && { signInUrl: deps.signInUrl(params) }) },
    })
  }
}

function withToken(request: Request, accessToken: string): Request {
  request.headers.set('Authorization', `Bearer ${accessToken}`)
  return request
}

/** RFC 6750 section 5.3: a token must never travel unencrypted over a network. */
function assertProtected(url: string): void {
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))) return
  throw new MisuseError(
    'COATCHECK_INVALID_ARGUMENT',
    'fetchWithToken() needs an https address, or http on this machine: a token must not travel unencrypted.',
  )
}
