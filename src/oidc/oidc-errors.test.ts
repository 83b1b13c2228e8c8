import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AuthorizationResponseError } from 'openid-client'
import type { ResolvedProvider } from '../config/types.ts'
import type { AnyCoatcheckError } from '../core/errors.ts'
import { EventBus } from '../core/events.ts'
import type { RefreshFailure } from '../token/refresh-outcome.ts'
import { factsOf, toDiscoveryError, toSignInError } from './oidc-errors.ts'
import { createProviderClients, type ProviderClients } from './provider-client.ts'
import { createTokenRequester } from './token-requester.ts'
import { resolvedProvider as provider, TEST_ISSUER as ISSUER } from '../../test/support/resolved-provider.ts'

const clock = { now: () => Date.parse('2026-01-01T00:00:00Z'), monotonic: () => 0 }
const CANARY = 'canary-9f3c'

let answer: () => Response | Promise<Response>
let metadata: Record<string, unknown>
let sent: { body: string; headers: Headers }[]
let clients: ProviderClients
beforeEach(() => {
  metadata = {
    issuer: ISSUER,
    token_endpoint: `${ISSUER}/token`,
    authorization_endpoint: `${ISSUER}/authorize`,
    jwks_uri: `${ISSUER}/keys`,
  }
  sent = []
  clients = createProviderClients([provider], {
    clock,
    fetch: (input, init) => {
      if (urlOf(input).includes('.well-known')) return Promise.resolve(Response.json(metadata))
      sent.push({ body: String(init?.body as URLSearchParams), headers: new Headers(init?.headers) })
      return Promise.resolve(answer())
    },
  })
})
afterEach(() => {
  sent = []
})

function oauthError(
  status: number,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): () => Response {
  return () => Response.json({ error_description: CANARY, ...body }, { status, headers })
}

async function refreshFailure(): Promise<RefreshFailure> {
  const refresher = createTokenRequester(clients, clock)
  return refresher.refresh('p', { refreshToken: CANARY }).then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error as RefreshFailure,
  )
}

describe('the cause of an error', () => {
  it('keeps its stack, in which no text of the provider reaches the terminal', () => {
    const foreign = new SyntaxError('Unexpected token "\u001b[2J\u001b[H\n    at fake (x.js:1:1)"')
    const { cause } = toDiscoveryError(foreign, clock)
    const { stack = '' } = cause as Error
    expect(stack).not.toContain('\u001b')
    expect(stack).not.toContain('\n    at fake')
    expect(stack).toContain('\\u001b[2J')
    expect(stack).toContain('oidc-errors.test.ts')
  })
})

describe('a failed refresh', () => {
  it.each<[string, () => Response | Promise<Response>, string]>([
    ['invalid_grant', oauthError(400, { error: 'invalid_grant', error_codes: [70008] }), 'invalid-grant'],
    ['invalid_client', oauthError(401, { error: 'invalid_client' }), 'operator-error'],
    [
      '401 with a challenge',
      oauthError(401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic realm="x"' }),
      'operator-error',
    ],
    [
      'interaction_required',
      oauthError(400, { error: 'interaction_required', suberror: 'basic_action' }),
      'interaction-required',
    ],
    [
      'a claims challenge',
      oauthError(400, { error: 'invalid_grant', claims: '{"access_token":{}}' }),
      'interaction-required',
    ],
    ['invalid_scope', oauthError(400, { error: 'invalid_scope' }), 'caller-error'],
    ['429', oauthError(429, { error: 'slow' }), 'transient'],
    ['503 as HTML', () => new Response('<h1>', { status: 503, headers: { 'content-type': 'text/html' } }), 'transient'],
    ['200 as HTML', () => new Response('<h1>', { headers: { 'content-type': 'text/html' } }), 'transient'],
    ['200 with broken JSON', () => new Response('{', { headers: { 'content-type': 'application/json' } }), 'transient'],
    ['a redirect', () => new Response(null, { status: 307, headers: { location: 'https://evil.test' } }), 'transient'],
    ['2 MB', () => new Response('x'.repeat(2_000_000)), 'transient'],
    [
      'nothing: connection refused',
      () =>
        Promise.reject(
          Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) }),
        ),
      'transient',
    ],
    ['nothing: timeout', () => Promise.reject(new DOMException('t', 'TimeoutError')), 'transient'],
  ])('%s', async (_name, respond, outcome) => {
    answer = respond
    const failure = await refreshFailure()
    expect(failure.outcome).toBe(outcome)
    expect(everythingIn(failure)).not.toContain(CANARY)
    expect(sent).toHaveLength(1)
  })

  it('returns the time to wait, from seconds or a date', async () => {
    answer = oauthError(429, { error: 'slow' }, { 'retry-after': '7' })
    expect((await refreshFailure()).facts).toMatchObject({ status: 429, retryAfterMs: 7000 })
    answer = oauthError(503, { error: 'x' }, { 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' })
    expect((await refreshFailure()).facts.retryAfterMs).toBe(30_000)
    answer = oauthError(503, { error: 'x' }, { 'retry-after': 'soon' })
    expect((await refreshFailure()).facts.retryAfterMs).toBeUndefined()
  })
})

