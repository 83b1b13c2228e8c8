/**
 * Tokens of the application itself and on behalf of a caller, from a real provider: by secret, by certificate, by federated
 * token; and a resource that challenges for claims.
 */
import { execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt, decodeProtectedHeader, exportJWK, importPKCS8, type JWK, SignJWT } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { type OrdersApi, startOrdersApi } from '../../src/dev/orders-api.ts'
import type { DevProviderOptions } from '../../src/dev/options.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { entra, type EntraOptions } from '../../src/oidc/entra.ts'
import { Browser } from '../support/test-app.ts'

const ORDERS = { scopes: ['api://orders/.default'] }
const BASE_URL = 'http://localhost:3000'

let folder: string
let pem: string
let jwk: JWK
let dev: DevProvider
const closing: (() => Promise<void>)[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coatcheck-'))
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=app', '-days', '2'],
      ...['-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  )
  pem = readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8')
  jwk = { ...(await exportJWK(createPublicKey(createPrivateKey(readFileSync(key))))), alg: 'PS256', use: 'sig' }
  return () => rmSync(folder, { recursive: true })
})
beforeEach(() => {
  closing.length = 0
})
afterEach(async () => {
  for (const close of closing.reverse()) await close()
})

async function startProvider(options: DevProviderOptions = {}): Promise<DevProvider> {
  dev = await startDevProvider(options)
  closing.push(() => dev.close())
  return dev
}

function start(
  credential: Pick<EntraOptions, 'clientSecret' | 'clientCertificate' | 'clientCertificatePath' | 'federatedTokenFile'>,
): Coatcheck<Record<string, unknown>> {
  const auth = coatcheck({
    store: memoryStore({ name: randomBytes(4).toString('hex') }),
    baseUrl: BASE_URL,
    keys: randomBytes(32).toString('base64'),
    signIn: { userId: () => 'ada' },
    providers: [entra({ issuer: dev.issuer, clientId: dev.clientId, ...credential })],
  })
  closing.push(() => auth.close())
  return auth
}

describe('an app token', () => {
  it('is asked for once per resource by secret, and is the application’s own', async () => {
    await startProvider()
    const { tokens } = start({ clientSecret: dev.clientSecret })
    const asked = Array.from({ length: 20 }, () => tokens.getAppToken(ORDERS))
    const [first] = await Promise.all(asked)
    const claims = decodeJwt(first?.accessToken ?? '')
    expect(claims).toMatchObject({ aud: 'api://orders', azp: dev.clientId, sub: dev.clientId })
    expect(dev.counters.count('token', 'client_credentials')).toBe(1)
    const reports = await tokens.getAppToken({ resource: 'api://reports' })
    expect(decodeJwt(reports.accessToken)).toMatchObject({ aud: 'api://reports' })
    expect((await tokens.getAppToken(ORDERS)).accessToken).toBe(first?.accessToken)
    expect(dev.counters.count('token', 'client_credentials')).toBe(2)
  })

  it.each(['text', 'file'])('comes for a certificate, given as %s', async (how) => {
    const file = join(folder, 'app.pem')
    writeFileSync(file, pem)
    await startProvider({ clientKeys: [jwk] })
    const { tokens } = start(how === 'text' ? { clientCertificate: pem } : { clientCertificatePath: file })
    const { accessToken } = await tokens.getAppToken(ORDERS)
    expect(decodeJwt(accessToken)).toMatchObject({ aud: 'api://orders' })
  })

  it('comes for a federated token, which is read anew each time', async () => {
    const file = join(folder, 'federated')
    await startProvider({ clientKeys: [jwk] })
    const key = await importPKCS8(pem.slice(0, pem.indexOf('-----BEGIN CERTIFICATE')), 'PS256')
    const write = async (): Promise<void> => {
      const assertion = new SignJWT({ jti: randomBytes(8).toString('hex') }).setProtectedHeader({ alg: 'PS256' })
      const { clientId, issuer } = dev
      assertion.setIssuer(clientId).setSubject(clientId).setAudience(issuer).setIssuedAt().setExpirationTime('1m')
      writeFileSync(file, `${await assertion.sign(key)}\n`)
    }
    await write()
    const { tokens } = start({ federatedTokenFile: file })
    await tokens.getAppToken(ORDERS)
    await write()
    await tokens.getAppToken({ scopes: ['api://reports/.default'] })
    expect(dev.counters.count('token', 'client_credentials')).toBe(2)
  })

  it('that the provider refuses is the operator’s affair; nothing of the key is in the error', async () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
    await startProvider({ clientKeys: [{ ...(await exportJWK(other.publicKey)), alg: 'PS256', use: 'sig' }] })
    const refused = start({ clientCertificate: pem }).tokens.getAppToken(ORDERS)
    await expect(refused).rejects.toMatchObject({
      code: 'COATCHECK_TOKEN_REFRESH_REJECTED',
      details: { outcome: 'operator-error', error: 'invalid_client' },
    })
    const broken = pem.replace(/MII/, 'XXX')
    const unreadable = await start({ clientCertificate: broken })
      .tokens.getAppToken(ORDERS)
      .catch((error: unknown) => error)
    expect(JSON.stringify(unreadable)).not.toContain(pem.split('\n')[3])
    const missing = start({ federatedTokenFile: join(folder, 'none') }).tokens.getAppToken(ORDERS)
    await expect(missing).rejects.toMatchObject({ code: expect.stringMatching(/^COATCHECK_/) as string })
  })
})

