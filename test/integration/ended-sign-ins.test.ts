/** Sign-ins whose session ends before they are complete, by a new generation of the user: the record is still there. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

const tokens = { accessToken: 'a', refreshToken: 'r', expiresAt: Date.now() + 3_600_000 }

test('a sign-in by the application leaves no tokens when its session has ended during beforeComplete', async () => {
  const auth = coatcheck({
    store: redisStore({ url: redis.url }),
    keys: randomBytes(32).toString('base64'),
    baseUrl: 'http://localhost:3000',
  })
  const storeTokens = (): Promise<void> => auth.tokens.setUserTokens('grace', tokens)
  const beforeComplete = async (): Promise<void> => {
    await auth.sessions.revokeByUser('grace')
    await storeTokens()
  }
  await expect(auth.sessions.signIn(null, { userId: 'grace', beforeComplete })).rejects.toMatchObject({
    code: 'COATCHECK_SESSION_ENDED',
  })
  expect(await auth.tokens.getUserTokens('grace')).toBeNull()
  await auth.sessions.signIn(null, { userId: 'grace', beforeComplete: storeTokens })
  expect((await auth.tokens.getUserTokens('grace'))?.refreshToken).toBe('r')
  await auth.close()
})

test('a sign-in fails when all sessions of the user have ended during beforeComplete', async () => {
  const auth = coatcheck({
    store: redisStore({ url: redis.url }),
    keys: randomBytes(32).toString('base64'),
    baseUrl: 'http://localhost:3000',
  })
  const kept = await auth.sessions.signIn(null, { userId: 'ada', beforeComplete: () => Promise.resolve() })
  expect(kept.session.user?.id).toBe('ada')
  const newGeneration = async (sessionId: string): Promise<void> => {
    const [userKey = ''] = sessionId.split('.')
    await redis.cli('setrange', `user:{${userKey}}:gen`, '0', 'x'.repeat(8))
  }
  const overtaken = auth.sessions.signIn(kept.ticket, { userId: 'ada', beforeComplete: newGeneration })
  await expect(overtaken).rejects.toMatchObject({ code: 'COATCHECK_SESSION_ENDED' })
  expect(await auth.sessions.listByUser('ada')).toEqual([])
  const next = await auth.sessions.signIn(null, { userId: 'ada', beforeComplete: () => Promise.resolve() })
  expect((await auth.sessions.listByUser('ada')).map(({ id }) => id)).toEqual([next.session.id])
  await auth.close()
})
