/** The routes behind a sign-in, with a real provider: the list of devices, and the ways to sign out. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { devProviderOf } from '../support/resolved-provider.ts'
import { Browser, createTestApp, type TestApp, type TestAppOptions } from '../support/test-app.ts'

let idp: DevProvider

beforeEach(async () => {
  idp = await startDevProvider()
})
afterEach(() => idp.close())

function appOf(options: Partial<TestAppOptions> = {}): TestApp {
  return createTestApp({ providers: [devProviderOf(idp)], ...options })
}

describe('devices and sign-out', () => {
  it('lists own devices, ends one, ends all others', async () => {
    const app = appOf()
    const [a, b, c, grace] = (await Promise.all(
      ['ada', 'ada', 'ada', 'grace'].map(async (name) => {
        const browser = new Browser(app)
        await browser.signIn(`login_hint=${name}@example.test`)
        return browser
      }),
    )) as [Browser, Browser, Browser, Browser]
    const devicesOf = async (browser: Browser) =>
      (
        (await (await browser.json('/auth/devices')).json()) as {
          devices: { id: string; current: boolean; ip: string }[]
        }
      ).devices
    const devices = await devicesOf(a)
    expect(devices).toHaveLength(3)
    expect(devices.filter((d) => d.current)).toHaveLength(1)
    expect(devices[0]?.ip).toBe('203.0.113.0/24')

    const target = (await devicesOf(b)).find((d) => d.current)?.id ?? ''
    const foreign = await grace.json(`/auth/devices/${target}`, { method: 'DELETE' })
    expect(foreign.status).toBe(404)
    expect((await b.json('/auth/session')).status).toBe(200)
    const cross = await a.json(`/auth/devices/${target}`, {
      method: 'DELETE',
      headers: { 'sec-fetch-site': 'same-site' },
    })
    expect(cross.status).toBe(403)
    const ended = await a.json(`/auth/devices/${target}`, { method: 'DELETE' })
    expect(await ended.json()).toEqual({ count: 1, durable: false })
    expect((await b.json('/auth/session')).status).toBe(401)
    expect((await c.json('/auth/session')).status).toBe(200)

    const others = await a.request('/auth/devices/revoke-others', {
      method: 'POST',
      body: new URLSearchParams({ returnTo: '/devices' }),
      headers: { 'sec-fetch-site': 'same-origin' },
    })
    expect([others.status, others.headers.get('location')]).toEqual([303, '/devices'])
    expect((await c.json('/auth/session')).status).toBe(401)
    expect((await a.json('/auth/session')).status).toBe(200)
    expect((await grace.json('/auth/session')).status).toBe(200)

    const self = (await devicesOf(a))[0]?.id ?? ''
    const byForm = await a.request(`/auth/devices/${self}`, {
      method: 'POST',
      body: new URLSearchParams({ _method: 'delete', returnTo: '//evil.test' }),
      headers: { 'sec-fetch-site': 'same-origin' },
    })
    expect([byForm.status, byForm.headers.get('location')]).toEqual([303, '/'])
    expect(a.cookies.get('http://localhost:3000')?.has('coatcheck')).toBe(false)
  })

  it('signs out here first, then at the provider, without a token in the address', async () => {
    const app = appOf()
    const browser = new Browser(app)
    await browser.signIn()
    const ticket = browser.cookies.get('http://localhost:3000')?.get('coatcheck') ?? ''
    for (const headers of [{}, { origin: 'https://evil.test' }, { 'sec-fetch-site': 'cross-site' }]) {
      expect((await browser.request('/auth/logout', { method: 'POST', headers })).status).toBe(403)
    }
    expect((await browser.request('/auth/logout')).status).toBe(200)
    expect((await app.sessions.find(ticket)).session).not.toBeNull()
    const response = await browser.request('/auth/logout', {
      method: 'POST',
      headers: { origin: 'http://localhost:3000' },
    })
    expect(response.status).toBe(303)
    const location = new URL(response.headers.get('location') ?? '')
    expect(location.href).toMatch(/\/logout\?/)
    expect(location.searchParams.get('post_logout_redirect_uri')).toBe('http://localhost:3000/')
    expect(location.searchParams.get('client_id')).toBe(idp.clientId)
    expect(location.searchParams.has('id_token_hint')).toBe(false)
    expect((await app.sessions.find(ticket)).session).toBeNull()
    expect(browser.cookies.get('http://localhost:3000')?.has('coatcheck')).toBe(false)
    expect((await browser.request(location)).status).toBeLessThan(400)
  })

  it('makes the next sign-in ask which account to use, once', async () => {
    const app = appOf()
    const browser = new Browser(app)
    await browser.signIn()
    const promptNow = async (query = ''): Promise<string | null> => {
      const { headers } = await browser.request(`/auth/login?${query}`)
      return new URL(headers.get('location') ?? '').searchParams.get('prompt')
    }
    expect(await promptNow()).toBeNull()
    await browser.json('/auth/logout', { method: 'POST' })
    expect(await promptNow()).toBe('select_account')
    // A sign-in that was begun and given up does not count.
    expect(await promptNow('login_hint=ada@example.test')).toBe('select_account')
    const back = await browser.signInByChoice('ada', 'login_hint=ada@example.test')
    expect([back.status, back.headers.get('location')]).toEqual([303, '/'])
    expect([...(browser.cookies.get('http://localhost:3000')?.keys() ?? [])].sort()).not.toContain(
      'coatcheck-signed-out',
    )
    expect(await promptNow()).toBeNull()
    expect(await promptNow('account=choose')).toBe('select_account')
  })

  it('leaves the choice to the provider with askAfterSignOut: false', async () => {
    const browser = new Browser(appOf({ signIn: { askAfterSignOut: false } }))
    await browser.signIn()
    await browser.json('/auth/logout', { method: 'POST' })
    expect(browser.cookies.get('http://localhost:3000')?.has('coatcheck-signed-out')).toBe(false)
    const { headers } = await browser.request('/auth/login')
    expect(new URL(headers.get('location') ?? '').searchParams.has('prompt')).toBe(false)
  })

  it('gives the ID token as a hint to providers of the oidc preset', async () => {
    const app = appOf({ providers: [devProviderOf(idp, 'oidc', { preset: 'oidc' })] })
    const browser = new Browser(app)
    await browser.signIn()
    const answer = await browser.json('/auth/logout', { method: 'POST' })
    const { redirectTo } = (await answer.json()) as { redirectTo: string }
    expect(new URL(redirectTo).searchParams.get('id_token_hint')).toMatch(/^ey/)
  })

  it('signs out while the provider is away', async () => {
    let isDown = false
    const app = appOf({
      fetch: (input, init) => (isDown ? Promise.reject(new TypeError('fetch failed')) : fetch(input, init)),
    })
    const browser = new Browser(app)
    await browser.signIn()
    isDown = true
    const answer = await browser.json('/auth/logout', { method: 'POST' })
    expect(answer.status).toBe(200)
    expect((await browser.json('/auth/session')).status).toBe(401)
  })
})