describe('the assertion of a certificate', () => {
  it('names the certificate by x5t#S256, is PS256, short-lived, and meant for the token endpoint', async () => {
    await startProvider({ clientKeys: [jwk] })
    const sent: URLSearchParams[] = []
    const { createProviderClients } = await import('../../src/oidc/provider-client.ts')
    const { createTokenRequester } = await import('../../src/oidc/token-requester.ts')
    const { systemClock } = await import('../../src/core/clock.ts')
    const { resolveProviders } = await import('../../src/config/resolve-providers.ts')
    const options = entra({ issuer: dev.issuer, clientId: dev.clientId, clientCertificate: pem })
    const clients = createProviderClients(resolveProviders([options], {}), {
      clock: systemClock,
      fetch: (input, init) => {
        if (init?.body instanceof URLSearchParams) sent.push(init.body)
        return fetch(input, init)
      },
    })
    const requester = createTokenRequester(clients, systemClock)
    await requester.requestAppToken('entra', ORDERS)
    await requester.requestAppToken('entra', ORDERS)
    const assertions = sent.map((body) => body.get('client_assertion') ?? '')
    expect(decodeProtectedHeader(assertions[0] ?? '')).toMatchObject({
      alg: 'PS256',
      'x5t#S256': expect.stringMatching(/^[\w-]{43}$/) as string,
    })
    const [first, second] = assertions.map((assertion) => decodeJwt(assertion))
    expect(first).toMatchObject({ iss: dev.clientId, sub: dev.clientId })
    expect(first?.aud).toContain('/oauth2/v2.0/token')
    expect((first?.exp ?? 0) - (first?.iat ?? 0)).toBeLessThanOrEqual(300)
    expect(first?.jti).not.toBe(second?.jti)
  })
})

describe('a user’s token', () => {
  let api: OrdersApi
  let auth: Coatcheck<Record<string, unknown>>
  let browser: Browser
  const userId = 'ada'
  beforeEach(async () => {
    await startProvider({ redirectUris: [`${BASE_URL}/auth/callback`] })
    api = await startOrdersApi({ issuer: dev.issuer })
    closing.push(() => api.close())
    auth = start({ clientSecret: dev.clientSecret })
    browser = new Browser({ config: { baseUrl: new URL(BASE_URL) }, routes: auth.handler })
    expect((await browser.signIn()).status).toBe(303)
  })

  it('is exchanged on behalf of the user: the same subject, another audience', async () => {
    const { accessToken } = await auth.tokens.getAccessToken(userId, { scopes: ['api://orders/Orders.Read'] })
    const exchanged = await auth.tokens.getOnBehalfOfToken(accessToken, { scopes: ['api://reports/Reports.Read'] })
    const [from, to] = [decodeJwt(accessToken), decodeJwt(exchanged.accessToken)]
    expect([from.aud, to.aud]).toEqual(['api://orders', 'api://reports'])
    expect(to.sub).toBe(from.sub)
    await auth.tokens.getOnBehalfOfToken(accessToken, { scopes: ['api://reports/Reports.Read'] })
    expect(dev.counters.count('token', 'urn:ietf:params:oauth:grant-type:jwt-bearer')).toBe(1)
    const forged = auth.tokens.getOnBehalfOfToken(`${accessToken.slice(0, -8)}AAAAAAAA`, ORDERS)
    await expect(forged).rejects.toMatchObject({ code: 'COATCHECK_REAUTH_REQUIRED' })
  })

  it('is refreshed once when the resource challenges for claims', async () => {
    const fetchOrders = () =>
      auth.tokens.fetchWithToken(userId, { scopes: ['api://orders/Orders.Read'] }, `${api.url}/orders`)
    expect((await fetchOrders()).status).toBe(200)
    api.challengeTokens()
    const before = dev.counters.count('token', 'refresh_token')
    const all = await Promise.all(Array.from({ length: 10 }, fetchOrders))
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
    expect(dev.counters.count('token', 'refresh_token')).toBe(before + 1)
    api.challengeTokens()
    // The same claims again: the token that answers them is the one that was refused.
    await expect(fetchOrders()).rejects.toMatchObject({
      code: 'COATCHECK_REAUTH_REQUIRED',
      details: { signInUrl: expect.stringMatching(/^\/auth\/login\?provider=entra&params=/) as string },
    })
  })

  it('that needs the user leads to a sign-in which asks the provider for the claims', async () => {
    await auth.tokens.fetchWithToken(userId, { scopes: ['api://orders/Orders.Read'] }, `${api.url}/orders`)
    api.challengeTokens()
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
    dev.faults.add({
      grantType: 'refresh_token',
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ error: 'interaction_required', error_description: 'x', claims }),
    })
    const refused: unknown = await auth.tokens
      .fetchWithToken(userId, { scopes: ['api://orders/Orders.Read'] }, `${api.url}/orders`)
      .catch((error: unknown) => error)
    const { signInUrl } = (refused as { details: { signInUrl: string } }).details
    const sentTo = async (path: string, by = browser): Promise<URL> => {
      const response = await by.request(path, { headers: { 'sec-fetch-site': 'same-origin' } })
      return new URL(response.headers.get('location') ?? '')
    }
    const target = await sentTo(signInUrl)
    expect(target.searchParams.get('claims')).toBe(claims)
    expect(target.searchParams.get('scope')).toContain('api://orders/Orders.Read')
    const stranger = new Browser({ config: { baseUrl: new URL(BASE_URL) }, routes: auth.handler })
    for (const plain of [await sentTo(`${signInUrl.slice(0, -3)}AAA`), await sentTo(signInUrl, stranger)]) {
      expect(plain.searchParams.has('claims')).toBe(false)
      expect(plain.searchParams.get('scope')).not.toContain('api://orders')
    }
  })
})
