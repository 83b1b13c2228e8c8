/** A rolling deployment with the bridge from Auth.js 4 and 5. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { bridgeRollouts } from './bridge-rollouts.ts'
import { rollingDeployment } from './rolling-deployment.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

it.each(bridgeRollouts(/auth\.js|next-auth/i))(
  'from %s: signs no user out, brings none back and loses no write',
  async (_name, library) => {
    expect.hasAssertions()
    await rollingDeployment(redis, library)
  },
)
