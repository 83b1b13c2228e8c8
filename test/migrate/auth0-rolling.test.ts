/** From a session store written by hand to `coatcheck/nextjs-auth0` in a rolling deployment. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { redisKeys } from '../../src/stores/keys.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { migrationApp } from './migration-fleet.ts'
import { rollingDeployment } from './rolling-deployment.ts'

const KIND = 'nextjs-auth0'
let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

it('signs no user out, brings no session back and loses no write', async () => {
  expect.hasAssertions()
  await rollingDeployment(redis, {
    program: (env) => migrationApp('nextjs-auth0', env),
    isOldKey: (key) => key.startsWith('sessions:'),
    copyOf: (key, keyring) => redisKeys('').document(KIND, keyring.nameOf(KIND, key.replace('sessions:', ''))),
  })
})
