/**
 * Cookie bridges with the cookies of the real packages: what each bridge accepts, what it refuses, and that an old session becomes one
 * session of ours and no second one.
 */
import { randomBytes } from 'node:crypto'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { leaveUncounted } from '../../src/app/drop-in-origin.ts'
import { setCookiesOf } from '../../src/http/cookie.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import type { CookieBridge } from '../../src/migrate/cookie-bridge.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { Visit } from '../../src/session/types.ts'
import { isLab } from '../lab/report.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { cartOf, cookieHeader, OLD_LIFE_MS, OLD_SECRET, type OldApp, pairsOf } from './old-apps.ts'
import { makers } from './old-origins.ts'

type Auth = Coatcheck<Record<string, unknown>>
type Client = ReturnType<typeof createClient>

const OURS = '__Host-coatcheck'
const FORGED = isLab ? 100_000 : 2000
let redis: RedisServer
/** The servers of the old applications and of ours are two, so that commands to each can be counted. */
let oldRedis: RedisServer
let client: Client
let auth: Auth

beforeAll(async () => {
  vi.stubEnv('COATCHECK_LOG', 'silent')
  ;[redis, oldRedis] = await Promise.all([startRedisServer(), startRedisServer()])
  client = createClient({ url: oldRedis.url })
  await client.connect()
})
// An instance for each test: it ends an old session once more 5 s after a sign-out, and that must not count as a command of a later test.
beforeEach(async () => {
  auth = coatcheck({
    baseUrl: 'https://app.example',
    keys: randomBytes(32).toString('base64'),
    store: redisStore({ url: redis.url }),
    signIn: { carry: ['theme'] },
  })
  // A timer reports the counts of old sessions to the store (`adoption-counts.test.ts`). Here only commands of requests count.
  leaveUncounted(auth.events)
  await auth.ready()
})
afterEach(() => auth.close())
afterAll(async () => {
  await client.close()
  await Promise.all([redis.stop(), oldRedis.stop()])
  vi.unstubAllEnvs()
})

/** One request to our application, and the cookies of the browser afterwards. */
async function visit(cookie: string, adopt: CookieBridge, headers: Record<string, string> = {}) {
  const sink = createHeadersSink()
  const exchange = auth.http.requestSession({ cookieHeader: cookie, sink, adopt, header: (name) => headers[name] })
  const found = await exchange.getVisit()
  return {
    ...told(found),
    visit: found,
    lines: () => setCookiesOf(sink),
    cookie: () => cookieHeader(setCookiesOf(sink), cookie),
  }
}

function told({ session }: Visit<Record<string, unknown>>) {
  return { id: session.id, user: session.user, data: session.data, expiresAtMs: session.expiresAtMs ?? 0 }
}

async function commandsTo(server: RedisServer, run: () => Promise<unknown>): Promise<string[]> {
  await server.cli('config', 'resetstat')
  await run()
  // TIME is the client's own: it compares the clocks now and then.
  const own = new Set(['config|resetstat', 'info', 'ping', 'time', 'client|setinfo', 'hello'])
  const lines = (await server.cli('info', 'commandstats')).matchAll(/cmdstat_([^:]+):calls=/g)
  return [...lines].map(([, name = '']) => name).filter((name) => !own.has(name))
}

/** The header without our own cookie: what a browser sends that lost the response, or an attacker who copied the old cookie. */
const withoutOurs = (cookie: string): string =>
  pairsOf(cookie)
    .filter(([name]) => name !== OURS)
    .map(([name, value]) => `${name}=${value}`)
    .join('; ')

