/**
 * ID tokens that the provider never meant: one row per rule of OpenID Connect Core section 3.1.3.7. The token endpoint's answer
 * is exchanged on its way, and the key set holds a key of ours, so that a row breaks exactly one rule and not the signature too.
 */
import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import {
  exportJWK,
  exportPKCS8,
  exportSPKI,
  generateKeyPair,
  type GenerateKeyPairResult,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { observed } from '../lab/report.ts'
import { Browser, createTestApp, type TestApp } from '../support/test-app.ts'

const KEY_ID = 'ours'
const HOUR_SECONDS = 3600

/** What comes back is put in the place of the ID token. */
type Forge = (payload: JWTPayload) => Promise<string>

let idp: DevProvider
let ours: GenerateKeyPairResult
let foreign: GenerateKeyPairResult
let keySetRequests = 0

beforeAll(async () => {
  idp = await startDevProvider({ redirectUris: ['http://localhost:3000/auth/callback'] })
  ours = await generateKeyPair('RS256', { extractable: true })
  foreign = await generateKeyPair('RS256')
})
afterAll(() => idp.close())

const signed = (payload: JWTPayload, header: object = {}, key = ours.privateKey): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: KEY_ID, ...header }).sign(key)
const changed =
  (change: (payload: JWTPayload) => JWTPayload): Forge =>
  (payload) =>
    signed(change(payload))
const without =
  (claim: string): Forge =>
  ({ [claim]: _, ...payload }) =>
    signed(payload)
const now = (): number => Math.floor(Date.now() / 1000)

/** An application whose provider answers with what `forge` makes of its ID tokens. */
function appWith(forge: Forge): TestApp {
  const between: typeof fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    const response = await fetch(input, init)
    if (url.includes('keys')) {
      keySetRequests++
      const { keys } = (await response.json()) as { keys: object[] }
      const own = { ...(await exportJWK(ours.publicKey)), kid: KEY_ID, use: 'sig', alg: 'RS256' }
      return Response.json({ keys: [...keys, own] })
    }
    if (!url.endsWith('/token')) return response
    const body = (await response.json()) as { id_token: string }
    const [, payload = ''] = body.id_token.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as JWTPayload
    return Response.json({ ...body, id_token: await forge(claims) })
  }
  const { issuer, clientId, clientSecret } = idp
  return createTestApp({
    fetch: between,
    providers: [
      {
        credential: { kind: 'secret', secret: clientSecret },
        ...{ name: 'dev', preset: 'oidc', issuer, clientId, allowedTenants: [], responseMode: 'query' },
        discoveryUrl: `${issuer}/.well-known/openid-configuration`,
        scopes: ['openid', 'profile'],
        allowInsecureHttp: true,
        settings: { authority: 'issuer', clientId: 'clientId', credential: 'clientSecret' },
      },
    ],
  })
}

async function codeOf(response: Response): Promise<string> {
  return /COATCHECK_[A-Z_]+/.exec(await response.text())?.[0] ?? `none (${response.status})`
}