describe('a refresh', () => {
  it('says what came back, and sends scopes, resource and credentials', async () => {
    answer = () =>
      Response.json({ access_token: 'a', token_type: 'Bearer', expires_in: 60, refresh_token: 'r2', scope: 'x y' })
    const refresher = createTokenRequester(clients, clock)
    expect(
      await refresher.refresh('p', { refreshToken: 'r1', scopes: ['x', 'y'], resource: 'https://api.test' }),
    ).toEqual({
      accessToken: 'a',
      expiresInSeconds: 60,
      refreshToken: 'r2',
      scopes: ['x', 'y'],
    })
    const form = new URLSearchParams(sent[0]?.body)
    expect(Object.fromEntries(form)).toMatchObject({
      grant_type: 'refresh_token',
      refresh_token: 'r1',
      scope: 'x y',
      resource: 'https://api.test',
      client_secret: 's',
    })
  })

  it('uses Basic where the provider announces nothing else', async () => {
    metadata.token_endpoint_auth_methods_supported = ['client_secret_basic']
    answer = () => Response.json({ access_token: 'a', token_type: 'Bearer' })
    await createTokenRequester(clients, clock).refresh('p', { refreshToken: 'r' })
    expect(sent[0]?.headers.get('authorization')).toBe(`Basic ${btoa('c:s')}`)
    expect(sent[0]?.body).not.toContain('client_secret')
  })

  it('asks Entra ID for offline_access each time', async () => {
    const entra: ResolvedProvider = { ...provider, preset: 'entra', scopes: ['openid', 'offline_access'] }
    clients = createProviderClients([entra], {
      clock,
      fetch: (input, init) => {
        if (urlOf(input).includes('.well-known')) return Promise.resolve(Response.json(metadata))
        sent.push({ body: String(init?.body as URLSearchParams), headers: new Headers() })
        return Promise.resolve(Response.json({ access_token: 'a', token_type: 'Bearer' }))
      },
    })
    await createTokenRequester(clients, clock).refresh('p', { refreshToken: 'r', scopes: ['api://x/Y'] })
    expect(new URLSearchParams(sent[0]?.body).get('scope')).toBe('api://x/Y offline_access')
  })

  it('does not begin for a caller who has given up', async () => {
    const gaveUp = createTokenRequester(clients, clock).refresh('p', { refreshToken: 'r', signal: AbortSignal.abort() })
    await expect(gaveUp).rejects.toMatchObject({ name: 'AbortError' })
    expect(sent).toHaveLength(0)
  })
})

describe('a failed sign-in or discovery', () => {
  it.each([
    ['access_denied', 'COATCHECK_SIGNIN_DENIED'],
    ['login_required', 'COATCHECK_SIGNIN_DENIED'],
    ['temporarily_unavailable', 'COATCHECK_OIDC_UNAVAILABLE'],
    ['unauthorized_client', 'COATCHECK_OIDC_CLIENT_REJECTED'],
    ['invalid_request', 'COATCHECK_SIGNIN_REJECTED'],
    ['constructor', 'COATCHECK_SIGNIN_REJECTED'],
    ['\u001b[31m\r\nx', 'COATCHECK_SIGNIN_REJECTED'],
  ])('%j', (error, code) => {
    const cause = new URLSearchParams({ error, error_description: CANARY, code: CANARY })
    const mapped = toSignInError(new AuthorizationResponseError('x', { cause }), clock) as AnyCoatcheckError & {
      details: object
    }
    expect(mapped.code).toBe(code)
    expect(everythingIn(mapped)).not.toContain(CANARY)
    expect(JSON.stringify(mapped.details)).not.toMatch(/[\u0000-\u001f]/)
  })

  it('is about the network when nothing answers', () => {
    const error = new TypeError('fetch failed', { cause: Object.assign(new Error(CANARY), { code: 'ENOTFOUND' }) })
    expect(factsOf(error, clock)).toEqual({ reason: 'ENOTFOUND' })
    expect(toDiscoveryError(error, clock)).toMatchObject({
      code: 'COATCHECK_OIDC_DISCOVERY',
      details: { reason: 'ENOTFOUND' },
    })
    expect(everythingIn(toDiscoveryError(error, clock))).not.toContain(CANARY)
  })

  it('another issuer in the metadata is not reported as an outage', async () => {
    metadata.issuer = `${ISSUER}/`
    await expect(clients.get('p')).rejects.toMatchObject({
      code: 'COATCHECK_OIDC_DISCOVERY',
      details: { reason: 'issuer' },
    })
  })
})

describe('metadata that are due for renewal', () => {
  it('are read in the background; a failure is reported, and the known metadata stays in use', async () => {
    let nowMs = 0
    const heard: unknown[] = []
    const events = new EventBus()
    events.on('provider.discovery-failed', (event) => heard.push(event))
    let status = 200
    const renewing = createProviderClients([provider], {
      clock: { now: clock.now, monotonic: () => nowMs },
      events,
      fetch: () => Promise.resolve(Response.json(metadata, { status })),
    })
    const first = await renewing.get('p')
    status = 404
    nowMs += 3_600_000
    expect(await renewing.get('p')).toBe(first)
    await vi.waitUntil(() => heard.length > 0, { timeout: 120_000 })
    expect(heard).toEqual([
      {
        ...{ provider: 'p', code: 'COATCHECK_OIDC_DISCOVERY', isUsable: true, status: 404 },
        ...{ url: provider.discoveryUrl, reason: 'OAUTH_RESPONSE_IS_NOT_CONFORM' },
      },
    ])
  })
})

/** Returns own properties, stack and all causes, at any depth. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error)
  const own = Object.getOwnPropertyNames(error).map((name) => {
    const value = (error as unknown as Record<string, unknown>)[name]
    return value instanceof Error ? everythingIn(value) : JSON.stringify(value)
  })
  return own.join('\n')
}

function urlOf(input: Parameters<typeof fetch>[0]): string {
  return input instanceof Request ? input.url : String(input)
}
