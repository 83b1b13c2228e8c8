/**
 * The reason of a refusal by a provider is in the log, in the event and in the error. Each test covers one kind of refusal. The
 * answers have the form of Entra ID, whose descriptions hold names and e-mail addresses: those stay out.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { UnsecuredJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import type { LogFields, Logger } from '../../src/core/logger.ts'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import type { ProviderOptions } from '../../src/config/types.ts'
import { entra, type EntraOptions } from '../../src/oidc/entra.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { Browser } from '../support/test-app.ts'

const BASE_URL = 'http://localhost:3000'
const PERSON = 'Ada Lovelace'
const ADDRESS = 'ada@example.test'
const IDS = { traceId: '0a1b2c3d-0000-4000-8000-00000000aaaa', correlationId: '0a1b2c3d-0000-4000-8000-00000000bbbb' }
const TIME = '2026-11-28 12:00:00Z'

let idp: DevProvider
let lines: LogFields[]
const closing: (() => Promise<unknown>)[] = []
const logger: Logger = {
  debug: (fields) => void lines.push(fields),
  info: (fields) => void lines.push(fields),
  warn: (fields) => void lines.push(fields),
  error: (fields) => void lines.push(fields),
}

beforeEach(async () => {
  lines = []
  idp = await startDevProvider({ redirectUris: [`${BASE_URL}/auth/callback`] })
  closing.push(() => idp.close())
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  const text = JSON.stringify(lines)
  for (const forbidden of [PERSON, ADDRESS, 'error_description']) expect(text).not.toContain(forbidden)
})

type Auth = Coatcheck<Record<string, unknown>>

function start(options: EntraOptions = {}, provider?: ProviderOptions): { auth: Auth; browser: Browser } {
  const auth = coatcheck({
    logger,
    store: memoryStore({ name: randomBytes(4).toString('hex') }),
    baseUrl: BASE_URL,
    keys: randomBytes(32).toString('base64'),
    signIn: { userId: () => 'ada' },
    providers: [provider ?? entra({ ...clientOf(idp), ...options })],
  })
  closing.push(() => auth.close())
  const routes = (request: Request): Promise<Response> => auth.handler(request)
  return { auth, browser: new Browser({ config: { baseUrl: new URL(BASE_URL) }, routes }) }
}

const clientOf = ({ issuer, clientId, clientSecret }: DevProvider) => ({ issuer, clientId, clientSecret })

/** What Entra ID answers, description included. */
function entraError(error: string, number: number, more: Record<string, unknown> = {}): string {
  const text = `AADSTS${number}: User '${PERSON}' (${ADDRESS}) may not.`
  return JSON.stringify({
    error,
    error_description: `${text} Trace ID: ${IDS.traceId} Correlation ID: ${IDS.correlationId} Timestamp: ${TIME}`,
    error_codes: [number],
    timestamp: TIME,
    trace_id: IDS.traceId,
    correlation_id: IDS.correlationId,
    error_uri: `https://login.microsoftonline.com/error?code=${number}`,
    ...more,
  })
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' }
const lineOf = (event: string): LogFields | undefined => lines.find((line) => line['event'] === event)

describe('an authorization response', () => {
  it.each([['a disabled account', 'login_hint=margaret', { error: 'access_denied', providerCode: 'AADSTS50057' }]])(
    'of %s',
    async (_, query, reason) => {
      const { browser } = start()
      await browser.signIn(query)
      expect(lineOf('signin.failed')).toMatchObject({ code: 'COATCHECK_SIGNIN_DENIED', ...reason })
    },
  )

  it('has its number, ids and second code only in the description, and a name beside them', async () => {
    const { browser } = start()
    const back = await browser.authorize()
    const { error_description } = JSON.parse(entraError('x', 65004)) as { error_description: string }
    const parameters = { error: 'access_denied', error_subcode: 'cancel', error_description }
    for (const [name, value] of Object.entries(parameters)) back.searchParams.set(name, value)
    await browser.request(back)
    const reason = {
      error: 'access_denied',
      suberror: 'cancel',
      providerCode: 'AADSTS65004',
      ...IDS,
      providerTime: TIME,
    }
    expect(lineOf('signin.failed')).toMatchObject(reason)
    // The same facts in a second line would look like a second failure.
    expect(lineOf('request.refused')).toBeUndefined()
  })

  it('keeps them through the page that sends a posted answer once more, without the name', async () => {
    const { browser } = start({ responseMode: 'form_post' })
    const started = await browser.request('/auth/login')
    const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
    const { error_description } = JSON.parse(entraError('x', 65004)) as { error_description: string }
    const answer = { state, error: 'access_denied', error_subcode: 'cancel', error_description }
    const posted = { method: 'POST', body: new URLSearchParams(answer), headers: { cookie: '' } }
    const page = await (await browser.request('/auth/callback', posted)).text()
    for (const forbidden of [PERSON, ADDRESS]) expect(page).not.toContain(forbidden)
    const fields = [...page.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ])
    await browser.request('/auth/callback', { method: 'POST', body: new URLSearchParams(fields) })
    expect(lineOf('signin.failed')).toMatchObject({ suberror: 'cancel', providerCode: 'AADSTS65004', ...IDS })
  })

  it.each([
    ['an error that is an address', { error: ADDRESS }, { error: 'unreadable' }],
    ['another issuer', { iss: 'https://evil.test/?x=1' }, { check: 'response-issuer', got: 'https://evil.test/' }],
  ])('with %s', async (_, changes, reason) => {
    const { browser } = start()
    const back = await browser.authorize()
    for (const [name, value] of Object.entries(changes)) back.searchParams.set(name, value)
    await browser.request(back)
    expect(lineOf('signin.failed')).toMatchObject(reason)
  })

  it('without a started sign-in names the check', async () => {
    const { browser } = start()
    await browser.request('/auth/callback?code=x&state=y')
    expect(lineOf('signin.failed')).toMatchObject({ code: 'COATCHECK_SIGNIN_EXPIRED', check: 'browser' })
  })
})