describe.each(makers)('%s', (_name, make) => {
  let app: OldApp
  let users = 0
  const someone = (): string => `Ada${++users}`

  beforeAll(async () => {
    app = await make(client)
  })
  afterAll(() => app.close?.())
  beforeEach(async () => {
    await redis.cli('flushall')
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('adopts the session of a real cookie, with its user, its data and its remaining life', async () => {
    const userId = someone()
    const cookie = await app.signIn(userId)
    expect((await app.ask(cookie)).userId).toBe(userId)
    const began = Date.now()
    const first = await visit(cookie, app.bridge())
    expect(first.user).toEqual({ id: userId })
    expect(first.data).toEqual({ cart: cartOf(userId) })
    expect(first.expiresAtMs).toBeLessThanOrEqual(Date.now() + OLD_LIFE_MS)
    expect(first.expiresAtMs).toBeGreaterThan(began + OLD_LIFE_MS - 60_000)
    expect(first.lines().filter((line) => line.startsWith(`${OURS}=`))).toHaveLength(1)
    // The old application still has its session, so that it can come back.
    expect((await app.ask(withoutOurs(first.cookie()))).userId).toBe(userId)
  })

  it('with our cookie, the bridge costs nothing: one read of our session, none of the old one', async () => {
    const { cookie, id } = await visit(await app.signIn(someone()), app.bridge())
    const adopt = app.bridge()
    let seen: string | null = null
    const old = await commandsTo(oldRedis, async () => {
      const ours = await commandsTo(redis, async () => (seen = (await visit(cookie(), adopt)).id))
      expect(ours).toEqual(['mget'])
    })
    expect(old).toEqual([])
    expect(seen).toBe(id)
  })

  it('20 requests at once, and later ones without our cookie, get the same session; user() runs once', async () => {
    const onUser = vi.fn()
    const adopt = app.bridge({ onUser })
    const cookie = await app.signIn(someone())
    const visits = await Promise.all(Array.from({ length: 20 }, () => visit(cookie, adopt)))
    const later = await visit(cookie, adopt)
    expect(new Set([...visits, later].map(({ id }) => id)).size).toBe(1)
    expect(later.id).not.toBeNull()
    expect(onUser).toHaveBeenCalledTimes(1)
    expect(await auth.sessions.listByUser(later.user?.id ?? '')).toHaveLength(1)
  })

  it('two processes at once adopt one session', async () => {
    const cookie = await app.signIn(someone())
    // Each bridge object is attached by itself, as in two processes.
    const visits = await Promise.all(Array.from({ length: 8 }, () => visit(cookie, app.bridge())))
    expect(new Set(visits.map(({ id }) => id)).size).toBe(1)
    expect(await auth.sessions.listByUser(visits[0]?.user?.id ?? '')).toHaveLength(1)
  })

  it('after a sign-out of ours the old session has ended, its cookie is removed, and a replay gets no session and writes nothing', async () => {
    const cookie = await app.signIn(someone())
    const adopt = app.bridge()
    const first = await visit(cookie, adopt)
    const second = await visit(first.cookie(), adopt)
    await second.visit.signOut()
    expect(second.cookie()).toBe('')
    if (app.isStored) expect((await app.ask(cookie)).userId).toBeNull()
    for (const replayed of [cookie, first.cookie()]) {
      const before = await redis.cli('debug', 'digest')
      expect((await visit(replayed, adopt)).user).toBeNull()
      expect((await visit(replayed, app.bridge())).user).toBeNull()
      expect(await redis.cli('debug', 'digest')).toBe(before)
    }
  })

  it('a session that was ended from elsewhere is not adopted again', async () => {
    const cookie = await app.signIn(someone())
    const { id, user } = await visit(cookie, app.bridge())
    await auth.sessions.revoke(id ?? '')
    expect((await visit(cookie, app.bridge())).user).toBeNull()
    expect(await auth.sessions.listByUser(user?.id ?? '')).toEqual([])
  })

  it('move ends the old session and removes its cookie; a replay of the old cookie gets the session that it became', async () => {
    const cookie = await app.signIn(someone())
    const adopt = app.bridge({ mode: 'move' })
    const first = await visit(cookie, adopt)
    expect(first.user).not.toBeNull()
    expect(pairsOf(first.cookie()).map(([name]) => name)).toEqual([OURS])
    if (app.isStored) expect((await app.ask(cookie)).userId).toBeNull()
    expect((await visit(cookie, adopt)).id).toBe(first.id)
    await (await visit(first.cookie(), adopt)).visit.signOut()
    expect((await visit(cookie, adopt)).user).toBeNull()
  })

  it('cookies with a wrong secret, cut, changed or twice in the header get no session and cost no command', async () => {
    const cookie = await app.signIn(someone())
    const otherSecret = app.bridge({ secret: 'another secret, also of 32 characters or more' })
    const adopt = app.bridge()
    if (app.isVerifiable) {
      const commands = await commandsTo(oldRedis, async () => {
        const ours = await commandsTo(redis, async () => {
          expect((await visit(cookie, otherSecret)).user).toBeNull()
          for (const broken of spoiled(cookie)) expect((await visit(broken, adopt)).user).toBeNull()
        })
        expect(ours).toEqual([])
      })
      expect(commands).toEqual([])
    }
    for (const twice of [`${cookie}; ${cookie}`, `${cookie}; ${cookie.replace(/=.*/, '=x')}`]) {
      const ours = await commandsTo(redis, async () => expect((await visit(twice, adopt)).user).toBeNull())
      expect(ours).toEqual([])
    }
    expect(await redis.cli('dbsize')).toBe('0')
    // The cookie itself is fine.
    expect((await visit(cookie, adopt)).user).not.toBeNull()
  })

  it('an expired cookie gets no session and writes nothing', async () => {
    const cookie = await app.signIn(someone())
    // Requests extend the TTL of these keys and leave the end inside the values. So the key decides, and Redis has removed it by then.
    if (_name === 'express-session with connect-redis') await client.flushAll()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + OLD_LIFE_MS + 60_000 })
    expect((await visit(cookie, app.bridge())).user).toBeNull()
    vi.useRealTimers()
    expect(await redis.cli('dbsize')).toBe('0')
  })

  it.runIf(isRotatable(_name))('takes a cookie of an earlier secret while the list has it', async () => {
    const cookie = await app.signIn(someone())
    const rotated = app.bridge({ secret: ['the new secret, also of 32 characters or more', OLD_SECRET] })
    expect((await visit(cookie, rotated)).user).not.toBeNull()
  })

  it.runIf(isChunked(_name))('joins a cookie that was split, and removes each part', async () => {
    const userId = someone()
    const cookie = await app.signIn(userId, 6)
    expect(pairsOf(cookie).length).toBeGreaterThan(1)
    const moved = await visit(cookie, app.bridge({ mode: 'move' }))
    expect(moved.user).toEqual({ id: userId })
    expect(pairsOf(moved.cookie()).map(([name]) => name)).toEqual([OURS])
    const missing = pairsOf(await app.signIn(someone(), 6)).slice(0, -1)
    const cut = missing.map(([name, value]) => `${name}=${value}`).join('; ')
    expect((await visit(cut, app.bridge())).user).toBeNull()
  })

  it(`${FORGED.toLocaleString('en')} forged cookies cost no command and leave nothing`, async () => {
    if (!app.isVerifiable) return expectBoundedReads()
    const adopt = app.bridge()
    const cookie = await app.signIn(someone())
    const commands = await commandsTo(oldRedis, async () => {
      const ours = await commandsTo(redis, async () => {
        for (let i = 0; i < FORGED; i++) expect((await visit(forged(cookie, i), adopt)).user).toBeNull()
      })
      expect(ours).toEqual([])
    })
    expect(commands).toEqual([])
    expect(await redis.cli('dbsize')).toBe('0')
  })

  /** Tokens without a signature: only reads, no writes. */
  async function expectBoundedReads(): Promise<void> {
    const adopt = app.bridge()
    const ours = await commandsTo(redis, async () => {
      for (let i = 0; i < 100; i++) {
        expect((await visit(`authjs.session-token=${crypto.randomUUID()}`, adopt)).user).toBeNull()
      }
    })
    expect(ours).toEqual(['get'])
    expect(await redis.cli('dbsize')).toBe('0')
    // Names of other keys of the adapter are no tokens.
    const commands = await commandsTo(redis, async () => {
      for (const token of ['by-user-id:1', 'x', '../../user:1', 'a'.repeat(300)]) {
        expect((await visit(`authjs.session-token=${encodeURIComponent(token)}`, adopt)).user).toBeNull()
      }
    })
    expect(commands).toEqual([])
  }
})

