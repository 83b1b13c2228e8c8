/** Bridges and token origins in the counts that all processes share, and what a flood of forged cookies leaves there: nothing. */
import { randomBytes } from 'node:crypto'
import { sealData } from 'iron-session'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { migrationStatus, openServer } from '../../src/entries/admin.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import { fromGuideTokens, fromIronSession } from '../../src/entries/migrate.ts'
import { redisStore } from '../../src/entries/redis.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const KEY = randomBytes(32).toString('base64')
const SECRET = 'the secret of the old application, 32 characters or more'
let redis: RedisServer

beforeAll(async () => {
  redis = await startRedisServer()
})
beforeEach(() => redis.cli('flushall'))
afterAll(() => redis.stop())

const store = () => redisStore({ url: redis.url })
const instance = () =>
  coatcheck({
    ...{ store: store(), keys: KEY, baseUrl: 'https://app.example' },
    providers: [oidc({ name: 'op', issuer: 'https://op.example', clientId: 'c', clientSecret: 's' })],
  })
const bridge = () =>
  fromIronSession<{ userId: string }>({ password: SECRET, cookieName: 'iron', user: ({ userId }) => ({ userId }) })

/** The outcomes by origin, as `coatcheck migrate status` reads them. */
async function counted(): Promise<Record<string, unknown>> {
  const server = await openServer({ store: store() })
  try {
    const { origins } = await migrationStatus(server, { signal: new AbortController().signal })
    return Object.fromEntries(origins.map(({ origin, mode, reads }) => [origin, { mode, ...reads.hour }]))
  } finally {
    await server.close()
  }
}

async function ask(auth: ReturnType<typeof instance>, cookieHeader: string, adopt = bridge()): Promise<unknown> {
  const exchange = auth.http.requestSession({ cookieHeader, sink: createHeadersSink(), adopt, header: () => undefined })
  return (await exchange.getSession()).user?.id
}

it('counts adopted sessions and adopted tokens', async () => {
  const auth = instance()
  const cookie = `iron=${encodeURIComponent(await sealData({ userId: 'ada' }, { password: SECRET }))}`
  expect(await ask(auth, cookie)).toBe('ada')
  await redis.cli('set', 'user:ada:tokens', JSON.stringify({ accessToken: 'old', expiresAt: Date.now() + 3_600_000 }))
  const origin = auth.tokens.adopt(fromGuideTokens())
  expect(await origin.user('ada')).toBe('adopted')
  await auth.close()
  expect(await counted()).toMatchObject({
    'iron-session': { mode: 'read', adopted: 1 },
    'guide-tokens': { mode: 'read', adopted: 1 },
  })
})

it('1,000 forged cookies leave nothing in the counts, and nothing else', async () => {
  const auth = instance()
  await auth.ready()
  const before = await redis.cli('debug', 'digest')
  const adopt = bridge()
  for (let n = 0; n < 1000; n++) expect(await ask(auth, `iron=Fe26.2*1*${String(n)}*forged`, adopt)).toBeUndefined()
  await auth.close()
  expect(await redis.cli('debug', 'digest')).toBe(before)
})
