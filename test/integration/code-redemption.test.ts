/** Code redemption and the provider gate: outages and pauses count for all processes, a refused code counts for none. */
import { beforeEach, expect, test } from 'vitest'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { hostileProvider, type HostileProvider, json, type Victim, victimOf } from '../support/hostile-provider.ts'
import type { Browser } from '../support/test-app.ts'

const REFUSED = (): Response => json({ error: 'invalid_grant' }, { status: 400 })
const isRedemption = (request: URLSearchParams): boolean => request.get('grant_type') === 'authorization_code'

let provider: HostileProvider
let victim: Victim
let clock: ReturnType<typeof createFakeClock>

beforeEach(async () => {
  clock = createFakeClock(Date.now())
  provider = await hostileProvider()
  victim = victimOf(provider, { clock })
})

/** Starts a sign-in. @returns the address that the provider sends the browser back to */
const started = async (browser: Browser): Promise<string> => {
  const { searchParams } = new URL((await browser.request('/auth/login')).headers.get('location') ?? '')
  const code = `code.${searchParams.get('nonce') ?? ''}`
  return `/auth/callback?${new URLSearchParams({ state: searchParams.get('state') ?? '', code }).toString()}`
}

test('forged codes of visitors do not shut the gate, however many they send', async () => {
  const { answer } = provider.script
  provider.script.answer = REFUSED
  for (let i = 0; i < 20; i++) expect((await victim.signIn()).status).toBe(400)
  provider.script.answer = answer
  expect((await victim.signIn()).status).toBe(303)
  expect(provider.tokenRequests).toHaveLength(21)
})

test('codes of another sign-in, whose ID token has another nonce, do not shut the gate', async () => {
  const { idToken } = provider.script
  provider.script.idToken = (claims) => idToken({ ...claims, nonce: 'of another sign-in' })
  for (let i = 0; i < 10; i++) expect((await victim.signIn()).status).toBe(400)
  provider.script.idToken = idToken
  expect((await victim.signIn()).status).toBe(303)
})

test.each([200, 400, 403, 404, 413, 431])(
  'so do strangers with codes that a firewall before the provider refuses with a page of status %d',
  async (status) => {
    const { answer } = provider.script
    provider.script.answer = (honest) => ({ ...honest, expires_in: 0 })
    expect((await victim.signIn()).status).toBe(303)
    provider.script.answer = () =>
      new Response('<h1>Blocked</h1>', { status, headers: { 'content-type': 'text/html' } })
    for (let i = 0; i < 8; i++) expect((await victim.signIn()).status).toBe(503)
    provider.script.answer = answer
    expect((await victim.signIn()).status).toBe(303)
    expect(await victim.refresh()).toMatch(/^access-/)
  },
)

test.each([
  ['a NUL', 'a\0b'],
  ['a line break', 'a\r\nb'],
  ['a letter beyond ASCII', 'cöde'],
  ['8,193 characters', 'c'.repeat(8193)],
])('a code with %s never reaches the provider, and uses no sign-in up', async (_what, code) => {
  const browser = victim.newBrowser()
  const honest = await started(browser)
  const cookies = new Map([...browser.cookies].map(([origin, jar]) => [origin, new Map(jar)] as const))
  const junk = new URL(honest, 'https://any.example')
  junk.searchParams.set('code', code)
  expect((await browser.request(junk.pathname + junk.search)).status).toBe(400)
  expect(provider.tokenRequests).toHaveLength(0)
  for (const [origin, jar] of cookies) browser.cookies.set(origin, jar)
  expect((await browser.request(honest)).status).toBe(303)
})

