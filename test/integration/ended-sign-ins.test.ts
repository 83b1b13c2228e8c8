/** Sign-ins whose session ends before they are complete, by a new generation of the user: the record is still there. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { coatcheck } from '../../src/coatcheck.ts'
import { redisStore } from '../../src/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

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
