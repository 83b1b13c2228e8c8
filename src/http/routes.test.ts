import { describe, expect, it } from 'vitest'
import { createTestApp } from '../../test/support/test-app.ts'
import { ConfigError, RedisError } from '../core/errors.ts'
import { hasNoWebMethod } from './node-routes.ts'
import { createRoutes } from './routes.ts'

const ORIGIN = 'http://localhost:3000'
const app = createTestApp({ providers: [] })

function call(path: string, init: RequestInit = {}): Promise<Response> {
  return app.routes(new Request(ORIGIN + path, init))
}

describe('methods and paths', () => {
  it.each([
    ['/auth/login', 'GET, OPTIONS', ['POST', 'HEAD', 'DELETE']],
    ['/auth/callback', 'GET, POST, OPTIONS', ['HEAD', 'PUT']],
    ['/auth/logout', 'GET, POST, OPTIONS', ['HEAD', 'DELETE']],
    ['/auth/session', 'GET, HEAD, OPTIONS', ['POST']],
    ['/auth/devices', 'GET, HEAD, OPTIONS', ['POST', 'DELETE']],
    ['/auth/devices/revoke-others', 'POST, OPTIONS', ['GET', 'DELETE']],
    ['/auth/devices/x', 'DELETE, POST, OPTIONS', ['GET', 'PUT']],
  ])('%s takes %s', async (path, allow, others) => {
    const options = await call(path, { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, allow])
    expect(options.headers.get('access-control-allow-origin')).toBeNull()
    for (const method of others) {
      const response = await call(path, { method })
      expect([method, response.status, response.headers.get('allow')]).toEqual([method, 405, allow])
    }
  })

  it.each([
    '/auth',
    '/auth/',
    '/auth/none',
    '/auth/login/',
    '/auth/devices/a/b',
    '/other',
    '/authx/session',
    '/auth/callback/none?state=x',
  ])('%s does not exist', async (path) => {
    const response = await call(path)
    expect(response.status).toBe(404)
    expect(response.headers.get('cache-control')).toBe('private, no-store')
  })

  it.each(['constructor', '__proto__', 'toString'])('takes no method %s, which HTTP/2 lets through', async (method) => {
    const response = await call('/auth/session', { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
    expect(hasNoWebMethod({ method: 'trace' })).toBe(true)
  })

  it('answers HEAD like GET, without a body', async () => {
    const response = await call('/auth/session', { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([401, ''])
  })
})

describe('the page with the button for signing out', () => {
  it('lets the browser name its origin, which is all that says where the form came from without Fetch Metadata', async () => {
    const page = await call('/auth/logout', { headers: { accept: 'text/html' } })
    // With `no-referrer` the form would have the origin "null" (Fetch standard, "append a request Origin header").
    expect(page.headers.get('referrer-policy')).toBe('same-origin')
    const sent = (origin: string): Promise<Response> =>
      call('/auth/logout', { method: 'POST', headers: { accept: 'text/html', origin } })
    expect((await sent(ORIGIN)).status).toBe(303)
    expect((await sent('null')).status).toBe(403)
  })
})

describe('answers', () => {
  it('to programs are JSON, to people a page, both without anything to store or leak', async () => {
    const json = await call('/auth/session')
    expect(json.status).toBe(401)
    expect(await json.json()).toEqual({
      error: { code: 'COATCHECK_UNAUTHENTICATED', message: 'Please sign in. You are not signed in.', retryable: false },
    })
    const page = await call('/auth/session', { headers: { accept: 'text/html,*/*' } })
    const html = await page.text()
    expect(html).toMatch(
      /^<!doctype html><html lang="en">.*<h1>Please sign in<\/h1>.*<a class="action" href="\/auth\/login">/,
    )
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-.+frame-ancestors 'none'/,
    )
    for (const response of [json, page]) {
      expect(response.headers.get('cache-control')).toBe('private, no-store')
      expect(response.headers.get('vary')).toBe('Cookie')
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('referrer-policy')).toBe('no-referrer')
      expect(response.headers.getSetCookie()).toEqual([])
    }
  })

  it.each(['/auth/session', '/auth/devices'])('GET %s while the store is down: 503, cookie kept', async (path) => {
    const down = createRoutes({
      ...app,
      sessions: { ...app.sessions, visit: () => Promise.reject(new RedisError('COATCHECK_REDIS_TIMEOUT')) },
    })
    const response = await down(new Request(ORIGIN + path, { headers: { cookie: 'coatcheck=x' } }))
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
    expect(response.headers.getSetCookie()).toEqual([])
    expect(await response.json()).toMatchObject({ error: { code: 'COATCHECK_REDIS_TIMEOUT', retryable: true } })
  })

  it('leaves mistakes in code and configuration to the host', async () => {
    const broken = createRoutes({
      ...app,
      sessions: { ...app.sessions, visit: () => Promise.reject(new ConfigError('COATCHECK_CONFIG_MISSING')) },
    })
    await expect(broken(new Request(`${ORIGIN}/auth/session`))).rejects.toMatchObject({
      code: 'COATCHECK_CONFIG_MISSING',
    })
  })

  it.each([
    ['another content type', { body: 'a', headers: { 'content-type': 'text/plain' } }],
    ['JSON with content', { body: '{"a":1}', headers: { 'content-type': 'application/json' } }],
    ['100 KB', { body: new URLSearchParams({ a: 'x'.repeat(100_000) }) }],
  ])('a form of %s is refused', async (_name, init) => {
    const headers = { 'sec-fetch-site': 'same-origin', ...('headers' in init ? init.headers : {}) }
    const response = await call('/auth/logout', { method: 'POST', ...init, headers })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'COATCHECK_REQUEST_INVALID' } })
  })

  it('asks before a sign-in that another site has started, and refuses one in the background', async () => {
    const query = '?returnTo=/x&scope=admin&"><script>'
    const asked = await call(`/auth/login${query}`, {
      headers: { accept: 'text/html', 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' },
    })
    expect(asked.status).toBe(200)
    expect(await asked.text()).toContain('<a class="action" href="/auth/login?returnTo=%2Fx">Continue</a>')
    expect((await call('/auth/login', { headers: { 'sec-fetch-dest': 'image' } })).status).toBe(400)
    expect((await call('/auth/login?provider=nobody')).status).toBe(400)
  })

  it('reports each refusal to listeners, without ids of visitors', async () => {
    app.seen.length = 0
    await call('/auth/devices/secret-id', { method: 'DELETE' })
    expect(app.seen).toContainEqual({
      name: 'request.refused',
      event: { code: 'COATCHECK_REQUEST_CROSS_SITE', route: 'DELETE /devices/:id' },
    })
  })
})
