/** From a session store written by hand to `coatcheck/nextjs-auth0` in a rolling deployment. */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { auth0Store } from '../../src/migrate.ts'
import { sessionDataStore } from '../../src/nextjs-auth0.ts'
import { redisStore } from '../../src/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { type AppProcess, rollingDeployment } from './rolling-deployment.ts'

const SECRET = randomBytes(32).toString('hex')
const keys = randomBytes(32).toString('base64')
const keyOf = (id: string): string => `sessions:${id}`
let redis: RedisServer

interface Cookies {
  toString(): string
}
interface StatefulStore {
  get(cookies: Cookies): Promise<{ note?: string } | null>
  set(request: Cookies, response: Cookies, session: object, isNew?: boolean): Promise<void>
  delete(request: Cookies, response: Cookies): Promise<void>
}

/** By name at run time only: their types bring Next's global ones, and those change what `process.env` is in all tests. */
const [nextName = '']: string[] = ['next/server.js']
const { NextRequest } = (await import(nextName)) as {
  NextRequest: new (url: string, init?: RequestInit) => { readonly cookies: Cookies }
}
const file = resolve('node_modules/@auth0/nextjs-auth0/dist/server/session/stateful-session-store.js')
const { StatefulSessionStore } = (await import(pathToFileURL(file).href)) as {
  StatefulSessionStore: new (options: object) => StatefulStore
}

beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(async () => {
  await redis.stop()
})

/** A visitor is the cookie header of a browser. */
type Visitor = { header: string }

function processOn(store: object, close: () => Promise<unknown>): AppProcess<Visitor> {
  const sdk = new StatefulSessionStore({ secret: SECRET, store })
  const cookiesOf = ({ header }: Visitor): Cookies =>
    new NextRequest('http://localhost:3000/', { headers: { cookie: header } }).cookies
  return {
    async signIn(name) {
      const cookies = cookiesOf({ header: '' })
      const session = {
        user: { sub: name },
        tokenSet: { accessToken: `at-${name}`, expiresAt: Math.floor(Date.now() / 1000) + 3600 },
        internal: { sid: `sid-${name}`, createdAt: Math.floor(Date.now() / 1000) },
        note: 'new',
      }
      await sdk.set(cookies, cookies, session, true)
      return { header: cookies.toString() }
    },
    noteOf: async (visitor) => (await sdk.get(cookiesOf(visitor)))?.note ?? null,
    async write(visitor, note) {
      const cookies = cookiesOf(visitor)
      const session = await sdk.get(cookies)
      if (!session) return false
      await sdk.set(cookies, cookies, { ...session, note })
      return true
    },
    signOut: async (visitor) => sdk.delete(cookiesOf(visitor), cookiesOf({ header: '' })),
    close: async () => {
      await close()
    },
  }
}

it('signs no visitor out, brings no session back and loses no write', { timeout: 120_000 }, async () => {
  let longestMs = 0
  await rollingDeployment<Visitor>({
    async startOld() {
      const client = createClient({ url: redis.url })
      await client.connect()
      const store = {
        async get(id: string): Promise<unknown> {
          const text = await client.get(keyOf(id))
          return text === null ? null : (JSON.parse(text) as unknown)
        },
        set: async (id: string, session: object) => {
          await client.set(keyOf(id), JSON.stringify(session), { EX: 7200 })
        },
        delete: async (id: string) => {
          await client.del(keyOf(id))
        },
      }
      return processOn(store, async () => client.close())
    },
    startNew(mode) {
      const migrateFrom = auth0Store({ mode, keyOf })
      const store = sessionDataStore({
        store: redisStore({ url: redis.url }),
        keys,
        migrateFrom,
        inactivityDuration: '2h',
      })
      return Promise.resolve(processOn(store, () => store.close()))
    },
    async oldKeys() {
      for (const name of (await redis.cli('--scan', '--pattern', 'host:nextjs-auth0:*')).split('\n')) {
        longestMs = Math.max(longestMs, Number(await redis.cli('pttl', name)))
      }
      return (await redis.cli('--scan', '--pattern', 'sessions:*')).split('\n').filter((name) => name !== '')
    },
  })
  expect(longestMs).toBeGreaterThan(0)
  expect(longestMs).toBeLessThanOrEqual(7_200_000)
})
