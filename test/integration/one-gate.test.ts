/** Sign-ins and refreshes of one instance know at once that the gate of a provider is shut, also while the store is away. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { coatcheck, type Coatcheck } from '../../src/app/coatcheck.ts'
import { memoryStore, type StoreFactory } from '../../src/stores/memory/memory-store.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { providerMetadata } from '../support/provider-metadata.ts'
import { Browser } from '../support/test-app.ts'

const BASE_URL = new URL('http://localhost:3000')
const USER = 'ada'

/** A memory store whose provider gate cannot be asked. */
function storeWithoutGate(): StoreFactory {
  const store = memoryStore({ name: randomBytes(8).toString('hex') })
  const away = (): Promise<never> => Promise.reject(new Error('away'))
  return {
    ...store,
    open: (context) => ({ ...store.open(context), providerGate: { enter: away, failed: away, worked: away } }),
  }
}

/** A provider that answers each token request with 429. */
async function throttlingProvider(): Promise<{ issuer: string; tokenRequests: () => number }> {
  let tokenRequests = 0
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    if (request.url === '/token') {
      tokenRequests++
      response.writeHead(429, { 'retry-after': '60' }).end('{}')
      return
    }
    const { port } = server.address() as AddressInfo
    response.end(JSON.stringify(providerMetadata(`http://127.0.0.1:${port}`)))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tokenRequests: () => tokenRequests }
}

async function opened(): Promise<{ auth: Coatcheck<Record<string, unknown>>; tokenRequests: () => number }> {
  const { issuer, tokenRequests } = await throttlingProvider()
  const auth = coatcheck({
    store: storeWithoutGate(),
    keys: randomBytes(32).toString('base64'),
    baseUrl: BASE_URL.origin,
    providers: [oidc({ name: 'p', issuer, clientId: 'app', clientSecret: 'secret' })],
  })
  onTestFinished(() => auth.close())
  const signedIn = { accessToken: 'a', refreshToken: 'r', expiresAt: Date.now() + 1 }
  await auth.tokens.setUserTokens(USER, signedIn)
  return { auth, tokenRequests }
}

const refresh = (auth: Coatcheck<Record<string, unknown>>): Promise<unknown> => auth.tokens.getAccessToken(USER)
const signIn = async (auth: Coatcheck<Record<string, unknown>>): Promise<number> => {
  const browser = new Browser({ config: { baseUrl: BASE_URL }, routes: (...args) => auth.handler(...args) })
  const { searchParams } = new URL((await browser.request('/auth/login')).headers.get('location') ?? '')
  const answer = new URLSearchParams({ state: searchParams.get('state') ?? '', code: 'code' })
  return (await browser.request(`/auth/callback?${answer.toString()}`)).status
}
const UNAVAILABLE = { code: 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE' }

test('a 429 that a sign-in meets keeps refreshes from the provider, while the store is away', async () => {
  const { auth, tokenRequests } = await opened()
  expect(await signIn(auth)).toBe(503)
  await expect(refresh(auth)).rejects.toMatchObject(UNAVAILABLE)
  expect(tokenRequests()).toBe(1)
})

test('a 429 that a refresh meets keeps sign-ins from the provider, while the store is away', async () => {
  const { auth, tokenRequests } = await opened()
  await expect(refresh(auth)).rejects.toMatchObject(UNAVAILABLE)
  expect(await signIn(auth)).toBe(503)
  expect(tokenRequests()).toBe(1)
})
