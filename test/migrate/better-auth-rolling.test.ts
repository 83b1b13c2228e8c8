/** From a secondary storage written by hand to `coatcheck/better-auth` in a rolling deployment. */
import { randomBytes } from 'node:crypto'
import { betterAuth, type SecondaryStorage } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { secondaryStorage } from '../../src/better-auth.ts'
import { betterAuthStorage } from '../../src/migrate.ts'
import { redisStore } from '../../src/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { type AppProcess, rollingDeployment } from './rolling-deployment.ts'

const ORIGIN = 'http://localhost:3000'
const keys = randomBytes(32).toString('base64')
/** The application's database, which all processes share. */
const database = { user: [], account: [], session: [], verification: [] }
let redis: RedisServer

beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(async () => {
  await redis.stop()
})

/** A visitor is a cookie. */
type Visitor = { cookie: string }

function processOn(storage: SecondaryStorage, close: () => Promise<unknown>): AppProcess<Visitor> {
  const auth = betterAuth({
    baseURL: ORIGIN,
    secret: 'a secret of the test, long enough to be one',
    database: memoryAdapter(database),
    secondaryStorage: storage,
    user: { additionalFields: { note: { type: 'string', required: false } } },
    emailAndPassword: {
      enabled: true,
      password: { hash: async (text) => text, verify: async ({ hash, password }) => hash === password },
    },
    rateLimit: { enabled: false },
    logger: { disabled: true },
    telemetry: { enabled: false },
  })
  const send = async (visitor: Visitor, method: string, path: string, body?: object): Promise<Response> => {
    const headers = { origin: ORIGIN, cookie: visitor.cookie, ...(body && { 'content-type': 'application/json' }) }
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
    const response = await auth.handler(new Request(`${ORIGIN}/api/auth${path}`, init))
    // The cookie of a visitor who signs out stays here, as in the hands of a thief.
    const pairs = response.headers.getSetCookie().map((line) => line.split(';')[0] ?? '')
    const kept = pairs.filter((pair) => !pair.endsWith('='))
    if (kept.length > 0) visitor.cookie = kept.join('; ')
    return response
  }
  return {
    async signIn(name) {
      const visitor = { cookie: '' }
      const body = { email: `${name}@example.test`, password: 'a password of the test', name, note: 'new' }
      expect((await send(visitor, 'POST', '/sign-up/email', body)).status).toBe(200)
      return visitor
    },
    async noteOf(visitor) {
      const found = (await (await send(visitor, 'GET', '/get-session')).json()) as { user: { note: string } } | null
      if (found === null) return null
      expect(await (await send(visitor, 'GET', '/list-sessions')).json()).toHaveLength(1)
      return found.user.note
    },
    async write(visitor, note) {
      const { status } = await send(visitor, 'POST', '/update-user', { note })
      expect([200, 401]).toContain(status)
      return status === 200
    },
    signOut: async (visitor) => {
      await send(visitor, 'POST', '/sign-out')
    },
    close: async () => {
      await close()
    },
  }
}

it('signs no visitor out, brings no session back and loses no write', { timeout: 120_000 }, async () => {
  await rollingDeployment<Visitor>({
    async startOld() {
      const client = createClient({ url: redis.url })
      await client.connect()
      // As in the documentation of better-auth.
      const storage: SecondaryStorage = {
        get: (key) => client.get(key),
        set: async (key, value, ttl) => {
          await (ttl ? client.set(key, value, { EX: ttl }) : client.set(key, value))
        },
        delete: async (key) => {
          await client.del(key)
        },
        getAndDelete: (key) => client.getDel(key),
        increment: async (key, ttl) => {
          const count = await client.incr(key)
          if (count === 1) await client.expire(key, ttl)
          return count
        },
      }
      return processOn(storage, async () => client.close())
    },
    startNew(mode) {
      const migrateFrom = betterAuthStorage({ mode })
      const storage = secondaryStorage({ store: redisStore({ url: redis.url }), keys, migrateFrom })
      return Promise.resolve(processOn(storage, () => storage.close()))
    },
    async oldKeys() {
      const names = (await redis.cli('--scan')).split('\n')
      return names.filter((name) => /^[A-Za-z0-9]{32}$/.test(name))
    },
  })
})
