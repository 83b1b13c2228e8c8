/** From @auth/upstash-redis-adapter to `coatcheck/authjs` in a rolling deployment. */
import { randomBytes, randomUUID } from 'node:crypto'
import { UpstashRedisAdapter } from '@auth/upstash-redis-adapter'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CoatcheckAdapter } from '../../src/authjs.ts'
import { upstashAdapter } from '../../src/migrate.ts'
import { redisStore } from '../../src/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { type AppProcess, rollingDeployment } from './rolling-deployment.ts'

const DAY = 86_400_000
const keys = randomBytes(32).toString('base64')
const prefixes = { baseKeyPrefix: 'nextauth:' }
let redis: RedisServer

beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(async () => {
  await redis.stop()
})

/** The commands of Upstash' client that the adapter uses, on the client of this package: what copies of the adapter do. */
async function openOldAdapter(url: string) {
  const client = createClient({ url })
  await client.connect()
  const upstash = {
    set: (key: string, value: string) => client.set(key, value),
    async get(key: string): Promise<unknown> {
      const text = await client.get(key)
      if (text === null) return null
      try {
        return JSON.parse(text) as unknown
      } catch {
        return text
      }
    },
    del: (...names: (string | null)[]) => client.del(names.filter((name) => name !== null)),
  }
  const adapter = UpstashRedisAdapter(upstash as never, prefixes) as unknown as CoatcheckAdapter
  return { adapter, close: async () => client.close() }
}

/** An Auth.js application uses its adapter like this: users with accounts at the first sign-in, a session for each sign-in. */
function processOn(adapter: CoatcheckAdapter, close: () => Promise<unknown>): AppProcess<string> {
  return {
    async signIn(name) {
      const email = `${name}@example.test`
      const user = await adapter.createUser({ email, emailVerified: null, name, note: 'new' })
      await adapter.linkAccount({ userId: user.id, type: 'oidc', provider: 'idp', providerAccountId: name })
      const { sessionToken } = await adapter.createSession({
        sessionToken: randomUUID(),
        userId: user.id,
        expires: new Date(Date.now() + 30 * DAY),
      })
      return sessionToken
    },
    async noteOf(sessionToken) {
      const found = await adapter.getSessionAndUser(sessionToken)
      if (!found) return null
      expect(found.session.expires.getTime()).toBeLessThan(Date.now() + 31 * DAY)
      const { email, name } = found.user as unknown as { email: string; name: string }
      expect((await adapter.getUserByEmail(email))?.id).toBe(found.user.id)
      const account = { provider: 'idp', providerAccountId: name }
      expect((await adapter.getUserByAccount(account))?.id).toBe(found.user.id)
      return found.user['note'] as string
    },
    async write(sessionToken, note) {
      const expires = new Date(Date.now() + 30 * DAY)
      const updated = await adapter.updateSession({ sessionToken, expires })
      if (!updated) return false
      await adapter.updateUser({ id: updated.userId, note })
      expect((await adapter.getSessionAndUser(sessionToken))?.session.expires.getTime()).toBe(expires.getTime())
      return true
    },
    signOut: async (sessionToken) => {
      await adapter.deleteSession(sessionToken)
    },
    close: async () => {
      await close()
    },
  }
}

it('signs no visitor out, brings no session back and loses no write', { timeout: 120_000 }, async () => {
  await rollingDeployment({
    async startOld() {
      const { adapter, close } = await openOldAdapter(redis.url)
      return processOn(adapter, close)
    },
    startNew(mode) {
      const migrateFrom = upstashAdapter({ mode, ...prefixes })
      const adapter = CoatcheckAdapter({ store: redisStore({ url: redis.url }), keys, migrateFrom })
      return Promise.resolve(processOn(adapter, () => adapter.close()))
    },
    async oldKeys() {
      const names = (await redis.cli('--scan', '--pattern', 'nextauth:user:*'))
        .split('\n')
        .filter((name) => name !== '')
      const plain = CoatcheckAdapter({ store: redisStore({ url: redis.url }), keys })
      // Users who signed out were not seen since: their records wait under the old keys, whole.
      const isMoved = async (name: string): Promise<boolean> => {
        const [, id = ''] = /^nextauth:user:(?:session:by-user-id:|account:by-user-id:)?([^:]+)$/.exec(name) ?? []
        return id !== '' && (await plain.getUser(id)) !== null
      }
      const left = await Promise.all(
        names.map(async (name) => /:session:(?!by-user-id:)/.test(name) || (await isMoved(name))),
      )
      await plain.close()
      return names.filter((_name, i) => left[i])
    },
  })
})
