/** A browser and an OAuth client for tests of the development provider. `closeProviders` closes what a test has started. */
import * as client from 'openid-client'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import type { DevProviderOptions } from '../../src/dev/options.ts'
import { type OrdersApi, startOrdersApi } from '../../src/dev/orders-api.ts'

export const redirectUri = 'http://localhost:3000/auth/callback'
export const baseScope = 'openid profile email offline_access'
const ordersScope = `${baseScope} api://orders/Orders.Read`

const open: { close(): Promise<void> }[] = []
export async function closeProviders(): Promise<void> {
  await Promise.all(open.splice(0).map((resource) => resource.close()))
}

export async function start(options: DevProviderOptions = {}): Promise<DevProvider> {
  const provider = await startDevProvider(options)
  open.push(provider)
  return provider
}

export async function startOrders(provider: DevProvider): Promise<OrdersApi> {
  const api = await startOrdersApi({ issuer: provider.issuer })
  open.push(api)
  return api
}

export function discover(provider: DevProvider, server = provider.issuer): Promise<client.Configuration> {
  return client.discovery(new URL(server), provider.clientId, provider.clientSecret, undefined, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so that it stands out; the provider is on loopback
    execute: [client.allowInsecureRequests],
  })
}

/** A minimal browser: cookies by name, redirects followed within the provider. */
export class Browser {
  readonly #cookies = new Map<string, string>()

  async visit(url: URL, form?: Record<string, string>): Promise<{ url: URL; page: string; response: Response | null }> {
    let next = url
    let body = form
    for (;;) {
      if (next.hostname === new URL(redirectUri).hostname) return { url: next, page: '', response: null }
      const response = await fetch(next, {
        redirect: 'manual',
        headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        ...(body && { method: 'POST', body: new URLSearchParams(body) }),
      })
      for (const cookie of response.headers.getSetCookie()) {
        const [name = '', value = ''] = cookie.split(';')[0]?.split(/=(.*)/) ?? []
        if (value) this.#cookies.set(name, value)
        else this.#cookies.delete(name)
      }
      const location = response.headers.get('location')
      if (location !== null) {
        next = new URL(location, next)
        body = undefined
        continue
      }
      const page = await response.text()
      // The provider's page that submits itself, if another user was signed in there before.
      const action = page.includes('document.forms[0].submit()') && /action="([^"]+)"/.exec(page)?.[1]
      if (action === false || action === undefined || !action.startsWith(url.origin))
        return { url: next, page, response }
      next = new URL(action)
      body = Object.fromEntries(
        [...page.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
      )
    }
  }
}

export interface SignIn {
  readonly config: client.Configuration
  readonly checks: { pkceCodeVerifier: string; expectedNonce: string; expectedState: string; idTokenExpected: true }
  readonly url: URL
}

export async function prepare(provider: DevProvider, extra: Record<string, string> = {}): Promise<SignIn> {
  const config = await discover(provider)
  const checks = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedNonce: client.randomNonce(),
    expectedState: client.randomState(),
    idTokenExpected: true,
  } as const
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: ordersScope,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
    nonce: checks.expectedNonce,
    state: checks.expectedState,
    ...extra,
  })
  return { config, checks, url }
}

export async function signIn(provider: DevProvider, extra: Record<string, string> = {}, browser = new Browser()) {
  const { config, checks, url } = await prepare(provider, { login_hint: 'ada@example.test', ...extra })
  const arrived = await browser.visit(url)
  const tokens = await client.authorizationCodeGrant(config, arrived.url, checks)
  return { config, tokens, browser }
}

export const refreshTokenOf = (tokens: client.TokenEndpointResponse): string => tokens.refresh_token ?? ''