describe('an ID token', () => {
  it('that keeps all rules is accepted, so that each row below breaks one', async () => {
    const browser = new Browser(appWith((payload) => signed(payload)))
    expect((await browser.signIn()).status).toBe(303)
  })

  it.each<[title: string, check: string, Forge]>([
    ['without a signature', 'algorithm', (payload) => Promise.resolve(new UnsecuredJWT(payload).encode())],
    [
      'signed with the public key as if it were a secret',
      'algorithm',
      async (payload) => {
        const secret = Buffer.from(await exportSPKI(ours.publicKey))
        return new SignJWT(payload).setProtectedHeader({ alg: 'HS256', kid: KEY_ID }).sign(secret)
      },
    ],
    ['signed with the client secret', 'algorithm', (payload) => signedWithSecret(payload)],
    ['signed by a key that is not the provider’s', 'signature', (payload) => signed(payload, {}, foreign.privateKey)],
    [
      'that brings its own key',
      'signature',
      async (payload) => signed(payload, { jwk: await exportJWK(foreign.publicKey) }, foreign.privateKey),
    ],
    ['of an unknown key', 'signing-key', (payload) => signed(payload, { kid: 'unknown' })],
    ['with a critical header that nobody knows', 'critical-header', (payload) => critical(payload)],
    ['of another issuer', 'issuer', changed((payload) => ({ ...payload, iss: 'https://evil.example' }))],
    [
      'of an issuer that begins the same',
      'issuer',
      changed((payload) => ({ ...payload, iss: `${payload.iss ?? ''}.evil.example` })),
    ],
    ['for another client', 'audience', changed((payload) => ({ ...payload, aud: 'somebody-else' }))],
    [
      'for several, authorized for another',
      'authorized-party',
      changed((payload) => ({ ...payload, aud: [idp.clientId, 'other'], azp: 'other' })),
    ],
    [
      'for several, authorized for nobody',
      'authorized-party',
      changed((payload) => ({ ...payload, aud: [idp.clientId, 'other'] })),
    ],
    [
      'issued an hour from now',
      'issued-at',
      changed((payload) => ({ ...payload, iat: (payload.iat ?? 0) + 3600, exp: (payload.exp ?? 0) + 3600 })),
    ],
    ['with another nonce', 'nonce', changed((payload) => ({ ...payload, nonce: randomUUID() }))],
    ['without a nonce', 'nonce', without('nonce')],
    ['that has expired', 'expiry', changed((payload) => ({ ...payload, exp: now() - HOUR_SECONDS }))],
    ['that is not valid yet', 'not-before', changed((payload) => ({ ...payload, nbf: now() + HOUR_SECONDS }))],
    ['without a subject', 'subject', without('sub')],
    ['without an issuer', 'issuer', without('iss')],
    ['without an audience', 'audience', without('aud')],
    ['without an expiry', 'expiry', without('exp')],
    ['without a time of issue', 'issued-at', without('iat')],
    ['that is no token', 'format', () => Promise.resolve('not.a.token')],
  ])('%s is refused for its %s, and nobody is signed in', async (_, check, forge) => {
    const app = appWith(forge)
    const browser = new Browser(app)
    const response = await browser.signIn()
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(await codeOf(response)).toBe('COATCHECK_SIGNIN_REJECTED')
    const failed = app.seen.find(({ name }) => name === 'signin.failed')?.event
    expect(failed).toMatchObject({ code: 'COATCHECK_SIGNIN_REJECTED', check })
    expect(JSON.stringify(failed)).not.toMatch(/ada@|Lovelace|eyJ/)
    expect(browser.cookies.get('http://localhost:3000')?.has('coatcheck') ?? false).toBe(false)
    expect(app.seen.some(({ name }) => name === 'session.created')).toBe(false)
  })
})

it('tokens of unknown keys, one after the other, do not become requests for the key set', async () => {
  const app = appWith((payload) => signed(payload, { kid: randomUUID() }))
  keySetRequests = 0
  for (let i = 0; i < 20; i++) expect((await new Browser(app).signIn()).status).toBeGreaterThanOrEqual(400)
  expect(keySetRequests).toBeLessThanOrEqual(2)
  observed('F24.flood', `20 tokens of unknown keys: ${keySetRequests} requests for the key set, 0 signed in`)
})

function signedWithSecret(payload: JWTPayload): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(idp.clientSecret.padEnd(32, ' ')))
}

/** RFC 7515 section 4.1.11: an extension that is not understood makes the token invalid. */
async function critical(payload: JWTPayload): Promise<string> {
  const header = { alg: 'RS256', kid: KEY_ID, crit: ['https://evil.example/x'], 'https://evil.example/x': true }
  const input = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const key = createPrivateKey(await exportPKCS8(ours.privateKey))
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
}
