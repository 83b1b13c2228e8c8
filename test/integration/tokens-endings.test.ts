/**
 * The end of a sign-in while tokens are refreshed, over real processes: nothing is left in Redis, and every refresh token is
 * revoked at the provider (RFC 7009), be it the stored one or one that came too late, by whichever process gets to it.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startTokenEndpoint, type TokenEndpoint } from '../support/token-endpoint.ts'
import { HANG_MS } from '../lab/limits.ts'

type Auth = Coatcheck<Record<string, unknown>>

let redis: RedisServer
let provider: TokenEndpoint
const keys = randomBytes(32).toString('base64')

beforeAll(async () => {
  redis = await startRedisServer()
  provider = await startTokenEndpoint('strict')
})
afterAll(async () => {
  await provider.close()
  await redis.stop()
})
beforeEach(async () => {
  await redis.cli('flushall')
  provider.revoked.length = 0
})

/** Another deadline is another store, so a connection of its own: as another process has it. */
function open(writeTimeoutMs = 5000): Auth {
  const { issuer } = provider
  return coatcheck({
    store: redisStore({ url: redis.url, writeTimeoutMs, commandTimeoutMs: 2000 }),
    keys,
    baseUrl: 'https://tokens.example',
    providers: [oidc({ name: 'idp', issuer, clientId: 'app', clientSecret: 'secret' })],
  })
}
const tokensOf = (user: string, lifeMs: number) => ({
  accessToken: 'old',
  refreshToken: provider.grant(user),
  expiresAt: Date.now() + lifeMs,
})
const keysOf = async (pattern: string): Promise<string[]> =>
  (await redis.cli('keys', pattern)).split('\n').filter((key) => key !== '')
const untilRevoked = async (count: number): Promise<void> => {
  const end = Date.now() + HANG_MS
  while (provider.revoked.length < count && Date.now() < end) await sleep(5)
}

describe('the end of the last session', () => {
  test(
    'while a refresh is under way leaves no token, and revokes the stored and the late refresh token, 1,000 times',
    {
      timeout: 120_000,
    },
    async () => {
      const [here, there] = [open(5000), open(6000)]
      for (let round = 0; round < 1000; round++) {
        const user = `user-${round}`
        const { session } = await here.sessions.create({ userId: user })
        await here.tokens.setUserTokens(user, tokensOf(user, -1000))
        const asked = here.tokens.getAccessToken(user).then(
          () => 'token',
          (error: unknown) => (error as { code: string }).code,
        )
        // Anywhere between the first read and the commit.
        if (round % 4 > 0) await sleep(round % 4)
        await there.sessions.revoke(session.id ?? '')
        await asked
      }
      await Promise.all([here.close(), there.close()])
      expect(await keysOf('*:tokens')).toEqual([])
      expect(await keysOf('user:*:revocations')).toEqual([])
      // Of each grant the refresh token that lives has been revoked; of no grant one that is unknown.
      for (let round = 0; round < 1000; round++) {
        expect(provider.revoked).toContain(provider.currentOf(`user-${round}`))
      }
    },
  )

  test('of one of two devices leaves the grant alone', async () => {
    const auth = open()
    const first = await auth.sessions.create({ userId: 'ada' })
    const second = await auth.sessions.create({ userId: 'ada' })
    await auth.tokens.setUserTokens('ada', tokensOf('ada', 60_000))
    await auth.sessions.revoke(first.session.id ?? '')
    expect((await auth.tokens.getAccessToken('ada')).accessToken).toBe('old')
    await sleep(300)
    expect(provider.revoked).toEqual([])
    await auth.sessions.revoke(second.session.id ?? '')
    await untilRevoked(1)
    expect(provider.revoked).toEqual([provider.currentOf('ada')])
    await auth.close()
  })

  test('by revokeByUser and deleteUserTokens too; sealed meanwhile', async () => {
    const auth = open()
    await auth.sessions.create({ userId: 'ada' })
    await auth.tokens.setUserTokens('ada', tokensOf('ada', 60_000))
    await auth.sessions.revokeByUser('ada')
    await auth.tokens.setUserTokens('grace', tokensOf('grace', 60_000))
    await auth.tokens.deleteUserTokens('grace')
    const outbox = await keysOf('user:*:revocations')
    for (const key of outbox) expect(await redis.cli('hvals', key)).not.toContain('refresh-')
    await untilRevoked(2)
    expect([...provider.revoked].sort()).toEqual([provider.currentOf('ada'), provider.currentOf('grace')].sort())
    await auth.close()
    expect(await keysOf('user:*:revocations')).toEqual([])
  })

  test('works on a full Redis', async () => {
    const auth = open()
    const { session } = await auth.sessions.create({ userId: 'ada' })
    await auth.tokens.setUserTokens('ada', tokensOf('ada', 60_000))
    await redis.cli('config', 'set', 'maxmemory', '1')
    await auth.sessions.revoke(session.id ?? '')
    await redis.cli('config', 'set', 'maxmemory', '0')
    expect(await keysOf('*:tokens')).toEqual([])
    await untilRevoked(1)
    expect(provider.revoked).toHaveLength(1)
    await auth.close()
  })
})

test('a provider that is away is asked again, by another process', async () => {
  const away = await startTokenEndpoint('strict')
  const port = new URL(away.issuer).port
  const issuer = away.issuer
  const options = {
    keys,
    baseUrl: 'https://tokens.example',
    providers: [oidc({ name: 'idp', issuer, clientId: 'app', clientSecret: 'secret' })],
  }
  const first = coatcheck({ ...options, store: redisStore({ url: redis.url, writeTimeoutMs: 7000 }) })
  const failures: unknown[] = []
  first.events.on('token.revocation-failed', (event) => failures.push(event))
  await first.tokens.setUserTokens('ada', {
    accessToken: 'a',
    refreshToken: away.grant('ada'),
    expiresAt: Date.now() + 1000,
  })
  await away.close()
  await first.tokens.deleteUserTokens('ada')
  await first.close()
  expect(failures).toEqual([expect.objectContaining({ outcome: 'transient', final: false })])
  expect(await keysOf('user:*:revocations')).toHaveLength(1)

  const back = await startTokenEndpoint('strict', Number(port))
  const second = coatcheck({ ...options, store: redisStore({ url: redis.url, writeTimeoutMs: 8000 }) })
  await second.ready()
  // What would be due within seconds is due now.
  for (const member of (await redis.cli('zrange', 'provider:revocations', '0', '-1')).split('\n')) {
    await redis.cli('zadd', 'provider:revocations', '1', member)
  }
  const end = Date.now() + HANG_MS
  while ((await keysOf('*revocations')).length > 0 && Date.now() < end) await sleep(50)
  expect(back.revoked).toHaveLength(1)
  expect(await keysOf('*revocations')).toEqual([])
  await second.close()
  await back.close()
})
