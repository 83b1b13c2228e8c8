/** The doctor on an application that uses a store for another session library, and no middleware of Coatcheck. */
import { randomBytes } from 'node:crypto'
import session from 'express-session'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { CoatcheckStore } from '../../src/app/drop-ins/express-session.ts'
import { examineHealth, type HealthReport } from '../../src/entries/admin.ts'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const keys = randomBytes(32).toString('base64')
let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())
beforeEach(() => {
  vi.stubEnv('NODE_ENV', 'production')
  vi.stubEnv('COATCHECK_LOG', 'silent')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await redis.cli('flushall')
})

const options = () => ({ keys, store: redisStore({ url: redis.url }) })
const about = ({ checks }: HealthReport, name: string) => checks.find((check) => check.name === name)

async function useStore(): Promise<void> {
  const store = new CoatcheckStore(options())
  for (const id of ['one', 'two']) await store.set(id, { cookie: new session.Cookie() })
  await store.close()
}

test('a missing base URL is no problem, and the sessions of the library are counted', async () => {
  await useStore()
  const report = await examineHealth(options)
  expect(about(report, 'Options')).toBeUndefined()
  expect(about(report, 'Base URL')).toMatchObject({ state: 'ok', says: expect.stringContaining('not set') as string })
  expect(about(report, 'Key ring')?.state).toBe('ok')
  expect(about(report, 'Keys')?.says).toBe(
    'all 2 keys: 2 of Coatcheck, 0 sessions, 2 records of other session libraries',
  )
})

test.each([
  ['no record yet', () => Promise.resolve()],
  [
    'sessions of Coatcheck too',
    async () => {
      await useStore()
      const auth = coatcheck({ ...options(), baseUrl: 'https://app.example' })
      await auth.sessions.create({ userId: 'ada' })
      await auth.close()
    },
  ],
])('with %s, a missing base URL is a problem', async (_what, fill) => {
  await fill()
  const report = await examineHealth(options)
  expect(about(report, 'Options')?.finding?.code).toBe('COATCHECK_CONFIG_MISSING')
  expect(about(report, 'Base URL')).toBeUndefined()
})
