/** Origins of `coatcheck/migrate` as the store of a bridge: it reads the old keys itself, here or on another server. */
import { randomBytes } from 'node:crypto'
import { createClient } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import {
  auth0Store,
  betterAuthStorage,
  connectRedis,
  fromAuth0,
  fromAuthJs,
  fromBetterAuth,
  fromExpressSession,
  upstashAdapter,
} from '../../src/entries/migrate.ts'
import type { CookieBridge } from '../../src/migrate/cookie-bridge.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { StoreFactory } from '../../src/stores/store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { OLD_LIFE_MS, OLD_SECRET, type OldPackage } from './old-apps.ts'
import { auth0App, auth0Version3App, authJsApp } from './old-sealed-apps.ts'
import { betterAuthApp, expressSessionApp } from './old-sid-apps.ts'

type Client = ReturnType<typeof createClient>
type Mode = 'read' | 'move'

let redis: RedisServer
let oldRedis: RedisServer
let auth: Coatcheck<Record<string, unknown>>
const clients: Client[] = []

beforeAll(async () => {
  vi.stubEnv('COATCHECK_LOG', 'silent')
  ;[redis, oldRedis] = await Promise.all([startRedisServer(), startRedisServer()])
  for (const { url } of [redis, oldRedis]) {
    const client: Client = createClient({ url })
    await client.connect()
    clients.push(client)
  }
  auth = coatcheck({
    baseUrl: 'https://app.example',
    keys: randomBytes(32).toString('base64'),
    store: redisStore({ url: redis.url }),
  })
  await auth.ready()
})
afterAll(async () => {
  await auth.close()
  await Promise.all(clients.map((client) => client.close()))
  await Promise.all([redis.stop(), oldRedis.stop()])
  vi.unstubAllEnvs()
})
beforeEach(async () => {
  await Promise.all([redis.cli('flushall'), oldRedis.cli('flushall')])
})

const choices = (store: StoreFactory | undefined) => ({ ...(store && { store }) })

const origins: readonly (readonly [
  string,
  (client: Client) => OldPackage | Promise<OldPackage>,
  (mode: Mode, store?: StoreFactory) => CookieBridge,
])[] = [
  [
    'connectRedis()',
    expressSessionApp,
    (mode, store) =>
      fromExpressSession({
        ...{ secret: OLD_SECRET, mode, store: connectRedis({ prefix: 'old-express:', ...choices(store) }) },
        user: (old) => ({ userId: old['userId'] as string }),
      }),
  ],
  [
    'upstashAdapter()',
    (client) => authJsApp(client),
    (mode, store) =>
      fromAuthJs({
        ...{ mode, store: upstashAdapter({ baseKeyPrefix: 'old-authjs:', ...choices(store) }) },
        user: ({ user }) => ({ userId: String(user['name']) }),
      }),
  ],
  [
    'betterAuthStorage()',
    betterAuthApp,
    (mode, store) =>
      fromBetterAuth({
        ...{ secret: OLD_SECRET, mode, store: betterAuthStorage({ prefix: 'old-better-auth:', ...choices(store) }) },
        user: ({ user }) => ({ userId: String(user['name']) }),
      }),
  ],
  ...([auth0App, auth0Version3App] as const).map(
    (make, index) =>
      [
        `auth0Store() with cookies of version ${4 - index}`,
        (client: Client) => make(client),
        (mode: Mode, store?: StoreFactory) =>
          fromAuth0({
            ...{ secret: OLD_SECRET, mode, store: auth0Store({ keyOf: (id) => `old-auth0:${id}`, ...choices(store) }) },
            user: ({ user }) => ({ userId: user.sub }),
          }),
      ] as const,
  ),
]

describe.each(origins)('%s', (_name, make, bridge) => {
  describe.each([
    ['on our server', 0],
    ['on a server of its own', 1],
  ])('%s', (_where, index) => {
    let app: OldPackage
    const bridgeIn = (mode: Mode): CookieBridge =>
      bridge(mode, index === 0 ? undefined : redisStore({ url: oldRedis.url }))
    const visit = (cookie: string, adopt: CookieBridge) =>
      auth.http.requestSession({ cookieHeader: cookie, sink: createHeadersSink(), adopt }).getVisit()

    beforeAll(async () => {
      app = await make(clients[index] as Client)
    })
    afterAll(() => app.close?.())

    it('reads the session with its remaining life, and its sign-out ends the old one', async () => {
      const cookie = await app.signIn(`Ada${index}`)
      const adopt = bridgeIn('read')
      const first = await visit(cookie, adopt)
      expect(first.session.user?.id).toBe(`Ada${index}`)
      expect(first.session.expiresAtMs).toBeLessThanOrEqual(Date.now() + OLD_LIFE_MS)
      expect((await app.ask(cookie)).userId).toBe(`Ada${index}`)
      await (await visit(cookie, adopt)).signOut()
      expect((await app.ask(cookie)).userId).toBeNull()
      expect((await visit(cookie, adopt)).session.user).toBeNull()
    })

    it('move ends the old session', async () => {
      const cookie = await app.signIn(`Grace${index}`)
      expect((await visit(cookie, bridgeIn('move'))).session.user?.id).toBe(`Grace${index}`)
      expect((await app.ask(cookie)).userId).toBeNull()
    })
  })
})
