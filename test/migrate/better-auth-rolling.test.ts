/** From a secondary storage written by hand to `coatcheck/better-auth` in a rolling deployment. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { redisKeys } from '../../src/stores/keys.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { migrationApp } from './migration-fleet.ts'
import { rollingDeployment } from './rolling-deployment.ts'

const KIND = 'better-auth'
let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

it('signs no user out, brings no session back and loses no write', async () => {
  expect.hasAssertions()
  await rollingDeployment(redis, {
    program: (env) => migrationApp('better-auth', env),
    isOldKey: (key) => /^(?:[A-Za-z0-9]{32}|active-sessions-.+)$/.test(key),
    copyOf: (key, keyring) => redisKeys('').document(KIND, keyring.nameOf(KIND, key)),
  })
})
