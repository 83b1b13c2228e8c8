/** Settings with which a migration would lose what it takes over: Coatcheck refuses them, and no old record is touched. */
import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { CoatcheckStore } from '../../src/app/drop-ins/express-session.ts'
import { sessionDataStore } from '../../src/app/drop-ins/nextjs-auth0.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import { auth0Store, connectRedis, fromExpressSession, fromGuideTokens } from '../../src/entries/migrate.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { StoreFactory } from '../../src/stores/store.ts'
import { testRedis } from './test-redis.ts'

const redis = testRedis()
const SECRET = 'the secret of the old application, 32 characters or more'
const OLD = { cookie: { originalMaxAge: 3_600_000 }, userId: 'ada' }
const AUTH0 = { user: { sub: 'ada' }, tokenSet: {}, internal: { sid: 's', createdAt: 1_700_000_000 } }
const provider = oidc({ name: 'idp', issuer: 'http://127.0.0.1:9', clientId: 'app', clientSecret: 'secret' })
type Settings = { readonly store: StoreFactory; readonly old?: StoreFactory; readonly mode: 'read' | 'move' }

beforeEach(async () => {
  vi.stubEnv('COATCHECK_LOG', 'silent')
  await redis.client.set('sess:one', JSON.stringify(OLD), { EX: 3600 })
  await redis.client.set('auth0:one', JSON.stringify(AUTH0), { EX: 3600 })
})
afterEach(() => vi.unstubAllEnvs())

const oldOf = ({ old, mode }: Settings) => ({ mode, ...(old && { store: old }) })

/** The first use of each kind of migration. */
const uses: readonly [string, (settings: Settings) => Promise<unknown>][] = [
  [
    'a store for express-session',
    async (settings) => {
      const migrateFrom = connectRedis(oldOf(settings))
      await redis.closing(new CoatcheckStore({ store: settings.store, migrateFrom })).get('one')
    },
  ],
  [
    'a store for nextjs-auth0',
    (settings) => {
      const migrateFrom = auth0Store({ keyOf: (id) => `auth0:${id}`, ...oldOf(settings) })
      return redis.closing(sessionDataStore({ store: settings.store, migrateFrom })).get('one')
    },
  ],
  [
    'a bridge',
    (settings) => {
      const auth = redis.closing(coatcheck({ baseUrl: 'http://localhost', store: settings.store }))
      const signature = createHmac('sha256', SECRET).update('one').digest('base64').replace(/=+$/, '')
      const { mode } = settings
      const adopt = fromExpressSession({
        ...{ secret: SECRET, store: connectRedis(oldOf(settings)), mode },
        user: ({ userId }) => ({ userId: userId as string }),
      })
      const cookieHeader = `connect.sid=${encodeURIComponent(`s:one.${signature}`)}`
      const header = (name: string) => (name === 'sec-fetch-site' ? 'same-origin' : undefined)
      return auth.http.requestSession({ cookieHeader, sink: createHeadersSink(), adopt, header }).getSession()
    },
  ],
  [
    'tokens of another library',
    (settings) => {
      const auth = redis.closing(
        coatcheck({ baseUrl: 'http://localhost', store: settings.store, providers: [provider] }),
      )
      return auth.tokens.adopt(fromGuideTokens(oldOf(settings))).user('ada')
    },
  ],
]

describe.each(uses)('%s', (_what, use) => {
  it.each(['read', 'move'] as const)('in mode %s refuses a key that the process generated', async (mode) => {
    await expect(use({ store: redisStore({ url: redis.url }), mode })).rejects.toMatchObject({
      code: 'COATCHECK_CONFIG_MISSING',
      details: { variable: 'COATCHECK_KEYS' },
    })
    expect((await redis.client.keys('*')).sort()).toEqual(['auth0:one', 'sess:one'])
  })

  it('moves nothing from Redis into the memory of the process', async () => {
    const settings: Settings = { store: memoryStore(), old: redisStore({ url: redis.url }), mode: 'move' }
    await expect(use(settings)).rejects.toMatchObject({ code: 'COATCHECK_STORE_REQUIRED' })
    expect((await redis.client.keys('*')).sort()).toEqual(['auth0:one', 'sess:one'])
  })

  it('works within the memory of the process', async () => {
    const settings: Settings = { store: memoryStore({ name: 'new' }), old: memoryStore({ name: 'old' }), mode: 'move' }
    await expect(use(settings)).resolves.not.toThrow()
  })
})
