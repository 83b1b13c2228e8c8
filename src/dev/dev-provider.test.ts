import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type DevProvider, startDevProvider } from './dev-provider.ts'
import type { DevProviderOptions } from './options.ts'
import { sendRaw } from '../testing/raw-http.ts'
import { type OrdersApi, startOrdersApi } from './orders-api.ts'

const redirectUri = 'http://localhost:3000/auth/callback'
const baseScope = 'openid profile email offline_access'
const ordersScope = `${baseScope} api://orders/Orders.Read`

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(open.splice(0).map((resource) => resource.close()))
})

async function start(options: DevProviderOptions = {}): Promise<DevProvider> {
  const provider = await startDevProvider(options)
  open.push(provider)
  return provider
}

async function startOrders(provider: DevProvider): Promise<OrdersApi> {
  const api = await startOrdersApi({ issuer: provider.issuer })
  open.push(api)
  return api
}

function discover(provider: DevProvider, server = provider.issuer): Promise<client.Configuration> {
  return client.discovery(new URL(server), provider.clientId, provider.clientSecret, undefined, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so that it stands out; the provider is on loopback
    execute: [client.allowInsecureRequests],
  })
}

/** A minimal browser: cookies by name, redirects followed within the provider. */
class Browser {
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

interface SignIn {
  readonly config: client.Configuration
  readonly checks: { pkceCodeVerifier: string; expectedNonce: string; expectedState: string; idTokenExpected: true }
  readonly url: URL
}

async function prepare(provider: DevProvider, extra: Record<string, string> = {}): Promise<SignIn> {
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

async function signIn(provider: DevProvider, extra: Record<string, string> = {}, browser = new Browser()) {
  const { config, checks, url } = await prepare(provider, { login_hint: 'ada@example.test', ...extra })
  const arrived = await browser.visit(url)
  const tokens = await client.authorizationCodeGrant(config, arrived.url, checks)
  return { config, tokens, browser }
}

const refreshTokenOf = (tokens: client.TokenEndpointResponse): string => tokens.refresh_token ?? ''

describe('sign-in', () => {
  it('shows a page of people, takes a click and sends claims of Entra shape', async () => {
    const provider = await start()
    const { config, checks, url } = await prepare(provider)
    const browser = new Browser()
    const shown = await browser.visit(url)
    for (const name of ['Ada Lovelace', 'Grace Hopper', 'Linus Torvalds', 'Margaret Hamilton', 'Barbara Liskov']) {
      expect(shown.page).toContain(name)
    }
    expect(shown.page).not.toMatch(/<script|<style|style=/)
    expect(shown.response?.headers.get('content-security-policy')).toContain("default-src 'none'")

    const arrived = await browser.visit(shown.url, { user: 'ada' })
    expect(arrived.url.searchParams.has('iss')).toBe(false)
    const tokens = await client.authorizationCodeGrant(config, arrived.url, checks)
    expect(tokens.claims()).toMatchObject({
      iss: `http://127.0.0.1:${String(provider.port)}/${provider.tenantId}/v2.0`,
      tid: provider.tenantId,
      ver: '2.0',
      name: 'Ada Lovelace',
      preferred_username: 'ada@example.test',
      email: 'ada@example.test',
      roles: ['Admin', 'User'],
      oid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      sid: expect.any(String) as string,
    })
    expect(refreshTokenOf(tokens)).not.toBe('')
    expect(provider.counters.count('token', 'authorization_code')).toBe(1)
  })

  it('names the endpoints of Entra ID in its metadata', async () => {
    const provider = await start()
    const base = `${provider.url}/${provider.tenantId}`
    expect((await discover(provider)).serverMetadata()).toMatchObject({
      issuer: `${base}/v2.0`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      end_session_endpoint: `${base}/oauth2/v2.0/logout`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
    })
    const common = await fetch(`${provider.url}/common/v2.0/.well-known/openid-configuration`)
    expect(await common.json()).toMatchObject({ issuer: `${provider.url}/{tenantid}/v2.0` })
  })

  it('skips the page for a login_hint, also when another user is signed in there', async () => {
    const provider = await start()
    const { tokens, browser } = await signIn(provider)
    expect(tokens.claims()).toMatchObject({ email: 'ada@example.test' })
    const again = await signIn(provider, {}, browser)
    expect(again.tokens.claims()?.sub).toBe(tokens.claims()?.sub)
    const other = await signIn(provider, { login_hint: 'grace@example.test' }, browser)
    expect(other.tokens.claims()).toMatchObject({ email: 'grace@example.test' })
    const choose = await prepare(provider, { prompt: 'select_account' })
    expect((await browser.visit(choose.url)).page).toContain('Pick an account')
  })

  it('refuses a disabled account at sign-in and at refresh', async () => {
    const provider = await start()
    const { config, checks, url } = await prepare(provider, { login_hint: 'margaret@example.test' })
    const arrived = await new Browser().visit(url)
    expect(arrived.url.searchParams.get('error')).toBe('access_denied')
    await expect(client.authorizationCodeGrant(config, arrived.url, checks)).rejects.toMatchObject({
      error: 'access_denied',
    })

    const { tokens } = await signIn(provider)
    provider.setDisabled('ada', true)
    await expect(client.refreshTokenGrant(config, refreshTokenOf(tokens))).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })

  it('sends a user who cancels back with access_denied', async () => {
    const provider = await start()
    const { url } = await prepare(provider)
    const browser = new Browser()
    const pick = await browser.visit(url)
    expect(pick.page).toContain('name="cancel"')
    const { url: back } = await browser.visit(pick.url, { cancel: 'yes' })
    expect(back.href.split('?')[0]).toBe(redirectUri)
    expect(back.searchParams.get('error')).toBe('access_denied')
    expect(back.searchParams.has('code')).toBe(false)
    const { page } = await browser.visit(pick.url)
    expect(page).toContain('href="http://localhost:3000"')
  })

  it('sends a guest with the home tenant and too many groups as a claim source', async () => {
    const provider = await start()
    const guest = await signIn(provider, { login_hint: 'linus@partner.test' })
    expect(guest.tokens.claims()).toMatchObject({
      tid: provider.tenantId,
      acct: 1,
      idp: expect.stringContaining('sts') as string,
    })
    const { tokens } = await signIn(provider, { login_hint: 'barbara@example.test' })
    expect(tokens.claims()).toMatchObject({ hasgroups: true, _claim_names: { groups: 'src1' } })
    expect(tokens.claims()).not.toHaveProperty('groups')
  })

  it('answers by form_post', async () => {
    const provider = await start()
    const { url } = await prepare(provider, { login_hint: 'grace@example.test', response_mode: 'form_post' })
    const { page } = await new Browser().visit(url)
    expect(page).toContain(`action="${redirectUri}"`)
    expect(page).toContain('name="code"')
  })

  it('signs out without a question and returns to the application', async () => {
    const provider = await start()
    const { config, tokens, browser } = await signIn(provider)
    const url = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: 'http://localhost:3000/',
      state: 'after',
    })
    const { page, response } = await browser.visit(url)
    expect(response?.headers.get('content-security-policy')).toContain("script-src 'self'")
    const action = /action="([^"]+)"/.exec(page)?.[1] ?? ''
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const returned = await browser.visit(new URL(action, provider.url), { xsrf, logout: 'yes' })
    expect(returned.url.href).toBe('http://localhost:3000/?state=after')
    const { url: next } = await prepare(provider)
    expect((await browser.visit(next)).page).toContain('Pick an account')
  })
})

