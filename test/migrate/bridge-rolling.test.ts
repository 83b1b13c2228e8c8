/**
 * A rolling deployment behind one host name, for each origin: 200 users who are signed in at the old application, old and new processes
 * side by side, a rollback in the middle, a second rollout, and the end of the old application.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/coatcheck.ts'
import { setCookiesOf } from '../../src/http/cookie.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import type { CookieBridge } from '../../src/migrate/cookie-bridge.ts'
import { redisStore } from '../../src/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { cookieHeader, type OldApp, pairsOf } from './old-apps.ts'
import { makers } from './old-origins.ts'

type Client = ReturnType<typeof createClient>

const USERS = 200
const AT_ONCE = 20
const REQUESTS = 4
const HANG_MS = 240_000

let redis: RedisServer
let client: Client
let auth: Coatcheck<Record<string, unknown>>

beforeAll(async () => {
  vi.stubEnv('COATCHECK_LOG', 'silent')
  redis = await startRedisServer()
  client = createClient({ url: redis.url })
  await client.connect()
  auth = coatcheck({
    baseUrl: 'https://app.example',
    keys: randomBytes(32).toString('base64'),
    store: redisStore({ url: redis.url }),
  })
  await auth.ready()
})
afterAll(async () => {
  await Promise.all([auth.close(), client.close()])
  await redis.stop()
  vi.unstubAllEnvs()
})

interface Browser {
  readonly userId: string
  cookie: string
}

/** Whom a process of the new application sees. */
async function askNew(browser: Browser, adopt: CookieBridge): Promise<string | null> {
  const sink = createHeadersSink()
  const session = await auth.http.exchange({ cookieHeader: browser.cookie, sink, adopt }).getSession()
  // One response in ten is lost on its way.
  if (randomInt(10) > 0) browser.cookie = cookieHeader(setCookiesOf(sink), browser.cookie)
  return session.user?.id ?? null
}

async function askOld(browser: Browser, app: OldApp): Promise<string | null> {
  const { userId, lines } = await app.ask(browser.cookie)
  browser.cookie = cookieHeader(lines, browser.cookie)
  return userId
}

async function forAll<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const worker = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await run(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

describe.each(makers)('%s', (_name, make) => {
  let app: OldApp

  beforeAll(async () => {
    app = await make(client)
  })
  afterAll(() => app.close?.())

  it(
    `signs none of ${USERS} users out, and brings none back after a sign-out`,
    async () => {
      await redis.cli('flushall')
      const processes = [app.bridge(), app.bridge()]
      const browsers: Browser[] = []
      await forAll(
        Array.from({ length: USERS }, (_, i) => `User${i}x${randomBytes(4).toString('hex')}`),
        async (userId) => void browsers.push({ userId, cookie: await app.signIn(userId) }),
      )
      const signedOut: string[] = []
      const mixed = async (browser: Browser): Promise<void> => {
        for (let i = 0; i < REQUESTS; i++) {
          const bridge = processes[randomInt(processes.length + 1)]
          const seen = bridge ? await askNew(browser, bridge) : await askOld(browser, app)
          if (seen !== browser.userId) signedOut.push(`${browser.userId}: ${String(seen)} at ${bridge ? 'new' : 'old'}`)
        }
      }
      await forAll(browsers, mixed)
      // Rollback: only old processes.
      await forAll(browsers, async (browser) => {
        if ((await askOld(browser, app)) !== browser.userId) signedOut.push(`${browser.userId}: rollback`)
      })
      await forAll(browsers, mixed)
      expect(signedOut).toEqual([])

      // Every fourth user signs out at the new application. Copies of the last cookies are no way back.
      const leaving = browsers.filter((_, i) => i % 4 === 0)
      const copies = leaving.map(({ userId, cookie }) => ({ userId, cookie }))
      await forAll(leaving, async (browser) => {
        const sink = createHeadersSink()
        const exchange = auth.http.exchange({ cookieHeader: browser.cookie, sink, adopt: processes[0] })
        await (await exchange.getVisit()).signOut()
        browser.cookie = cookieHeader(setCookiesOf(sink), browser.cookie)
      })
      const revived: string[] = []
      await forAll([...leaving, ...copies], async (browser) => {
        if ((await askNew(browser, app.bridge())) !== null) revived.push(`${browser.userId} at new`)
        if (app.isStored && (await app.ask(browser.cookie)).userId !== null) revived.push(`${browser.userId} at old`)
      })
      expect(revived).toEqual([])

      // The last rollout: no old process is left.
      const moving = app.bridge({ mode: 'move' })
      const staying = browsers.filter((_, i) => i % 4 !== 0)
      for (let i = 0; i < 3; i++) {
        await forAll(staying, async (browser) => {
          const seen = await askNew(browser, moving)
          if (seen !== browser.userId) signedOut.push(`${browser.userId}: ${String(seen)} at the end`)
        })
      }
      expect(signedOut).toEqual([])
      for (const { cookie } of staying) expect(pairsOf(cookie).some(([name]) => name === '__Host-coatcheck')).toBe(true)
      let sessions = 0
      for (const { userId } of browsers) sessions += (await auth.sessions.listByUser(userId)).length
      // Auth.js issues another JWT at each of its requests, with nothing in it that says which session it is of. If our cookie got lost in
      // between, the next JWT starts another session of ours.
      const areRenewed = app.origin === 'authjs-jwt'
      expect(sessions - staying.length).toBeGreaterThanOrEqual(0)
      expect(sessions - staying.length).toBeLessThanOrEqual(areRenewed ? USERS / 4 : 0)
    },
    HANG_MS,
  )
})