function isRotatable(name: string): boolean {
  return name !== 'Auth.js 5 with the adapter for Redis'
}

function isChunked(name: string): boolean {
  return ['Auth.js 5 with JWTs', 'next-auth 4 with JWTs', 'nextjs-auth0 4', 'nextjs-auth0 3'].includes(name)
}

/** Changes of every kind: a character in each part, each part missing, the end cut off. */
function* spoiled(cookie: string): Generator<string> {
  const [first, ...rest] = pairsOf(cookie)
  const [name, text] = first ?? ['', '']
  const others = rest.map(([one, value]) => `; ${one}=${value}`).join('')
  const value = decodeURIComponent(text)
  const put = (changed: string): string => `${name}=${encodeURIComponent(changed)}${others}`
  for (let at = 0; at < value.length; at += Math.max(1, Math.floor(value.length / 24))) {
    // Within the alphabet of base64url, so that more than the alphabet is checked. The last character of a part may hold unused bits.
    const other = value[at] === 'A' ? 'B' : 'A'
    if (/[\w-]/.test(value[at + 1] ?? '')) yield put(value.slice(0, at) + other + value.slice(at + 1))
    yield put(value.slice(0, at))
  }
  yield put(value.split('.').slice(0, -1).join('.'))
  yield put(`${value}A`)
  yield put(`s:${value}`)
  yield `${name}=%${others}`
  yield `${name}=${others}`
}

/** The shape of the cookie with a signature, a tag or an id of its own. */
function forged(cookie: string, seed: number): string {
  const [name, text] = pairsOf(cookie)[0] ?? ['', '']
  const value = decodeURIComponent(text)
  const junk = randomBytes(48).toString('base64url')
  switch (seed % 4) {
    case 0:
      return `${name}=${encodeURIComponent(value.slice(0, -20) + junk.slice(0, 20))}`
    case 1:
      return `${name}=${encodeURIComponent(junk.slice(0, 12) + value.slice(12))}`
    case 2:
      return `${name}=${encodeURIComponent(value.replace(/[\w-]{8}/g, () => randomBytes(6).toString('base64url')))}`
    default:
      return `${name}=${junk}`
  }
}