test('a 429 pauses sign-ins and refreshes for Retry-After, and the same answer signs in afterwards', async () => {
  const { answer } = provider.script
  provider.script.answer = (honest) => ({ ...honest, expires_in: 0 })
  expect((await victim.signIn()).status).toBe(303)
  provider.script.answer = () => json({ error: 'slow_down' }, { status: 429, headers: { 'retry-after': '60' } })
  expect((await victim.signIn()).status).toBe(503)
  provider.script.answer = answer
  const before = provider.tokenRequests.length
  const browser = victim.newBrowser()
  const callback = await started(browser)
  const response = await browser.request(callback)
  expect([response.status, Number(response.headers.get('retry-after'))]).toEqual([503, expect.closeTo(60, -1)])
  await expect(victim.refresh()).rejects.toMatchObject({ code: 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE' })
  expect(provider.tokenRequests).toHaveLength(before)
  clock.advance(61_000)
  // The transaction was not used up.
  expect((await browser.request(callback)).status).toBe(303)
  expect(await victim.refresh()).toMatch(/^access-/)
})

test('a pause that the provider asks of a refresh holds for sign-ins too', async () => {
  const { answer } = provider.script
  provider.script.answer = (honest) => ({ ...honest, expires_in: 0 })
  expect((await victim.signIn()).status).toBe(303)
  provider.script.answer = () => json({}, { status: 503, headers: { 'retry-after': '30' } })
  await expect(victim.refresh()).rejects.toMatchObject({ code: 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE' })
  provider.script.answer = answer
  expect((await victim.signIn()).status).toBe(503)
  expect(provider.tokenRequests.filter(isRedemption)).toHaveLength(1)
})

/** Signs in, with an access token that no caller is served. @returns the honest answer of the token endpoint */
const signedInToRefresh = async (): Promise<typeof provider.script.answer> => {
  const { answer } = provider.script
  provider.script.answer = (honest) => ({ ...honest, expires_in: 0 })
  expect((await victim.signIn()).status).toBe(303)
  return answer
}
const REFRESH_UNAVAILABLE = { code: 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE' }

test('a provider that answers codes with 500 has its sign-ins paused, and its refreshes go on', async () => {
  const answer = await signedInToRefresh()
  provider.script.answer = (honest, request) => (isRedemption(request) ? json({}, { status: 500 }) : honest)
  for (let i = 0; i < 20; i++) expect((await victim.signIn()).status).toBe(503)
  expect(provider.tokenRequests.filter(isRedemption)).toHaveLength(1 + 5)
  expect(await victim.refresh()).toMatch(/^access-/)
  provider.script.answer = answer
  clock.advance(2000)
  expect((await victim.signIn()).status).toBe(303)
})

test('an outage that refreshes meet pauses sign-ins, and a junk code does not prolong it', async () => {
  const answer = await signedInToRefresh()
  provider.script.answer = () => json({}, { status: 500 })
  for (let i = 0; i < 5; i++) {
    await expect(victim.refresh()).rejects.toMatchObject(REFRESH_UNAVAILABLE)
    clock.advance(i < 4 ? 6000 : 0)
  }
  expect((await victim.signIn()).status).toBe(503)
  expect(provider.tokenRequests.filter(isRedemption)).toHaveLength(1)
  clock.advance(6000)
  expect((await victim.signIn()).status).toBe(503)
  expect(provider.tokenRequests.filter(isRedemption)).toHaveLength(2)
  provider.script.answer = answer
  expect(await victim.refresh()).toMatch(/^access-/)
})

test('after the provider has refused the client five times, visitors cause no further requests', async () => {
  provider.script.answer = () => json({ error: 'invalid_client' }, { status: 401 })
  for (let i = 0; i < 20; i++) expect((await victim.signIn()).status).toBe(502)
  expect(provider.tokenRequests).toHaveLength(5)
})

test('at most ten codes are under way at one time; the others wait for a place', async () => {
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => (open = resolve))
  let underWay = 0
  let most = 0
  provider.script.answer = async (honest) => {
    most = Math.max(most, ++underWay)
    await gate
    underWay--
    return honest
  }
  const all = Array.from({ length: 40 }, () => victim.signIn())
  while (underWay < 10) await new Promise(setImmediate)
  for (let i = 0; i < 100; i++) await new Promise(setImmediate)
  expect(most).toBe(10)
  open()
  expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array(40).fill(303))
  expect(most).toBe(10)
})

test('after a pause, a callback that was used before takes no trial from other callbacks', async () => {
  const browser = victim.newBrowser()
  const used = await started(browser)
  const cookies = new Map([...browser.cookies].map(([origin, jar]) => [origin, new Map(jar)] as const))
  expect((await browser.request(used)).status).toBe(303)
  const { answer } = provider.script
  provider.script.answer = () => json({}, { status: 429, headers: { 'retry-after': '5' } })
  expect((await victim.signIn()).status).toBe(503)
  provider.script.answer = answer
  clock.advance(6000)
  for (const [origin, jar] of cookies) browser.cookies.set(origin, jar)
  expect((await browser.request(used)).status).toBe(400)
  expect((await victim.signIn()).status).toBe(303)
})
