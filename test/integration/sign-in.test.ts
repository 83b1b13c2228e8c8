import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { RedisError } from '../../src/core/errors.ts'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { createRoutes } from '../../src/http/routes.ts'
import { observed } from '../lab/report.ts'
import { devProviderOf } from '../support/resolved-provider.ts'
import { Browser, createTestApp, type TestApp, type TestAppOptions } from '../support/test-app.ts'

const CALLBACKS = ['http://localhost:3000/auth/callback', 'http://localhost:3000/auth/callback/second']

let idp: DevProvider
let other: DevProvider | null = null

beforeEach(async () => {
  idp = await startDevProvider({ redirectUris: CALLBACKS })
})
afterEach(async () => {
  await Promise.all([idp.close(), other?.close()])
  other = null
})

function appOf(options: Partial<TestAppOptions> = {}): TestApp {
  return createTestApp({ providers: [devProviderOf(idp)], ...options })
}

function tokenRequests(dev = idp): number {
  return dev.counters.count('token')
}

async function codeOf(response: Response): Promise<string> {
  return /COATCHECK_[A-Z_]+/.exec(await response.text())?.[0] ?? `none (${response.status})`
}

describe('sign-in', () => {
  it('ends on returnTo with a session, tokens and one cookie', async () => {
    const app = appOf()
    const browser = new Browser(app)
    const response = await browser.signIn('login_hint=ada@example.test&returnTo=/orders%3Fpage=2')
    expect(response.status).toBe(303)
    expect(response.headers.get('location')).toBe('/orders?page=2')
    expect(response.headers.get('cache-control')).toBe('private, no-store')
    const ticketCookie = response.headers.getSetCookie().find((line) => line.startsWith('coatcheck='))
    expect(ticketCookie).toMatch(/^coatcheck=[\w-]{98}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/)
    expect([...(browser.cookies.get('http://localhost:3000')?.keys() ?? [])]).toEqual(['coatcheck'])

    const session = await browser.json('/auth/session')
    expect(session.status).toBe(200)
    const { user, session: shown } = (await session.json()) as { user: { id: string; name: string }; session: object }
    expect(user.name).toBe('Ada Lovelace')
    expect(user.id.startsWith(`${idp.issuer} `)).toBe(true)
    expect(Object.keys(shown)).toEqual(['id', 'createdAt', 'expiresAt'])
    const tokens = await app.tokens.getUserTokens(user.id)
    expect(tokens?.refreshToken).toBeTypeOf('string')
    expect(tokens?.idToken).toBeTypeOf('string')
    expect(tokenRequests()).toBe(1)
  })

  it('sends code, S256, state and nonce, and nothing that the query adds', async () => {
    const started = await new Browser(appOf()).request(
      '/auth/login?returnTo=/x%26scope=admin&scope=admin&prompt=none&redirect_uri=https://evil.test&claims={}&response_mode=x',
      { headers: { host: 'evil.test', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' } },
    )
    const url = new URL(started.headers.get('location') ?? '')
    expect(started.status).toBe(303)
    expect([...url.searchParams.keys()].sort()).toEqual([
      'client_id',
      'code_challenge',
      'code_challenge_method',
      'nonce',
      'redirect_uri',
      'response_type',
      'scope',
      'state',
    ])
    expect(url.searchParams.get('code_challenge_method')).toBe('S256')
    expect(url.searchParams.get('redirect_uri')).toBe('http://localhost:3000/auth/callback')
    expect(url.searchParams.get('scope')).toBe(devProviderOf(idp).scopes.join(' '))
  })

  it.each([
    ['entra', { prompt: 'login', claims: '{"id_token":{"auth_time":{"essential":true}}}' }],
    ['oidc', {}],
  ] as const)('asks %s for a recent authentication, and keeps its time', async (preset, asked) => {
    const app = appOf({ providers: [devProviderOf(idp, 'entra', { preset })] })
    const browser = new Browser(app)
    await browser.signIn()
    const authenticationIn = async () => {
      const ticket = browser.cookies.get('http://localhost:3000')?.get('coatcheck') ?? ''
      return (await app.sessions.find(ticket)).session?.authentication
    }
    expect(await authenticationIn()).toMatchObject({ isAuthTimeUnknown: true })
    const started = await browser.request('/auth/login?max_age=300')
    const { searchParams } = new URL(started.headers.get('location') ?? '')
    expect(Object.fromEntries(searchParams)).toMatchObject({ max_age: '300', ...asked })
    expect(
      (await browser.signIn('max_age=300&returnTo=/danger&login_hint=ada@example.test')).headers.get('location'),
    ).toBe('/danger')
    const authentication = await authenticationIn()
    expect(authentication?.isAuthTimeUnknown).toBeUndefined()
    expect(Math.abs(systemClock.now() - (authentication?.authenticatedAtMs ?? 0))).toBeLessThan(60_000)
  })

  it.each(['-1', '1.5', '1e3', '9999999999', 'x'])('leaves out max_age=%s', async (maxAge) => {
    const started = await new Browser(appOf()).request(`/auth/login?max_age=${maxAge}`)
    expect(new URL(started.headers.get('location') ?? '').searchParams.has('max_age')).toBe(false)
  })

  it('refuses an answer whose authentication is older than was asked for', async () => {
    const app = appOf()
    await idp.switches.apply('clock=-10m')
    const reasons: object[] = []
    app.events.on('signin.failed', (event) => reasons.push(event))
    expect(await codeOf(await new Browser(app).signIn('max_age=300&login_hint=ada@example.test'))).toBe(
      'COATCHECK_SIGNIN_REJECTED',
    )
    expect(reasons).toMatchObject([{ check: 'authentication-time' }])
    expect((await new Browser(app).signIn('max_age=900&login_hint=ada@example.test')).status).toBe(303)
  })

  it('replaces the ticket that was there before, and carries only the named fields', async () => {
    const app = appOf({ signIn: { carry: ['cart'] } })
    const planted = await app.sessions.create({ data: { cart: ['a'], secretNote: 'x' } })
    const browser = new Browser(app)
    browser.cookies.set('http://localhost:3000', new Map([['coatcheck', planted.ticket]]))
    await browser.signIn()
    const ticket = browser.cookies.get('http://localhost:3000')?.get('coatcheck') ?? ''
    expect(ticket).not.toBe(planted.ticket)
    expect((await app.sessions.find(planted.ticket)).session).toBeNull()
    const { session } = await app.sessions.find(ticket)
    expect(session?.data).toEqual({ cart: ['a'] })
    expect(session?.authentication).toMatchObject({
      provider: 'entra',
      issuer: idp.issuer,
      sid: expect.any(String) as string,
    })
  })

  it('asks the application, and refuses for it', async () => {
    const app = appOf({
      signIn: { authorize: ({ claims }) => (claims.roles as string[]).includes('Admin') || 'no admin' },
    })
    const ada = await new Browser(app).signIn()
    expect(ada.status).toBe(303)
    const grace = await new Browser(app).signIn('login_hint=grace@example.test')
    expect(grace.status).toBe(403)
    expect(grace.headers.getSetCookie()).toEqual([])
    const page = await grace.text()
    expect(page).toContain('COATCHECK_SIGNIN_DENIED')
    expect(page).not.toContain('no admin')
  })

  it('lets in only allowed tenants', async () => {
    const app = appOf({
      providers: [devProviderOf(idp, 'entra', { allowedTenants: ['11111111-1111-1111-1111-111111111111'] })],
    })
    expect(await codeOf(await new Browser(app).signIn())).toBe('COATCHECK_SIGNIN_DENIED')
  })

  it('takes the issuer of the tenant for a multi-tenant application', async () => {
    const issuer = idp.issuer.replace(idp.tenantId, '{tenantid}')
    const discoveryUrl = `${idp.issuer.replace(idp.tenantId, 'common')}/.well-known/openid-configuration`
    const app = appOf({
      providers: [devProviderOf(idp, 'entra', { issuer, discoveryUrl, allowedTenants: [idp.tenantId] })],
    })
    const browser = new Browser(app)
    expect((await browser.signIn()).status).toBe(303)
    const { user } = (await (await browser.json('/auth/session')).json()) as { user: { id: string } }
    expect(user.id.startsWith(`${idp.issuer} `)).toBe(true)
  })

  it('relays a form_post answer so that it arrives with our cookies', async () => {
    const app = appOf({ providers: [devProviderOf(idp, 'entra', { responseMode: 'form_post' })] })
    const browser = new Browser(app)
    const answer = await formPostAnswer(browser)
    // The browser sends a cross-site POST without Lax cookies.
    const first = await browser.request('/auth/callback', {
      method: 'POST',
      body: answer,
      headers: { cookie: '', 'sec-fetch-site': 'cross-site' },
    })
    expect(first.status).toBe(200)
    expect(first.headers.get('content-security-policy')).toMatch(/script-src 'sha256-.+'/)
    const fields = new URLSearchParams(
      [...(await first.text()).matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(
        ([, n = '', v = '']): [string, string] => [n, v],
      ),
    )
    expect(tokenRequests()).toBe(0)
    const second = await browser.request('/auth/callback', { method: 'POST', body: fields })
    expect(second.status).toBe(303)
    expect(tokenRequests()).toBe(1)
  })

  it('with a Strict cookie, comes back once more from our own page', async () => {
    const app = appOf({ sameSite: 'strict' })
    const browser = new Browser(app)
    const answer = await browser.authorize()
    const page = await browser.request(answer, { headers: { 'sec-fetch-site': 'cross-site' } })
    expect(page.status).toBe(200)
    expect(tokenRequests()).toBe(0)
    answer.searchParams.set('coatcheck_relayed', '1')
    expect((await browser.request(answer)).status).toBe(303)
  })

  async function formPostAnswer(browser: Browser): Promise<URLSearchParams> {
    const started = await browser.request('/auth/login?login_hint=ada@example.test')
    let next = new URL(started.headers.get('location') ?? '')
    for (;;) {
      const response = await browser.request(next)
      const location = response.headers.get('location')
      if (location === null) {
        const inputs = [...(await response.text()).matchAll(/name="([^"]+)" value="([^"]*)"/g)]
        return new URLSearchParams(inputs.map(([, name = '', value = '']): [string, string] => [name, value]))
      }
      next = new URL(location, next)
    }
  }
})

describe('attacks on the callback', () => {
  it('of 100 parallel answers with one state exactly one redeems the code', async () => {
    const app = appOf()
    const browser = new Browser(app)
    const answer = await browser.authorize()
    const cookie = browser.cookieHeader('http://localhost:3000')
    const responses = await Promise.all(
      Array.from({ length: 100 }, () => app.routes(new Request(answer, { headers: { cookie, accept: 'text/html' } }))),
    )
    expect(responses.filter((r) => r.status === 303)).toHaveLength(1)
    expect(responses.filter((r) => r.status === 400)).toHaveLength(99)
    expect(tokenRequests()).toBe(1)
  })

  it.each<[string, (answer: URL, browser: Browser) => void, string]>([
    ['without the cookie', (_, b) => b.cookies.clear(), 'COATCHECK_SIGNIN_EXPIRED'],
    ['with another cookie', (_, b) => replaceSecret(b), 'COATCHECK_SIGNIN_EXPIRED'],
    ['without state', (a) => a.searchParams.delete('state'), 'COATCHECK_SIGNIN_REJECTED'],
    ['with an empty state', (a) => a.searchParams.set('state', ''), 'COATCHECK_SIGNIN_REJECTED'],
    ['with two states', (a) => a.searchParams.append('state', 'x'), 'COATCHECK_SIGNIN_REJECTED'],
    ['with two codes', (a) => a.searchParams.append('code', 'x'), 'COATCHECK_SIGNIN_REJECTED'],
    ['with another state', (a) => a.searchParams.set('state', 'x'.repeat(43)), 'COATCHECK_SIGNIN_EXPIRED'],
    [
      'with neither state nor cookie',
      (a, b) => {
        a.searchParams.delete('state')
        b.cookies.clear()
      },
      'COATCHECK_SIGNIN_REJECTED',
    ],
    ['with another issuer', (a) => a.searchParams.set('iss', 'https://evil.test'), 'COATCHECK_SIGNIN_REJECTED'],
    ['with a JARM response', (a) => a.searchParams.set('response', 'a.b.c'), 'COATCHECK_SIGNIN_REJECTED'],
    ['with an ID token in front', (a) => a.searchParams.set('id_token', 'a.b.c'), 'COATCHECK_SIGNIN_REJECTED'],
  ])('%s: refused without a token request', async (_name, change, code) => {
    const app = appOf()
    const browser = new Browser(app)
    const answer = await browser.authorize()
    change(answer, browser)
    const response = await browser.request(answer)
    expect(await codeOf(response)).toBe(code)
    expect(response.status).toBe(400)
    expect(response.headers.getSetCookie()).toEqual([])
    expect(tokenRequests()).toBe(0)
  })

  it('without the issuer that the provider announces (RFC 9207): refused without a token request', async () => {
    const announcing: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      if (!urlOf(input).includes('/.well-known/')) return response
      return Response.json({
        ...((await response.json()) as object),
        authorization_response_iss_parameter_supported: true,
      })
    }
    const browser = new Browser(appOf({ fetch: announcing }))
    const answer = await browser.authorize()
    answer.searchParams.delete('iss')
    expect(await codeOf(await browser.request(answer))).toBe('COATCHECK_SIGNIN_REJECTED')
    expect(tokenRequests()).toBe(0)
  })

  it('a wrong code ends the transaction, and so does using it twice', async () => {
    const app = appOf()
    const browser = new Browser(app)
    const answer = await browser.authorize()
    const real = new URL(answer)
    answer.searchParams.set('code', 'wrong')
    expect(await codeOf(await browser.request(answer))).toBe('COATCHECK_SIGNIN_REJECTED')
    expect(await codeOf(await browser.request(real))).toBe('COATCHECK_SIGNIN_EXPIRED')
  })

  it('an answer that was refused before the code was sent can come again without the mistake', async () => {
    const browser = new Browser(appOf())
    const answer = await browser.authorize()
    const denied = new URL(answer)
    denied.searchParams.delete('code')
    denied.searchParams.set('error', 'access_denied')
    expect(await codeOf(await browser.request(denied))).toBe('COATCHECK_SIGNIN_DENIED')
    const mixedUp = new URL(answer)
    mixedUp.searchParams.set('iss', 'https://evil.test')
    expect(await codeOf(await browser.request(mixedUp))).toBe('COATCHECK_SIGNIN_REJECTED')
    expect((await browser.request(answer)).status).toBe(303)
  })

  it('a forged cookie does not use up the sign-in of the browser', async () => {
    const browser = new Browser(appOf())
    const answer = await browser.authorize()
    const [name = ''] = browser.cookieHeader('http://localhost:3000').split('=')
    const cookie = `${name}=${'A'.repeat(300)}`
    expect(await codeOf(await browser.request(answer, { headers: { cookie } }))).toBe('COATCHECK_SIGNIN_EXPIRED')
    expect((await browser.request(answer)).status).toBe(303)
  })

  it('a replay after success finds nothing and leaves the session alone', async () => {
    const app = appOf()
    const browser = new Browser(app)
    const answer = await browser.authorize()
    const cookie = browser.cookieHeader('http://localhost:3000')
    await browser.request(answer)
    expect(await codeOf(await browser.request(answer, { headers: { cookie } }))).toBe('COATCHECK_SIGNIN_EXPIRED')
    expect((await browser.json('/auth/session')).status).toBe(200)
  })

  it('is over after ten minutes', async () => {
    let skewMs = 0
    const clock = { now: () => systemClock.now() + skewMs, monotonic: () => systemClock.monotonic() }
    const browser = new Browser(appOf({ clock }))
    const answer = await browser.authorize()
    skewMs = 10 * 60_000
    expect(await codeOf(await browser.request(answer))).toBe('COATCHECK_SIGNIN_EXPIRED')
    expect(tokenRequests()).toBe(0)
  })

  it('started at one provider, finished at the address of the other: refused, neither is asked', async () => {
    other = await startDevProvider({ redirectUris: CALLBACKS })
    const app = appOf({ providers: [devProviderOf(idp), devProviderOf(other, 'second')] })
    const crossed = new Browser(app)
    const atFirst = await crossed.authorize()
    atFirst.pathname = '/auth/callback/second'
    expect(await codeOf(await crossed.request(atFirst))).toBe('COATCHECK_SIGNIN_REJECTED')
    const back = new Browser(app)
    const atSecond = await back.authorize('provider=second&login_hint=ada@example.test')
    expect(atSecond.pathname).toBe('/auth/callback/second')
    atSecond.pathname = '/auth/callback'
    expect(await codeOf(await back.request(atSecond))).toBe('COATCHECK_SIGNIN_REJECTED')
    expect([tokenRequests(idp), tokenRequests(other)]).toEqual([0, 0])
    expect((await new Browser(app).signIn('provider=second&login_hint=ada@example.test')).status).toBe(303)
  })

  it('an ID token with another nonce is refused', async () => {
    const app = appOf()
    const browser = new Browser(app)
    const started = await browser.request('/auth/login?login_hint=ada@example.test')
    const url = new URL(started.headers.get('location') ?? '')
    url.searchParams.set('nonce', 'not-ours')
    const answer = await browser.followProvider(url)
    expect(await codeOf(await browser.request(answer))).toBe('COATCHECK_SIGNIN_REJECTED')
    expect(tokenRequests()).toBe(1)
  })

  it('an ID token that is not signed by a key of the provider is refused', async () => {
    const forging: typeof fetch = async (input, init) => {
      const response = await fetch(input, init)
      if (!urlOf(input).endsWith('/token')) return response
      const body = (await response.json()) as { id_token: string }
      const [head, payload, signature = ''] = body.id_token.split('.')
      const forged = signature.slice(0, -8) + (signature.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA')
      return Response.json({ ...body, id_token: [head, payload, forged].join('.') })
    }
    const browser = new Browser(appOf({ fetch: forging }))
    expect(await codeOf(await browser.signIn())).toBe('COATCHECK_SIGNIN_REJECTED')
  })

  it('keeps at most five sign-ins under way per browser, the newest', async () => {
    const app = appOf()
    const browser = new Browser(app)
    const first = await browser.authorize()
    for (let i = 0; i < 5; i++) await browser.request('/auth/login')
    const names = [...(browser.cookies.get('http://localhost:3000')?.keys() ?? [])]
    expect(names).toHaveLength(5)
    expect(names.every((name) => /^coatcheck-signin-[\w-]{22}$/.test(name))).toBe(true)
    expect(await codeOf(await browser.request(first))).toBe('COATCHECK_SIGNIN_EXPIRED')
    const last = await browser.authorize()
    expect((await browser.request(last)).status).toBe(303)
  })

  it('a long returnTo leaves room for fewer sign-ins, and a longer one is left out', async () => {
    const browser = new Browser(appOf())
    const names = () => [...(browser.cookies.get('http://localhost:3000')?.keys() ?? [])]
    for (let i = 0; i < 3; i++) await browser.request('/auth/login')
    const longest = `/${'x'.repeat(2047)}`
    const response = await browser.signIn(`login_hint=ada@example.test&returnTo=${longest}`)
    expect(response.headers.get('location')).toBe(longest)
    const [first = ''] = names()
    await browser.request(`/auth/login?returnTo=${longest}`)
    await browser.request(`/auth/login?returnTo=${longest}`)
    expect(names()).not.toContain(first)
    expect(names().filter((name) => name.includes('-signin-'))).toHaveLength(1)
    expect(browser.cookieHeader('http://localhost:3000').length).toBeLessThan(4096)
    const other = await browser.signIn(`login_hint=ada@example.test&returnTo=${longest}x`)
    expect(other.headers.get('location')).toBe('/')
  })

  function replaceSecret(browser: Browser): void {
    const jar = browser.cookies.get('http://localhost:3000')
    for (const [name] of jar ?? []) jar?.set(name, `0.${'A'.repeat(22)}`)
  }
})

describe('when the provider is not well', () => {
  it('metadata that name another issuer: no sign-in', async () => {
    const app = appOf({ providers: [devProviderOf(idp, 'entra', { issuer: 'http://127.0.0.1:1/other' })] })
    const response = await new Browser(app).request('/auth/login')
    expect(response.status).toBe(503)
    expect(await codeOf(response)).toBe('COATCHECK_OIDC_DISCOVERY')
    observed('F25.issuer', '503, 0 signed in')
  })

  it('many visitors at once cause one discovery, and a failure is forgotten after a second', async () => {
    let requests = 0
    let isDown = true
    let skewMs = 0
    const clock = { now: () => systemClock.now(), monotonic: () => systemClock.monotonic() + skewMs }
    const counting: typeof fetch = (input, init) => {
      requests++
      return isDown ? Promise.reject(new TypeError('fetch failed')) : fetch(input, init)
    }
    const app = appOf({ clock, fetch: counting })
    const visit = () => new Browser(app).request('/auth/login')
    const failed = await Promise.all(Array.from({ length: 20 }, visit))
    expect(failed.map((r) => r.status)).toEqual(Array<number>(20).fill(503))
    expect(failed[0]?.headers.get('retry-after')).toBe('5')
    expect(requests).toBe(1)
    isDown = false
    expect((await visit()).status).toBe(503)
    skewMs = 1_001
    expect((await Promise.all(Array.from({ length: 20 }, visit))).every((r) => r.status === 303)).toBe(true)
    expect(requests).toBe(2)
  })

  it.each([
    ['500', () => new Response('<h1>oops</h1>', { status: 500 }), 'COATCHECK_OIDC_UNAVAILABLE'],
    [
      'a redirect',
      () => new Response(null, { status: 302, headers: { location: 'https://evil.test' } }),
      'COATCHECK_OIDC_UNAVAILABLE',
    ],
    ['10 MB', () => new Response('x'.repeat(10_000_000)), 'COATCHECK_OIDC_UNAVAILABLE'],
    ['html', () => new Response('<p>', { headers: { 'content-type': 'text/html' } }), 'COATCHECK_OIDC_UNAVAILABLE'],
    [
      'a wrong secret',
      () => Response.json({ error: 'invalid_client' }, { status: 401 }),
      'COATCHECK_OIDC_CLIENT_REJECTED',
    ],
  ])('the token endpoint answers %s', async (_name, faulty, code) => {
    const faults: typeof fetch = (input, init) =>
      urlOf(input).endsWith('/token') ? Promise.resolve(faulty()) : fetch(input, init)
    const response = await new Browser(appOf({ fetch: faults })).signIn()
    expect(await codeOf(response)).toBe(code)
    expect(response.headers.getSetCookie()).toEqual([])
  })

  it('the visitor cancels at the provider', async () => {
    const browser = new Browser(appOf())
    const answer = await browser.authorize()
    answer.searchParams.delete('code')
    answer.searchParams.set('error', 'access_denied')
    answer.searchParams.set('error_description', 'ada@example.test said no')
    const response = await browser.request(answer)
    expect(response.status).toBe(403)
    expect(await response.text()).not.toContain('ada@example.test')
  })

  it('tokens that cannot be stored leave no session behind and no cookie', async () => {
    const app = appOf()
    const failing = { ...app, tokens: { ...app.tokens, setUserTokens: () => Promise.reject(new Error('lost')) } }
    const { createRoutes } = await import('../../src/http/routes.ts')
    const browser = new Browser({ ...failing, routes: createRoutes(failing) })
    await expect(browser.signIn()).rejects.toThrow('lost')
    const created = app.seen.filter(({ name }) => name === 'session.created')
    const ended = app.seen.filter(({ name }) => name === 'session.ended')
    expect([created.length, ended.length]).toEqual([1, 1])
    expect(browser.cookies.get('http://localhost:3000')?.has('coatcheck')).toBe(false)
  })

  it('a session that ends before its tokens are stored leaves no tokens behind, and the sign-in fails', async () => {
    const app = appOf()
    const userIds: string[] = []
    const overtaken = {
      ...app,
      tokens: {
        ...app.tokens,
        setUserTokens: async (...args: Parameters<typeof app.tokens.setUserTokens>) => {
          userIds.push(args[0])
          await app.sessions.revokeByUser(args[0])
          await app.tokens.setUserTokens(...args)
        },
      },
    }
    const browser = new Browser({ ...overtaken, routes: createRoutes(overtaken) })
    const response = await browser.signIn()
    expect([response.status, response.headers.getSetCookie()]).toEqual([401, []])
    const [userId = ''] = userIds
    expect(await app.tokens.getUserTokens(userId)).toBeNull()
    expect(await app.sessions.listByUser(userId)).toEqual([])
    expect((await new Browser(app).signIn()).status).toBe(303)
    expect((await app.tokens.getUserTokens(userId))?.refreshToken).toBeTypeOf('string')
  })

  it.each(['register', 'setUserTokens'])('a second sign-in that fails at %s keeps the first session', async (step) => {
    const app = appOf()
    const outage = () => Promise.reject(new RedisError('COATCHECK_REDIS_TIMEOUT'))
    const failing = {
      ...app,
      ...(step === 'register'
        ? { providerLogout: { ...app.providerLogout, register: outage } }
        : { tokens: { ...app.tokens, setUserTokens: outage } }),
    }
    const browser = new Browser({
      ...app,
      routes: (...args) => (isFailing ? createRoutes(failing) : app.routes)(...args),
    })
    let isFailing = false
    await browser.signIn('login_hint=ada@example.test')
    const ticketOf = () => browser.cookies.get('http://localhost:3000')?.get('coatcheck') ?? ''
    const ticket = ticketOf()
    const first = (await app.sessions.find(ticket)).session
    const userId = first?.user?.id ?? ''

    isFailing = true
    const response = await browser.signIn('login_hint=ada@example.test')
    expect(response.status).toBe(503)
    expect(response.headers.getSetCookie()).toEqual([])
    expect(ticketOf()).toBe(ticket)
    expect((await app.sessions.find(ticket)).session?.user?.id).toBe(userId)
    expect((await app.sessions.listByUser(userId)).map(({ id }) => id)).toEqual([first?.id])
    expect((await app.tokens.getUserTokens(userId))?.refreshToken).toBeTypeOf('string')

    isFailing = false
    expect((await browser.signIn('login_hint=ada@example.test')).status).toBe(303)
    expect((await app.sessions.find(ticket)).session).toBeNull()
    const now = (await app.sessions.find(ticketOf())).session?.id
    expect((await app.sessions.listByUser(userId)).map(({ id }) => id)).toEqual([now])
  })
})

function urlOf(input: Parameters<typeof fetch>[0]): string {
  return input instanceof Request ? input.url : String(input)
}
