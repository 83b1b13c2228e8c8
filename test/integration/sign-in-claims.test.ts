/**
 * The callback on a real Redis: several instances that share it, a key that is being changed, a server that hangs. What is
 * remembered of a sign-in afterwards, and for how long.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { namesEntryOf } from '../../src/keyring/keyring.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { HANG_MS, PATIENT } from '../lab/limits.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { Browser } from '../support/test-app.ts'

const BASE_URL = 'http://localhost:3000'
const MINUTE_MS = 60_000
const key = randomBytes(32).toString('base64')
const [old, next, names] = [`old:${key}`, `next:${randomBytes(32).toString('base64')}`, namesEntryOf(`old:${key}`)]

let server: RedisServer
let idp: DevProvider
type Auth = ReturnType<typeof coatcheck>
const started: Auth[] = []

beforeAll(async () => {
  vi.stubEnv('COATCHECK_LOG', 'silent')
  ;[server, idp] = await Promise.all([
    startRedisServer(),
    startDevProvider({ redirectUris: [`${BASE_URL}/auth/callback`] }),
  ])
})
beforeEach(() => server.cli('flushall'))
afterEach(async () => {
  server.resume()
  await Promise.all(started.splice(0).map((auth) => auth.close()))
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await Promise.all([idp.close(), server.stop()])
})

/** An instance with these keys. Options that differ give each a connection of its own. */
async function instance(keys = old, writeTimeoutMs = PATIENT.writeTimeoutMs + started.length): Promise<Auth> {
  const { issuer, clientId, clientSecret } = idp
  const auth = coatcheck({
    baseUrl: BASE_URL,
    keys,
    store: redisStore({ url: server.url, ...PATIENT, writeTimeoutMs }),
    providers: [oidc({ name: 'dev', issuer, clientId, clientSecret })],
  })
  started.push(auth)
  await auth.ready()
  return auth
}
function browserOf({ handler }: Auth): Browser {
  return new Browser({ config: { baseUrl: new URL(BASE_URL) }, routes: (request) => handler(request) })
}
function at({ handler }: Auth, answer: URL, browser: Browser): Promise<Response> {
  return handler(new Request(answer, { headers: { cookie: browser.cookieHeader(BASE_URL), accept: 'text/html' } }))
}

it('is answered once by instances that seal with different keys, and begun on one of them', async () => {
  const [behind, ahead] = [await instance([old, next, names].join()), await instance([next, old, names].join())]
  const browser = browserOf(behind)
  const answer = await browser.authorize()
  expect(await server.cli('--scan')).toBe('')
  const asked = idp.counters.count('token')
  const answers = await Promise.all([at(ahead, answer, browser), at(behind, answer, browser)])
  expect(answers.map(({ status }) => status).sort()).toEqual([303, 400])
  const [refused] = answers.filter(({ status }) => status === 400)
  expect(await refused?.text()).toContain('This sign-in is no longer valid')
  expect(idp.counters.count('token')).toBe(asked + 1)
})

it('is remembered until it has expired, with the key that sealed it and nothing else', async () => {
  const auth = await instance()
  expect((await browserOf(auth).signIn()).status).toBe(303)
  const [name = '', ...more] = (await server.cli('--scan', '--pattern', 'signin:*')).split('\n')
  expect(more).toEqual([])
  expect(await server.cli('strlen', name)).toBe('5')
  const lifeMs = Number(await server.cli('pttl', name))
  expect(lifeMs).toBeGreaterThan(14 * MINUTE_MS)
  expect(lifeMs).toBeLessThanOrEqual(15 * MINUTE_MS)
})

it('loses nothing while Redis hangs: the same answer signs in when it is back', async () => {
  const auth = await instance(old, 300)
  const browser = browserOf(auth)
  server.pause()
  // The way to the provider needs no Redis.
  const answer = await browser.authorize()
  const asked = idp.counters.count('token')
  const refused = await browser.request(answer)
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(refused.headers.getSetCookie()).toEqual([])
  expect(await refused.text()).toContain('Try again')
  expect(idp.counters.count('token')).toBe(asked)
  server.resume()
  // The callback had several commands, whose timeouts have opened the circuit: it closes within a second.
  const isReady = (): Promise<boolean> =>
    auth.ready().then(
      () => true,
      () => false,
    )
  await vi.waitUntil(isReady, { timeout: HANG_MS, interval: 20 })
  expect((await browser.request(answer)).status).toBe(303)
})

it('is over when the code was sent and no answer came: the next attempt starts again', async () => {
  const auth = await instance()
  const browser = browserOf(auth)
  const answer = await browser.authorize()
  const code = answer.searchParams.get('code') ?? ''
  answer.searchParams.set('code', `${code}x`)
  expect((await browser.request(answer)).status).toBe(400)
  answer.searchParams.set('code', code)
  const again = await browser.request(answer)
  expect(again.status).toBe(400)
  expect(await again.text()).toContain('Start again')
})