describe('a POST to the end-session endpoint', () => {
  const hintOf = async (provider: DevProvider) => {
    const { config, tokens, browser } = await signIn(provider)
    const form = { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: 'http://localhost:3000/' }
    return { browser, form, endpoint: new URL(config.serverMetadata().end_session_endpoint ?? '') }
  }

  it('is 404 by default, and accepted with acceptPost: the session cookie is then SameSite=None and Secure', async () => {
    const usual = await start()
    const refused = await hintOf(usual)
    expect((await refused.browser.visit(refused.endpoint, refused.form)).response?.status).toBe(404)

    const provider = await start({ acceptPost: true })
    const { browser, endpoint, form } = await hintOf(provider)
    const { page, response } = await browser.visit(endpoint, form)
    expect(response?.headers.getSetCookie()[0]).toMatch(/^idp_session_\d+=.*; samesite=none; secure; httponly/i)
    const action = /action="([^"]+)"/.exec(page)?.[1] ?? ''
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const returned = await browser.visit(new URL(action, provider.url), { xsrf, logout: 'yes' })
    expect(returned.url.href).toBe('http://localhost:3000/')
    expect((await browser.visit((await prepare(provider)).url)).page).toContain('Pick an account')
  })

  it('without the cookie leads back as if all had gone well, and the session stays: id_token_hint ends none', async () => {
    const provider = await start({ acceptPost: true })
    const { browser, endpoint, form } = await hintOf(provider)
    // The browser omits a cookie with SameSite=Lax from a POST of another site.
    expect((await new Browser().visit(endpoint, form)).url.href).toBe('http://localhost:3000/')
    const { url } = await prepare(provider)
    expect((await browser.visit(url)).url.searchParams.has('code')).toBe(true)
  })
})

