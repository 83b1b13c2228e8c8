import * as client from 'openid-client'
import { afterEach, describe, expect, it } from 'vitest'
import type { DevProvider } from './dev-provider.ts'
import { sendRaw } from '../testing/raw-http.ts'
import { closeProviders, Browser, prepare, redirectUri, signIn, start } from '../../test/support/dev-provider-client.ts'

afterEach(closeProviders)

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
