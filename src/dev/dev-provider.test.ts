import { decodeJwt } from 'jose'
import * as client from 'openid-client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { startDevProvider } from './dev-provider.ts'
import { startOrdersApi } from './orders-api.ts'
import {
  closeProviders,
  baseScope,
  Browser,
  discover,
  prepare,
  redirectUri,
  refreshTokenOf,
  signIn,
  start,
} from '../../test/support/dev-provider-client.ts'

afterEach(async () => {
  vi.unstubAllEnvs()
  await closeProviders()
})

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
