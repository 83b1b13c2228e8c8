/** A rolling deployment with the bridge from libraries whose cookie names a session in a store. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { bridgeRollouts } from './bridge-rollouts.ts'
import { rollingDeployment } from './rolling-deployment.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

it.each(bridgeRollouts(/\/session with|express-session with|better-auth/))(
  'from %s: signs no user out, brings none back and loses no write',
  async (_name, library) => {
    expect.hasAssertions()
    await rollingDeployment(redis, library)
  },
)