it('the port of http://localhost does not count, at the sign-in and at the sign-out', async () => {
  const provider = await start()
  const elsewhere = 'http://localhost:3100'
  const { config, tokens, browser } = await signIn(provider, { redirect_uri: `${elsewhere}/auth/callback` })
  expect(tokens.claims()).toMatchObject({ name: 'Ada Lovelace' })
  const url = client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token ?? '',
    post_logout_redirect_uri: `${elsewhere}/`,
  })
  const { page, response } = await browser.visit(url)
  expect(response?.status).toBe(200)
  expect(page).toContain('name="xsrf"')
})

describe('what Entra ID refuses on a page of its own', () => {
  const authorize = (provider: DevProvider, changes: Record<string, string>, tenant = provider.tenantId): URL => {
    const url = new URL(`${provider.url}/${tenant}/oauth2/v2.0/authorize`)
    const query = { client_id: provider.clientId, redirect_uri: redirectUri, response_type: 'code', scope: 'openid' }
    for (const [name, value] of Object.entries({ ...query, ...changes })) url.searchParams.set(name, value)
    return url
  }

  const LOOPBACK = 'http://127.0.0.1:3000/auth/callback'
  const SECURE = 'https://localhost:3000/auth/callback'
  it.each<[sent: string, difference: string, registered?: string]>([
    ['http://127.0.0.1:3000/auth/callback', 'Only the host differs: 127.0.0.1 and localhost are two hosts'],
    ['http://localhost:3000/auth/callback/entra', 'Only the path differs: /auth/callback/entra was sent'],
    ['http://localhost:3100/auth/callback/', 'Only the path differs: /auth/callback/ was sent'],
    ['https://localhost:3000/auth/callback', 'Only the scheme differs.'],
    ['http://localhost.example:3000/auth/callback', 'Only the host differs.'],
    ['http://127.0.0.1:3001/auth/callback', 'Only the port differs: 3001 was sent, 3000 is registered.', LOOPBACK],
    ['https://localhost:3001/auth/callback', 'Only the port differs: 3001 was sent, 3000 is registered.', SECURE],
    ['/auth/callback', 'What was sent is no absolute address.'],
  ])(
    'the redirect URI %s: what was sent, what is registered, what to change',
    async (sent, difference, registered = redirectUri) => {
      const provider = await start({ redirectUris: [registered] })
      const { page, response } = await new Browser().visit(authorize(provider, { redirect_uri: sent }))
      expect(response?.status).toBe(400)
      for (const text of ['AADSTS50011', `<code>${sent}</code>`, `<code>${registered}</code>`, difference]) {
        expect(page).toContain(text)
      }
      for (const name of ['COATCHECK_BASE_URL', 'redirectUris']) expect(page).toContain(name)
    },
  )

  it('an unknown application, and markup in what was sent is text', async () => {
    const provider = await start()
    const { page, response } = await new Browser().visit(authorize(provider, { client_id: '<script>x' }))
    expect(response?.status).toBe(400)
    for (const text of ['AADSTS700016', provider.clientId, 'AZURE_AD_CLIENT_ID']) expect(page).toContain(text)
    expect(page).not.toContain('<script>')
    expect(page).not.toContain('AADSTS50011')
  })

  it.each([
    ['11111111-1111-4111-8111-111111111111', 90002, 'invalid_tenant'],
    ['my tenant', 900023, 'invalid_request'],
  ])('the tenant %s: a page for people, JSON for programs', async (tenant, number, error) => {
    const provider = await start()
    const { page, response } = await new Browser().visit(authorize(provider, {}, tenant))
    expect(response?.status).toBe(400)
    for (const text of [`AADSTS${number}`, provider.tenantId, 'AZURE_AD_TENANT_ID']) expect(page).toContain(text)
    const discovery = await fetch(`${provider.url}/${tenant}/v2.0/.well-known/openid-configuration`)
    expect(discovery.status).toBe(400)
    expect(await discovery.json()).toMatchObject({
      error,
      error_codes: [number],
      trace_id: expect.any(String) as string,
    })
  })

  it.each([
    ['a wrong secret', {}, { error: 'invalid_client', error_codes: [7000215] }, 401],
    ['an unknown application', { client_id: 'x' }, { error: 'unauthorized_client', error_codes: [700016] }, 400],
  ])('%s at the token endpoint, as JSON', async (_, changes, body, status) => {
    const provider = await start()
    const answer = await fetch(`${provider.url}/${provider.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({
        ...{ client_id: provider.clientId, client_secret: 'wrong', grant_type: 'client_credentials' },
        ...changes,
      }),
    })
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject(body)
  })
})

describe('refresh', () => {
  it('entra: a new refresh token each time, the old one stays valid', async () => {
    const provider = await start()
    const { config, tokens } = await signIn(provider)
    const second = await client.refreshTokenGrant(config, refreshTokenOf(tokens))
    expect(refreshTokenOf(second)).not.toBe(refreshTokenOf(tokens))
    await client.refreshTokenGrant(config, refreshTokenOf(tokens))
    await client.refreshTokenGrant(config, refreshTokenOf(second))
    expect(provider.counters.count('token', 'refresh_token')).toBe(3)
    expect(provider.counters.count('token')).toBe(4)
  })

  it('strict: using an old refresh token again ends the grant', async () => {
    const provider = await start({ rotation: 'strict' })
    const { config, tokens } = await signIn(provider)
    const second = await client.refreshTokenGrant(config, refreshTokenOf(tokens))
    for (const token of [refreshTokenOf(tokens), refreshTokenOf(second)]) {
      await expect(client.refreshTokenGrant(config, token)).rejects.toMatchObject({ error: 'invalid_grant' })
    }
  })

  it('none: the same refresh token for ever', async () => {
    const provider = await start({ rotation: 'none' })
    const { config, tokens } = await signIn(provider)
    const second = await client.refreshTokenGrant(config, refreshTokenOf(tokens))
    expect(refreshTokenOf(second)).toBe(refreshTokenOf(tokens))
  })

  it('serves every API from one grant, each token for one audience', async () => {
    const provider = await start({ accessTokenTtlSeconds: 45 })
    const { config, tokens } = await signIn(provider, { scope: baseScope })
    expect(tokens.access_token.split('.')).toHaveLength(1)
    for (const parameters of [{ scope: 'api://reports/Reports.Read' }, { resource: 'api://reports' }]) {
      const reports = await client.refreshTokenGrant(config, refreshTokenOf(tokens), parameters)
      expect(decodeJwt(reports.access_token)).toMatchObject({
        aud: 'api://reports',
        scp: 'Reports.Read',
        azp: provider.clientId,
      })
      expect(reports.expires_in).toBe(45)
    }
    const all = await client.refreshTokenGrant(config, refreshTokenOf(tokens), {
      scope: 'openid api://orders/.default',
    })
    expect(decodeJwt(all.access_token)).toMatchObject({ aud: 'api://orders', scp: 'Orders.Read Orders.Write' })
    expect(all.claims()).toMatchObject({ ver: '2.0' })
    expect(all.claims()).not.toHaveProperty('email')
  })

  it('gives an application a token of its own', async () => {
    const provider = await start()
    const config = await discover(provider)
    const { access_token: token } = await client.clientCredentialsGrant(config, { scope: 'api://orders/.default' })
    expect(decodeJwt(token)).toMatchObject({ aud: 'api://orders', sub: provider.clientId })
  })
})

describe('faults', () => {
  it('answers with a status, counts it, and is itself again afterwards', async () => {
    const provider = await start()
    const { config, tokens } = await signIn(provider)
    provider.faults.add({ grantType: 'refresh_token', status: 429, headers: { 'retry-after': '7' } })
    await expect(client.refreshTokenGrant(config, refreshTokenOf(tokens))).rejects.toThrow()
    await client.refreshTokenGrant(config, refreshTokenOf(tokens))
    expect(provider.counters.count('token', 'refresh_token')).toBe(2)
  })

  it('rotates and never answers', async () => {
    const provider = await start({ rotation: 'strict' })
    const { config, tokens } = await signIn(provider)
    const fault = provider.faults.add({ grantType: 'refresh_token', drop: 'after' })
    await expect(client.refreshTokenGrant(config, refreshTokenOf(tokens))).rejects.toThrow()
    expect(fault.left).toBe(0)
    await expect(client.refreshTokenGrant(config, refreshTokenOf(tokens))).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })
})

describe('orders API', () => {
  const orders = (api: OrdersApi, token?: string): Promise<Response> =>
    fetch(`${api.url}/orders`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })

  it('serves a token of its audience and scope, and always the same orders', async () => {
    const provider = await start()
    const api = await startOrders(provider)
    const { tokens } = await signIn(provider)
    const response = await orders(api, tokens.access_token)
    expect(response.status).toBe(200)
    const body = (await response.json()) as { owner: string; orders: unknown[] }
    expect(body.owner).toBe('Ada Lovelace')
    expect(body.orders).toHaveLength(4)
    expect(await (await orders(api, tokens.access_token)).json()).toEqual(body)
  })

  it('refuses no token, a foreign one, one of another audience and one of another scope', async () => {
    const provider = await start()
    const stranger = await start()
    const api = await startOrders(provider)
    const { config, tokens } = await signIn(provider)
    const foreign = await signIn(stranger)
    const grant = (scope: string) => client.refreshTokenGrant(config, refreshTokenOf(tokens), { scope })
    const reports = await grant('api://reports/Reports.Read')
    const writing = await grant('api://orders/Orders.Write')
    const cases = [
      [undefined, 401, 'Bearer realm="api://orders"'],
      ['nonsense', 401, 'Bearer realm="api://orders", error="invalid_token"'],
      [foreign.tokens.access_token, 401, 'Bearer realm="api://orders", error="invalid_token"'],
      [reports.access_token, 401, 'Bearer realm="api://orders", error="invalid_token"'],
      [writing.access_token, 403, 'Bearer realm="api://orders", error="insufficient_scope", scope="Orders.Read"'],
    ] as const
    for (const [token, status, challenge] of cases) {
      const response = await orders(api, token)
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([status, challenge])
    }
  })
})

describe('starting', () => {
  it('never in production', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const insecure = { code: 'COATCHECK_CONFIG_INSECURE', fix: expect.stringContaining('NODE_ENV') as string }
    await expect(startDevProvider()).rejects.toMatchObject(insecure)
    await expect(startOrdersApi({ issuer: 'http://127.0.0.1:1/t/v2.0' })).rejects.toMatchObject({
      code: 'COATCHECK_CONFIG_INSECURE',
    })
  })

  it('names a bad option and a port that is taken', async () => {
    const { port } = await start()
    await expect(startDevProvider({ port })).rejects.toThrow(/port \d+ of 127.0.0.1 is in use/)
    await expect(startDevProvider({ rotation: 'always' as never })).rejects.toThrow(/rotation must be/)
    await expect(startDevProvider({ ports: 1 } as never)).rejects.toMatchObject({
      code: 'COATCHECK_CONFIG_UNKNOWN_OPTION',
    })
  })

  it('writes nothing to the console', async () => {
    const spies = (['log', 'info', 'warn', 'error'] as const).map((level) => vi.spyOn(console, level))
    await signIn(await start())
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })

  it('forgets everything on reset', async () => {
    const provider = await start()
    const { config, tokens } = await signIn(provider)
    provider.reset()
    expect(provider.counters.all()).toEqual({})
    await expect(client.refreshTokenGrant(config, refreshTokenOf(tokens))).rejects.toMatchObject({
      error: 'invalid_grant',
    })
  })
})

describe('the page of the faults', () => {
  it('obeys no page whose host name was made to lead to this machine (DNS rebinding)', async () => {
    const { url, port, switches } = await start()
    const post = async (host: string): Promise<number> => {
      const headers = { host, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' }
      const body = 'fault=refresh%3D429'
      return (await sendRaw(url, '/dev/faults', { method: 'POST', headers, body })).status
    }
    expect(await post(`rebound.example:${port}`)).toBe(403)
    expect(switches.list()).toEqual([])
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) expect(await post(host)).toBe(200)
    expect(switches.list()).toHaveLength(2)
  })
})
