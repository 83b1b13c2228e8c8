import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { type DevProvider, startDevProvider } from './dev-provider.ts'
import { parseFault, type RedisFault } from './fault-grammar.ts'
import { type OrdersApi, startOrdersApi } from './orders-api.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((resource) => resource.close()))
})

async function start(): Promise<DevProvider> {
  const provider = await startDevProvider()
  open.push(provider)
  return provider
}

/** Requests an application token: one request, and a JWT. */
function ask(provider: DevProvider): Promise<Response> {
  return fetch(`${provider.url}/${provider.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: provider.clientId,
      client_secret: provider.clientSecret,
      scope: 'api://orders/.default',
    }),
  })
}
const tokenOf = async (provider: DevProvider): Promise<string> =>
  ((await (await ask(provider)).json()) as { access_token: string }).access_token

describe('the grammar', () => {
  it.each([
    [
      'refresh=429:3',
      { route: 'token', grantType: 'refresh_token', status: 429, headers: { 'retry-after': '2' }, times: 3 },
    ],
    ['token=slow:6s', { route: 'token', delayMs: 6000, times: 1 }],
    ['token=slow:500ms:2', { route: 'token', delayMs: 500, times: 2 }],
    ['jwks=503:always', { route: 'keys', status: 503, headers: { 'retry-after': '2' }, times: Infinity }],
    ['discovery=drop', { route: 'discovery', drop: 'before', times: 1 }],
    [' refresh=lost ', { route: 'token', grantType: 'refresh_token', drop: 'after', times: 1 }],
  ])('%s', (text, options) => {
    expect(parseFault(text)).toEqual({ kind: 'provider', options })
  })

  it.each([
    ['jwks=rotate', { kind: 'rotate' }],
    ['clock=+7m', { kind: 'clock', byMs: 420_000 }],
    ['clock= 7m', { kind: 'clock', byMs: 420_000 }],
    ['clock=-2h', { kind: 'clock', byMs: -7_200_000 }],
    ['clock=0', { kind: 'clock', byMs: 0 }],
    ['redis=down:10s', { kind: 'redis', how: 'down', forMs: 10_000 }],
    ['redis=hang', { kind: 'redis', how: 'hang', forMs: null }],
    ['redis=slow:200ms:5s', { kind: 'redis', how: 'slow', delayMs: 200, forMs: 5000 }],
  ])('%s', (text, fault) => {
    expect(parseFault(text)).toEqual(fault)
  })

  it.each([
    '',
    'refresh',
    'refresh=',
    'refresh=200',
    'refresh=429:0',
    'refresh=429:three',
    'refresh=429:1:1',
    'token=slow',
    'jwks=invalid_grant',
    'redis=429',
    'redis=slow',
    'redis=down:soon',
    'clock=later',
    'toString=429',
  ])('%j is none', (text) => {
    expect(() => parseFault(text)).toThrow(expect.objectContaining({ code: 'COATCHECK_CONFIG_INVALID' }))
  })
})

describe('at the provider', () => {
  it('strikes as often as it says, is listed meanwhile, and can be cleared', async () => {
    const provider = await start()
    await provider.switches.apply('token=429:2')
    expect(provider.switches.list()).toEqual([{ fault: 'token=429:2', left: 2 }])
    const struck = await ask(provider)
    expect([struck.status, struck.headers.get('retry-after')]).toEqual([429, '2'])
    expect(provider.switches.list()).toEqual([{ fault: 'token=429:2', left: 1 }])
    expect((await ask(provider)).status).toBe(429)
    expect((await ask(provider)).status).toBe(200)
    await provider.switches.apply('app=invalid_grant:always')
    const refused = await ask(provider)
    expect([refused.status, await refused.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_grant' })])
    provider.switches.clear()
    expect(provider.switches.list()).toEqual([])
    expect((await ask(provider)).status).toBe(200)
  })

  it('rotates: new tokens have a new key, old ones are still verified', async () => {
    const provider = await start()
    const api: OrdersApi = await startOrdersApi({ issuer: provider.issuer })
    open.push(api)
    const keys = `${provider.url}/${provider.tenantId}/discovery/v2.0/keys`
    const before = await tokenOf(provider)
    const known = createLocalJWKSet((await (await fetch(keys)).json()) as { keys: [] })
    await jwtVerify(before, known)
    await provider.switches.apply('jwks=rotate')
    const after = await tokenOf(provider)
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid)
    await expect(jwtVerify(after, known)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' })
    const fresh = createRemoteJWKSet(new URL(keys))
    for (const token of [before, after]) await jwtVerify(token, fresh)
  })

  it('moves every time in the tokens, and signs them properly', async () => {
    const provider = await start()
    const ahead = 7 * 60
    const right = decodeJwt(await tokenOf(provider))
    await provider.switches.apply('clock=+7m')
    expect(provider.switches.list()).toEqual([{ fault: 'clock=+7m', left: null }])
    const token = await tokenOf(provider)
    const { iat = 0, nbf, exp = 0 } = decodeJwt(token)
    // A second or more may pass between the two tokens, but never minutes.
    expect(iat - (right.iat ?? 0) - ahead).toBeLessThan(60)
    expect(iat - (right.iat ?? 0)).toBeGreaterThanOrEqual(ahead)
    expect([nbf, exp - iat]).toEqual([iat, (right.exp ?? 0) - (right.iat ?? 0)])
    const keys = createRemoteJWKSet(new URL(`${provider.url}/${provider.tenantId}/discovery/v2.0/keys`))
    await expect(jwtVerify(token, keys)).rejects.toMatchObject({
      code: 'ERR_JWT_CLAIM_VALIDATION_FAILED',
      claim: 'nbf',
    })
    await jwtVerify(token, keys, { clockTolerance: 8 * 60 })
    await provider.switches.apply('clock=0')
    await jwtVerify(await tokenOf(provider), keys)
  })

  it('refuses faults of a Redis that is not connected, and hands them to the connected one', async () => {
    const provider = await start()
    await expect(provider.switches.apply('redis=down')).rejects.toMatchObject({ code: 'COATCHECK_CONFIG_INVALID' })
    const seen: (RedisFault | null)[] = []
    provider.connectRedis((fault) => seen.push(fault))
    await provider.switches.apply('redis=down')
    await provider.switches.apply('redis=hang:1ms')
    expect(seen.slice(0, 3)).toEqual([
      { kind: 'redis', how: 'down', forMs: null },
      null,
      { kind: 'redis', how: 'hang', forMs: 1 },
    ])
    await expect.poll(() => seen.at(-1)).toBe(null)
    expect(provider.switches.list()).toEqual([])
  })
})

describe('/dev/faults', () => {
  const post = (provider: DevProvider, fault: string, headers: Record<string, string> = {}) =>
    fetch(`${provider.url}/dev/faults`, {
      method: 'POST',
      headers,
      body: new URLSearchParams(fault === '' ? { clear: 'yes' } : { fault }),
      redirect: 'manual',
    })

  it('switches for programs', async () => {
    const provider = await start()
    const on = await post(provider, 'refresh=429:3')
    expect([on.status, await on.json()]).toEqual([200, { faults: [{ fault: 'refresh=429:3', left: 3 }] }])
    const bad = await post(provider, 'nonsense')
    expect([bad.status, await bad.json()]).toEqual([400, { error: expect.stringContaining('Known:') as string }])
    const off = await fetch(`${provider.url}/dev/faults`, { method: 'DELETE' })
    expect(await off.json()).toEqual({ faults: [] })
  })

  it('switches for people', async () => {
    const provider = await start()
    const accept = 'text/html'
    const done = await post(provider, 'clock=+7m', { accept, origin: provider.url })
    const back = done.headers.get('location') ?? ''
    expect([done.status, back]).toEqual([303, '/dev/faults?on=clock%3D%2B7m'])
    const pageAt = async (path: string) => (await fetch(provider.url + path, { headers: { accept } })).text()
    expect(await pageAt(back)).toMatch(/role="status">Switched on: <strong>The clock is seven minutes ahead<\/strong>/)
    expect(await pageAt('/dev/faults')).toMatch(/class="state on">On<\/span>/)
    expect(await pageAt('/dev/faults?on=your+session+has+ended')).not.toContain('your session')
    const bad = await post(provider, '<b>', { accept, origin: provider.url })
    expect(bad.status).toBe(400)
    expect(await bad.text()).not.toContain('<b>')
    await post(provider, '', { accept, origin: provider.url })
    expect(provider.switches.list()).toEqual([])
  })

  it('switches off one fault and leaves the others on', async () => {
    const provider = await start()
    provider.connectRedis(() => undefined)
    for (const fault of ['refresh=429:3', 'refresh=429:3', 'token=slow:6s', 'clock=+7m', 'redis=down']) {
      await provider.switches.apply(fault)
    }
    const off = async (fault: string): Promise<string[]> => {
      const body = new URLSearchParams({ off: fault })
      await fetch(`${provider.url}/dev/faults`, { method: 'POST', body })
      return provider.switches.list().map((active) => active.fault)
    }
    expect(await off('refresh=429:3')).toEqual(['token=slow:6s', 'clock=+7m', 'redis=down'])
    expect(await off('clock=+7m')).toEqual(['token=slow:6s', 'redis=down'])
    expect(await off('redis=down')).toEqual(['token=slow:6s'])
    expect(await off('discovery=503')).toEqual(['token=slow:6s'])
  })

  it('takes nothing from a page of another origin', async () => {
    const provider = await start()
    for (const headers of [
      { origin: 'http://localhost:3000' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      expect((await post(provider, 'refresh=429', headers)).status).toBe(403)
    }
    expect(provider.switches.list()).toEqual([])
  })
})