describe('the code', () => {
  it.each<[string, string, Record<string, string>, object]>([
    ['with all fields', entraError('invalid_client', 7000215), {}, { providerCode: 'AADSTS7000215', ...IDS }],
    [
      'with a number in the description alone',
      JSON.stringify({ error: 'invalid_client', error_description: `AADSTS7000222: ${PERSON}` }),
      { 'x-ms-request-id': IDS.traceId },
      { providerCode: 'AADSTS7000222', traceId: IDS.traceId },
    ],
    [
      'with a challenge beside the body',
      entraError('invalid_client', 700016),
      { 'www-authenticate': 'Basic realm="x"' },
      { providerCode: 'AADSTS700016', ...IDS },
    ],
  ])('is refused %s', async (_, body, headers, reason) => {
    const { browser } = start()
    const fault = { status: 401, headers: { ...JSON_HEADERS, ...headers }, body }
    idp.faults.add({ grantType: 'authorization_code', ...fault })
    await browser.signIn()
    const url = `${idp.url}/${idp.tenantId}/oauth2/v2.0/token`
    expect(lineOf('signin.failed')).toMatchObject({
      ...{ code: 'COATCHECK_OIDC_CLIENT_REJECTED', status: 401, error: 'invalid_client', url },
      ...reason,
    })
  })

  it('meets a provider in trouble: 503 with a reason', async () => {
    const { browser } = start()
    idp.faults.add({ status: 503, headers: JSON_HEADERS, body: entraError('temporarily_unavailable', 90033) })
    await browser.signIn()
    expect(lineOf('signin.failed')).toMatchObject({
      ...{ code: 'COATCHECK_OIDC_UNAVAILABLE', status: 503, error: 'temporarily_unavailable' },
      ...{ providerCode: 'AADSTS90033', ...IDS },
    })
  })

  it('is never answered', async () => {
    const { browser } = start()
    idp.faults.add({ drop: 'before' })
    await browser.signIn()
    expect(lineOf('signin.failed')).toMatchObject({ reason: expect.stringMatching(/^(UND_ERR_|ECONN)/) as string })
    expect(lineOf('signin.failed')?.['url']).toContain('/oauth2/v2.0/token')
  })

  it('brings an ID token whose keys cannot be had', async () => {
    const { browser } = start()
    idp.faults.add({ route: 'keys', status: 503 })
    await browser.signIn()
    expect(lineOf('signin.failed')).toMatchObject({
      ...{ code: 'COATCHECK_OIDC_UNAVAILABLE', status: 503 },
      url: `${idp.url}/${idp.tenantId}/discovery/v2.0/keys`,
    })
  })
})

