/**
 * A provider that says what a test wants, as a `fetch`: metadata, key set and token answers are right until a test changes one of
 * them. Sign-in, refresh and logout of an application run against it without a network.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import type { ResolvedProvider } from '../../src/config/types.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { TokenCache } from '../../src/token/types.ts'
import { providerMetadata } from './provider-metadata.ts'
import { resolvedProvider, TEST_ISSUER } from './resolved-provider.ts'
import { Browser, createTestApp, type TestApp } from './test-app.ts'

export type Body = Record<string, unknown>

export const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const USER = 'ada'
const HOUR_SECONDS = 3600
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA']

export interface SigningKey {
  readonly id: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

export async function newKey(id: string, alg = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { id, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid: id, use: 'sig', alg } }
}

export const nowSeconds = (): number => Math.floor(Date.now() / 1000)

export function sign(claims: JWTPayload, key: SigningKey, header: object = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.id, ...header }).sign(key.privateKey)
}

export const json = (body: unknown, init?: ResponseInit): Response => Response.json(body, init)

/** What a test changes. Each starts with what an honest provider says. */
export interface Script {
  metadata: (honest: Body) => Body | Response
  keySet: (honest: Body) => Body | Response | Promise<never>
  /** Makes the ID token of the next answers out of its claims. */
  idToken: (claims: JWTPayload) => Promise<string> | string | undefined
  /** The whole answer of the token endpoint, with that ID token in it. */
  answer: (honest: Body, request: URLSearchParams) => Body | Response | Promise<Body | Response>
  /** What the browser brings back. */
  response: (honest: URLSearchParams) => URLSearchParams
}

export interface HostileProvider {
  readonly provider: ResolvedProvider
  readonly script: Script
  readonly fetch: typeof fetch
  /** Bodies of the token requests. */
  readonly tokenRequests: URLSearchParams[]
  /** Of the key set and the metadata. */
  readonly asked: { keySet: number; metadata: number }
  /** What it signs with; the key set shows it. */
  key: SigningKey
  /** Claims of a good ID token for the sign-in under way. */
  claims(): JWTPayload
  logoutClaims(): JWTPayload
}

export async function hostileProvider(options: Partial<ResolvedProvider> = {}): Promise<HostileProvider> {
  const provider: ResolvedProvider = { ...resolvedProvider, ...options }
  const tokenRequests: URLSearchParams[] = []
  const asked = { keySet: 0, metadata: 0 }
  let nonce: string | undefined
  let number = 0

  const hostile: HostileProvider = {
    provider,
    tokenRequests,
    asked,
    key: await newKey('one'),
    script: {
      metadata: (honest) => honest,
      keySet: (honest) => honest,
      idToken: (claims) => sign(claims, hostile.key),
      answer: (honest) => honest,
      response: (honest) => honest,
    },
    claims: () => ({
      iss: TEST_ISSUER,
      aud: provider.clientId,
      sub: USER,
      iat: nowSeconds(),
      exp: nowSeconds() + HOUR_SECONDS,
      ...(nonce !== undefined && { nonce }),
    }),
    logoutClaims: () => ({
      ...{ iss: TEST_ISSUER, aud: provider.clientId, sub: USER, iat: nowSeconds(), exp: nowSeconds() + 120 },
      ...{ jti: randomUUID(), events: { [LOGOUT_EVENT]: {} } },
    }),
    async fetch(input, init) {
      const { pathname } = new URL(input instanceof Request ? input.url : String(input))
      const { script, key } = hostile
      if (pathname.includes('.well-known')) {
        asked.metadata++
        return toResponse(script.metadata({ ...providerMetadata(TEST_ISSUER, ALGORITHMS) }))
      }
      if (pathname === '/keys') {
        asked.keySet++
        return toResponse(await script.keySet({ keys: [key.jwk] }))
      }
      const request = new URLSearchParams(String(init?.body as URLSearchParams))
      tokenRequests.push(request)
      // The authorization endpoint is not asked: the nonce travels in the code.
      if (request.get('grant_type') === 'authorization_code') nonce = request.get('code')?.split('.')[1]
      else nonce = undefined
      const idToken = await script.idToken(hostile.claims())
      const honest = {
        ...{ access_token: `access-${++number}`, token_type: 'Bearer', expires_in: HOUR_SECONDS },
        ...{ refresh_token: `refresh-${number}`, ...(idToken !== undefined && { id_token: idToken }) },
      }
      return toResponse(await script.answer(honest, request))
    },
  }
  return hostile
}

function toResponse(said: unknown): Response {
  return said instanceof Response ? said : json(said)
}

/** An application that trusts the provider, and what its visitors do. */
export interface Victim {
  readonly app: TestApp
  /** From `GET /auth/login` to the end of the callback. */
  signIn(browser?: Browser): Promise<Response>
  /** Asks for an access token; there is none, so the provider is asked. */
  refresh(): Promise<string>
  logout(token: string): Promise<Response>
  isSignedIn(browser: Browser): Promise<boolean>
  newBrowser(): Browser
}

export function victimOf(hostile: HostileProvider, options: { readonly clock?: Clock } = {}): Victim {
  const app = createTestApp({
    providers: [hostile.provider],
    fetch: hostile.fetch,
    signIn: { userId: () => USER },
    ...options,
  })
  const newBrowser = (): Browser => new Browser(app)
  return {
    app,
    newBrowser,
    async signIn(browser = newBrowser()) {
      const started = await browser.request('/auth/login')
      const location = started.headers.get('location')
      if (location === null) return started
      const { searchParams } = new URL(location)
      const honest = new URLSearchParams({
        state: searchParams.get('state') ?? '',
        code: `${randomBytes(8).toString('hex')}.${searchParams.get('nonce') ?? ''}`,
      })
      return browser.request(`/auth/callback?${hostile.script.response(honest).toString()}`)
    },
    async refresh() {
      return (await (app.tokens as TokenCache).getAccessToken(USER)).accessToken
    },
    logout: (token) =>
      app.routes(
        new Request('http://localhost:3000/auth/backchannel-logout', {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({ logout_token: token }),
        }),
      ),
    isSignedIn: async (browser) => (await browser.json('/auth/session')).status === 200,
  }
}
