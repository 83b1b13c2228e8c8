/**
 * A visitor without a session leaves nothing in Redis, on any route. The requests come from the table of routes, so a new
 * route fails here until it has addresses to try. Redis itself says what it was asked: `INFO commandstats` and `DBSIZE`.
 */
import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { type DevProvider, startDevProvider } from '../../src/dev/dev-provider.ts'
import { ROUTES } from '../../src/http/routes.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { PATIENT } from '../lab/limits.ts'
import { isLab } from '../lab/report.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const REQUESTS = isLab ? 100_000 : 10_000
const AT_ONCE = 50
const BASE_URL = 'http://localhost:3000'
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const MAX_HEAP_GROWTH_BYTES = 16 * 1024 * 1024
const MAX_REDIS_GROWTH_BYTES = 256 * 1024
/** Five that are expired, and the cookie of the new sign-in. */
const MAX_SET_COOKIES = 6

/** Addresses to try for each route, by the source of its pattern. */
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  '^\\/login$': ['/login', '/login?returnTo=/x&login_hint=a@b.test', `/login?returnTo=/${'x'.repeat(3000)}`],
  '^\\/callback(?:\\/[^/]+)?$': [
    '/callback',
    '/callback?code=junk&state=STATE',
    '/callback?error=access_denied&state=STATE',
    '/callback?code=junk&state=STATE&coatcheck_relayed=1',
    '/callback/other?code=junk&state=STATE',
    `/callback?code=${'c'.repeat(2000)}&state=${'s'.repeat(256)}`,
  ],
  '^\\/logout$': ['/logout', '/logout?returnTo=/x'],
  '^\\/backchannel-logout(?:\\/[^/]+)?$': ['/backchannel-logout', '/backchannel-logout/dev'],
  '^\\/frontchannel-logout(?:\\/[^/]+)?$': ['/frontchannel-logout?sid=STATE', '/frontchannel-logout/dev?sid=STATE'],
  '^\\/session$': ['/session'],
  '^\\/devices$': ['/devices'],
  '^\\/devices\\/revoke-others$': ['/devices/revoke-others'],
  '^\\/devices\\/[^/]+$': ['/devices/AAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBB', '/devices/x'],
}

const keys = `k1:${randomBytes(32).toString('base64')}`
let server: RedisServer
let idp: DevProvider
let auth: ReturnType<typeof coatcheck>
let writeCommands: ReadonlySet<string>

beforeAll(async () => {
  vi.stubEnv('COATCHECK_LOG', 'silent')
  server = await startRedisServer()
  idp = await startDevProvider({ redirectUris: [`${BASE_URL}/auth/callback`] })
  const { issuer, clientId, clientSecret } = idp
  auth = coatcheck({
    baseUrl: BASE_URL,
    keys,
    store: redisStore({ url: server.url, ...PATIENT }),
    providers: [oidc({ name: 'dev', issuer, clientId, clientSecret })],
  })
  await auth.ready()
  writeCommands = new Set((await server.cli('command', 'list', 'filterby', 'aclcat', 'write')).split('\n'))
  expect(writeCommands.has('set')).toBe(true)
})
afterAll(async () => {
  await auth.close()
  await Promise.all([idp.close(), server.stop()])
  vi.unstubAllEnvs()
})
beforeEach(async () => {
  await server.cli('flushall')
  // Metadata of the provider and what the process keeps for good are there before anything is measured.
  await ask('GET', '/login')
  await server.cli('config', 'resetstat')
})

/** What was called since the last reset, without what this test itself asks. */
async function commands(): Promise<readonly string[]> {
  const own = new Set(['config|resetstat', 'info', 'dbsize', 'flushall', 'command|list', 'ping', 'client|setinfo'])
  const lines = (await server.cli('info', 'commandstats')).matchAll(/cmdstat_([^:]+):calls=/g)
  return [...lines].map(([, name = '']) => name).filter((name) => !own.has(name))
}
async function writes(): Promise<readonly string[]> {
  return (await commands()).filter((name) => writeCommands.has(name))
}
async function usedMemory(): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await server.cli('info', 'memory'))?.[1])
}

function ask(method: string, path: string, headers: Record<string, string> = {}, body?: BodyInit): Promise<Response> {
  const init: RequestInit = { method, headers: { 'sec-fetch-site': 'same-origin', ...headers } }
  return auth.handler(new Request(`${BASE_URL}/auth${path}`, { ...init, ...(body !== undefined && { body }) }))
}

const junk = (bytes: number): string => randomBytes(bytes).toString('base64url')

/** Cookies that a stranger may send: none, a forged ticket, forged sign-ins of both formats, a lot of them. */
const COOKIES: readonly (() => string)[] = [
  () => '',
  () => `coatcheck=${junk(73)}.${junk(5)}`,
  () => `coatcheck=${junk(74).slice(0, 98)}`,
  () => `coatcheck-signin-${junk(16)}=${junk(200)}`,
  () => `coatcheck-signin-${junk(16)}=mabcdefgh.${junk(16)}; coatcheck-signed-out=1`,
  () => Array.from({ length: 8 }, () => `coatcheck-signin-${junk(16)}=${junk(120)}`).join('; '),
]
const BODIES = ['', 'logout_token=a.b.c', 'code=junk&state=STATE', '_method=delete', '{}', 'logout_token=']