describe('discovery', () => {
  it.each<[string, object, object]>([
    [
      'of a tenant that does not exist',
      { status: 400, headers: JSON_HEADERS, body: entraError('invalid_tenant', 90002) },
      { status: 400, error: 'invalid_tenant', providerCode: 'AADSTS90002', ...IDS },
    ],
    ['of a page that is not there', { status: 404, body: '<h1>' }, { status: 404 }],
    ['of a page that is no JSON', { status: 200, body: '<h1>' }, { reason: 'OAUTH_RESPONSE_IS_NOT_JSON' }],
  ])('%s', async (_, fault, reason) => {
    const { browser } = start()
    idp.faults.add({ route: 'discovery', ...fault })
    expect((await browser.request('/auth/login')).status).toBe(503)
    const url = `${idp.issuer}/.well-known/openid-configuration`
    for (const event of ['provider.discovery-failed', 'request.refused']) {
      expect(lineOf(event)).toMatchObject({ code: 'COATCHECK_OIDC_DISCOVERY', url, ...reason })
    }
    expect(lineOf('provider.discovery-failed')).toMatchObject({ provider: 'entra', isUsable: false })
  })

  it('of a server that is not there, for a browser and for a token', async () => {
    const port = await freePort()
    const issuer = `http://127.0.0.1:${port}/${idp.tenantId}/v2.0`
    const { auth, browser } = start({ issuer })
    await browser.request('/auth/login')
    const reason = { reason: 'ECONNREFUSED', url: `${issuer}/.well-known/openid-configuration` }
    expect(lineOf('request.refused')).toMatchObject(reason)
    const failed = await auth.tokens.getAppToken({ resource: 'api://orders' }).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE', details: reason })
    expect(lineOf('token.refresh-failed')).toMatchObject(reason)
    expect(lineOf('token.refresh-repeated')).toBeUndefined()
  })

  it('that names another issuer reports both', async () => {
    const { browser } = start({ issuer: `${idp.url}/common/v2.0` })
    await browser.request('/auth/login')
    expect(lineOf('provider.discovery-failed')).toMatchObject({
      ...{ check: 'issuer', expected: `${idp.url}/common/v2.0`, got: expect.stringContaining('tenantid') as string },
    })
  })
})

