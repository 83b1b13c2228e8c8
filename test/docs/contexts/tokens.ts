/**
 * The scope of blocks with `with: tokens`: a user who signed in at a provider, the access token with which this user calls the
 * application, and an API at https://orders.example that answers the first request with a claims challenge.
 */
import { randomBytes } from 'node:crypto'
import { coatcheck, entra } from 'coatcheck'
import { startDevProvider, startOrdersApi } from 'coatcheck/dev'
import { memoryStore } from 'coatcheck/memory'

const BASE_URL = 'http://localhost:3000'
const GRAPH = { audience: 'https://graph.microsoft.com', scopes: ['User.Read'] }
const ORDERS = { audience: 'api://orders', scopes: ['Orders.Read'] }
const REPORTS = { audience: 'api://reports', scopes: ['Reports.Read'] }

export const provider = await startDevProvider({
  redirectUris: [`${BASE_URL}/auth/callback`],
  apis: [GRAPH, ORDERS, REPORTS],
})
const { issuer, clientId, clientSecret } = provider
export const user = { id: 'ada' }
export const auth = coatcheck({
  baseUrl: BASE_URL,
  keys: randomBytes(32).toString('base64'),
  store: memoryStore({ name: 'tokens' }),
  providers: [entra({ issuer, clientId, clientSecret })],
  signIn: { userId: () => user.id },
})

await signIn()
const granted = await auth.tokens.getAccessToken(user.id, { scopes: ['api://orders/Orders.Read'] })
export const incomingToken = granted.accessToken

/** Statuses that the API has sent. */
export const answered: number[] = []
export const api = await startOrdersApi({ issuer })
const send = globalThis.fetch
globalThis.fetch = async (input, init) => {
  const request = new Request(input, init)
  if (!request.url.startsWith('https://orders.example/')) return send(request)
  const response = await send(new Request(request.url.replace('https://orders.example', api.url), request))
  answered.push(response.status)
  return response
}
// The API accepts this token once and challenges it from then on.
await auth.tokens.fetchWithToken(user.id, 'api://orders', `${api.url}/orders`)
api.challengeTokens()

/** Follows the redirects between the application and the provider, with the cookies of both. */
async function signIn(): Promise<void> {
  const cookies = new Map<string, string>()
  let url = new URL('/auth/login?login_hint=ada', BASE_URL)
  for (let hop = 0; hop < 12; hop++) {
    const headers = { accept: 'text/html', cookie: [...cookies].map((pair) => pair.join('=')).join('; ') }
    const request = new Request(url, { headers, redirect: 'manual' })
    const response = url.origin === BASE_URL ? await auth.handler(request) : await fetch(request)
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const location = response.headers.get('location')
    if (location === null) throw new Error(`${url.pathname} answered ${response.status} without a redirect`)
    if (url.pathname === '/auth/callback') return
    url = new URL(location, url)
  }
  throw new Error('the provider redirects in circles')
}
