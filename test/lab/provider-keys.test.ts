/** The provider changes the keys that it signs with, or does not publish them for a while. F24 of docs/faults.md. */
import { exportJWK, generateKeyPair, type GenerateKeyPairResult, type JWTPayload, SignJWT } from 'jose'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ResolvedProvider } from '../../src/config/types.ts'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { Browser, createTestApp, type TestApp } from '../support/test-app.ts'
import { isLab, observed } from './report.ts'

/** Between two key ids of one key set, and for how long the last key set is used (`src/oidc/key-set.ts`). */
const A_MINUTE_MS = 61_000
const KEPT_MS = 300_000
const EACH = isLab ? 10 : 2

interface Key {
  readonly id: string
  readonly pair: GenerateKeyPairResult
}

let idp: DevProvider
/** What the provider signs with, what it publishes (`null`: nothing, 503), and how often it was asked. */
let signing: Key
let published: readonly Key[] | null
let asked = 0

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: true })
  idp = await startDevProvider({ redirectUris: ['http://localhost:3000/auth/callback'] })
  signing = await newKey('first')
  published = [signing]
  asked = 0
})
afterEach(async () => {
  await idp.close()
  vi.useRealTimers()
})

async function newKey(id: string): Promise<Key> {
  return { id, pair: await generateKeyPair('RS256', { extractable: true }) }
}

/** An application whose provider has the keys of above. */
function newApp(): TestApp {
  const between: typeof fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    if (url.includes('keys')) {
      asked++
      if (published === null) return new Response('', { status: 503 })
      const keys = published.map(async ({ id, pair }) => ({
        ...(await exportJWK(pair.publicKey)),
        kid: id,
        use: 'sig',
        alg: 'RS256',
      }))
      return Response.json({ keys: await Promise.all(keys) })
    }
    const response = await fetch(input, init)
    if (!url.endsWith('/token')) return response
    const body = (await response.json()) as { id_token: string }
    const [, payload = ''] = body.id_token.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JWTPayload
    const idToken = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: signing.id })
      .sign(signing.pair.privateKey)
    return Response.json({ ...body, id_token: idToken })
  }
  const provider: ResolvedProvider = {
    ...{
      name: 'idp',
      preset: 'oidc',
      issuer: idp.issuer,
      discoveryUrl: `${idp.issuer}/.well-known/openid-configuration`,
    },
    ...{ clientId: idp.clientId, credential: { kind: 'secret', secret: idp.clientSecret } },
    ...{
      scopes: ['openid', 'profile', 'email'],
      allowedTenants: [],
      responseMode: 'query',
      allowInsecureHttp: true,
      settings: { authority: 'issuer', clientId: 'clientId', credential: 'clientSecret' },
    },
  }
  // The faked date moves both times.
  const clock = { now: () => Date.now(), monotonic: () => Date.now() }
  return createTestApp({ providers: [provider], fetch: between, clock })
}

const signInAt = async (app: TestApp, times: number): Promise<number[]> => {
  const statuses: number[] = []
  for (let i = 0; i < times; i++) statuses.push((await new Browser(app).signIn()).status)
  return statuses
}
const all = (times: number): number[] => Array<number>(times).fill(303)

test('keys change: whoever signs in during and after the change does, and the keys are not fetched for each', async () => {
  const app = newApp()
  expect(await signInAt(app, EACH)).toEqual(all(EACH))
  const first = signing
  const second = await newKey('second')
  // As providers do it: published, used a while later, and the old one goes still later.
  published = [first, second]
  vi.advanceTimersByTime(A_MINUTE_MS)
  signing = second
  expect(await signInAt(app, EACH)).toEqual(all(EACH))
  published = [second]
  vi.advanceTimersByTime(KEPT_MS)
  expect(await signInAt(app, EACH)).toEqual(all(EACH))
  // Without notice and without overlap.
  signing = await newKey('third')
  published = [signing]
  expect(await signInAt(app, EACH)).toEqual(all(EACH))
  expect(asked).toBeLessThanOrEqual(4)
  observed('F24.rotation', `${4 * EACH} of ${4 * EACH} sign-ins over three changes, ${asked} requests for the key set`)
})

test('keys are not published for a while: the last ones are used for as long as they are kept, and then it is an outage', async () => {
  const app = newApp()
  expect(await signInAt(app, 2)).toEqual(all(2))
  published = null
  vi.advanceTimersByTime(KEPT_MS - 30_000)
  expect(await signInAt(app, EACH)).toEqual(all(EACH))
  vi.advanceTimersByTime(60_000)
  const [status] = await signInAt(app, 1)
  expect(status).toBe(503)
  published = [signing]
  expect(await signInAt(app, EACH)).toEqual(all(EACH))
  observed(
    'F24.away',
    `0 of ${2 + 2 * EACH} sign-ins failed within ${KEPT_MS / 60_000} minutes or after its return; in between 503`,
  )
})