describe('a token', () => {
  const REFUSED = { status: 400, headers: JSON_HEADERS }
  const ORDERS = { scopes: ['api://orders/.default'] }

  it('is not refreshed: second code, number and ids in the error, the event and the log', async () => {
    const { auth, browser } = start()
    await browser.signIn()
    const body = entraError('invalid_grant', 50076, { suberror: 'basic_action' })
    idp.faults.add({ grantType: 'refresh_token', ...REFUSED, body })
    const heard: object[] = []
    auth.events.on('token.refresh-failed', (event) => heard.push(event))
    const failed = await auth.tokens.getAccessToken('ada', ORDERS).catch((error: unknown) => error)
    const reason = {
      status: 400,
      error: 'invalid_grant',
      suberror: 'basic_action',
      providerCode: 'AADSTS50076',
      ...IDS,
    }
    expect(failed).toMatchObject({ code: 'COATCHECK_REAUTH_REQUIRED', details: reason })
    expect(heard[0]).toMatchObject(reason)
    expect(lineOf('token.refresh-failed')).toMatchObject(reason)
    expect(JSON.stringify((failed as { details: object }).details)).not.toContain(PERSON)
  })

  it.each([
    ['of the application', 'client_credentials', (auth: Auth) => auth.tokens.getAppToken(ORDERS)],
    [
      'on behalf of a caller',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      (auth: Auth) => auth.tokens.getOnBehalfOfToken(new UnsecuredJWT({ sub: 'x' }).encode(), ORDERS),
    ],
  ])('%s is not given', async (_, grantType, ask) => {
    const { auth } = start()
    idp.faults.add({ grantType, ...REFUSED, body: entraError('invalid_scope', 70011) })
    const failed = await ask(auth).catch((error: unknown) => error)
    const reason = { status: 400, error: 'invalid_scope', providerCode: 'AADSTS70011', ...IDS, providerTime: TIME }
    expect(failed).toMatchObject({ code: 'COATCHECK_TOKEN_REFRESH_REJECTED', details: reason })
    expect(lineOf('token.refresh-failed')).toMatchObject(reason)
    // Whoever asks next is not sent to the provider again, and hears the same.
    const again = await ask(auth).catch((error: unknown) => error)
    expect(again).toMatchObject({ details: { error: 'invalid_scope', providerCode: 'AADSTS70011' } })
  })

  it('is not revoked', async () => {
    // Entra ID has no endpoint for it.
    const { auth, browser } = start({}, oidc({ name: 'dev', ...clientOf(idp) }))
    await browser.signIn()
    idp.faults.add({ route: 'revoke', ...REFUSED, body: entraError('invalid_client', 7000222) })
    await auth.tokens.deleteUserTokens('ada')
    await vi.waitUntil(() => lineOf('token.revocation-failed'), { timeout: 120_000 })
    expect(lineOf('token.revocation-failed')).toMatchObject({
      ...{ status: 400, error: 'invalid_client', providerCode: 'AADSTS7000222', ...IDS },
    })
  })
})

describe('a logout token', () => {
  const logout = (browser: Browser, claims: object): Promise<Response> =>
    browser.request('/auth/backchannel-logout', {
      method: 'POST',
      body: new URLSearchParams({ logout_token: unsigned(claims) }),
    })

  it('of another issuer: the check, and both issuers', async () => {
    const { browser } = start()
    expect((await logout(browser, { iss: 'https://evil.test' })).status).toBe(400)
    expect(lineOf('request.refused')).toMatchObject({
      ...{ route: 'POST /backchannel-logout', check: 'issuer', expected: idp.issuer, got: 'https://evil.test/' },
    })
  })

  it('meets a key set that cannot be read: its address and status, also for the next one', async () => {
    const { browser } = start()
    idp.faults.add({ route: 'keys', status: 503 })
    const now = Math.floor(Date.now() / 1000)
    const claims = {
      ...{ iss: idp.issuer, aud: idp.clientId, iat: now, exp: now + 60, sub: 'x', jti: randomUUID() },
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    }
    const status = { status: 503, url: `${idp.url}/${idp.tenantId}/discovery/v2.0/keys` }
    for (let i = 0; i < 2; i++) {
      expect((await logout(browser, claims)).status).toBe(503)
      expect(lineOf('request.refused')).toMatchObject({ code: 'COATCHECK_OIDC_UNAVAILABLE', ...status })
    }
    expect(idp.counters.count('keys')).toBe(1)
  })
})

/** It names a key and has a signature of the wrong key, so that only the signature is wrong. */
function unsigned(claims: object): string {
  const parts = [{ alg: 'RS256', kid: 'unknown', typ: 'logout+jwt' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)),
  )
  return [...parts, randomBytes(256)].map((part) => part.toString('base64url')).join('.')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