function* requests(count: number): Generator<() => Promise<Response>> {
  const paths = ROUTES.flatMap(({ path }) => ADDRESSES[path.source] ?? [])
  for (let i = 0; i < count; i++) {
    const state = junk(32)
    const path = (paths[i % paths.length] ?? '').replace('STATE', state)
    const method = METHODS[Math.floor(i / paths.length) % METHODS.length] ?? 'GET'
    const cookie = COOKIES[Math.floor(i / 7) % COOKIES.length]?.() ?? ''
    const hasBody = method !== 'GET' && method !== 'HEAD'
    const body = hasBody ? BODIES[i % BODIES.length]?.replace('STATE', state) : undefined
    const headers = {
      cookie,
      'sec-fetch-site': i % 11 === 0 ? 'cross-site' : 'same-origin',
      ...(hasBody && { 'content-type': 'application/x-www-form-urlencoded' }),
    }
    yield () => ask(method, path, headers, body)
  }
}

/** Statuses and how often; the most `Set-Cookie` lines of one answer. */
async function send(count: number): Promise<{ statuses: Map<number, number>; maxSetCookies: number }> {
  const all = requests(count)
  const statuses = new Map<number, number>()
  let maxSetCookies = 0
  const worker = async (): Promise<void> => {
    for (let next = all.next(); next.done !== true; next = all.next()) {
      const response = await next.value()
      await response.arrayBuffer()
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
      maxSetCookies = Math.max(maxSetCookies, response.headers.getSetCookie().length)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return { statuses, maxSetCookies }
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}

describe('a visitor without a session', () => {
  it('has an address to try for every route', () => {
    expect(Object.keys(ADDRESSES)).toEqual(ROUTES.map(({ path }) => path.source))
  })

  it(`leaves no key, no write command and no memory, in ${REQUESTS.toLocaleString('en')} requests`, async () => {
    // One script and the connection's buffers are in the server before it is measured.
    await send(1000)
    await server.cli('config', 'resetstat')
    const [heap, memory] = [heapAfterCollection(), await usedMemory()]
    const { statuses, maxSetCookies } = await send(REQUESTS)
    expect(await server.cli('dbsize')).toBe('0')
    expect(await writes()).toEqual([])
    // A sign-out clears the ticket and sets the memory of the sign-out.
    expect(maxSetCookies).toBeLessThanOrEqual(2)
    // The requests have come to handlers, and none of them has failed.
    for (const status of [200, 204, 303, 400, 401, 403, 404, 405]) expect([...statuses.keys()]).toContain(status)
    expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([])
    expect((await usedMemory()) - memory).toBeLessThan(MAX_REDIS_GROWTH_BYTES)
    expect(heapAfterCollection() - heap).toBeLessThan(MAX_HEAP_GROWTH_BYTES)
  })

  it('starts a sign-in without a command to Redis', async () => {
    const started = await ask('GET', '/login?returnTo=/x')
    expect(started.status).toBe(303)
    expect(started.headers.getSetCookie()).toHaveLength(1)
    expect(await commands()).toEqual([])
    expect(await server.cli('dbsize')).toBe('0')
  })

  it('with 60 forged sign-in cookies costs no command and expires none of them', async () => {
    const forged = Array.from({ length: 60 }, () => `coatcheck-signin-${junk(16)}=${junk(100)}`).join('; ')
    const started = await ask('GET', '/login', { cookie: forged })
    expect(started.headers.getSetCookie()).toHaveLength(1)
    expect(await commands()).toEqual([])
  })

  it('who replays 50 cookies of real sign-ins gets few Set-Cookie lines', async () => {
    const real: string[] = []
    for (let i = 0; i < 50; i++) real.push(cookieOf(await ask('GET', '/login')))
    const started = await ask('GET', '/login', { cookie: real.join('; ') })
    expect(started.headers.getSetCookie().length).toBeLessThanOrEqual(MAX_SET_COOKIES)
    expect(await commands()).toEqual([])
  })

  it.each([
    ['an error', 'error=access_denied'],
    ['another issuer', 'code=junk&iss=https://evil.test'],
    ['no code', ''],
    ['a JARM response', 'code=junk&response=a.b.c'],
    ['an ID token in front', 'code=junk&id_token=a.b.c'],
  ])('who comes back from a sign-in of theirs with %s costs no command', async (_, query) => {
    const { cookie, state } = await begin()
    const answer = await ask('GET', `/callback?${query}&state=${state}`, { cookie })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(await commands()).toEqual([])
  })

  it.each([
    ['random bytes', junk(200)],
    ['a value as an earlier version wrote it', `mabcdefgh.${junk(16)}`],
  ])('cannot use up a sign-in whose state is known, with %s', async (_, value) => {
    const { cookie, state } = await begin()
    const [name = ''] = cookie.split('=')
    const headers = { cookie: `${name}=${value}`, accept: 'text/html' }
    const forged = await ask('GET', `/callback?code=junk&state=${state}`, headers)
    expect(forged.status).toBe(400)
    expect(await forged.text()).toContain('COATCHECK_SIGNIN_EXPIRED')
    expect(forged.headers.getSetCookie()).toEqual([])
    expect(await commands()).toEqual([])
  })

  async function begin(): Promise<{ cookie: string; state: string }> {
    const started = await ask('GET', '/login')
    const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
    await server.cli('config', 'resetstat')
    return { cookie: cookieOf(started), state }
  }
})

function cookieOf(response: Response): string {
  return response.headers.getSetCookie().at(-1)?.split(';')[0] ?? ''
}
