/** From the versions of connect-redis before the current one, on each client that they are used with, in a rolling deployment. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { redisKeys } from '../../src/stores/keys.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { migrationApp } from './migration-fleet.ts'
import { rollingDeployment } from './rolling-deployment.ts'

const KIND = 'express-session'
let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

it.each([
  ['connect-redis7', 'redis4'],
  ['connect-redis7', 'ioredis'],
  ['connect-redis8', 'redis5'],
  ['connect-redis8', 'ioredis'],
])('from %s on %s: signs no user out, brings no session back and loses no write', async (store, client) => {
  expect.hasAssertions()
  await rollingDeployment(redis, {
    program: (env) => migrationApp('express', { ...env, OLD_STORE: store, OLD_CLIENT: client }),
    isOldKey: (key) => key.startsWith('sess:'),
    copyOf: (key, keyring) => redisKeys('').document(KIND, keyring.nameOf(KIND, key.replace('sess:', ''))),
    ...{ isRolling: true, endsPrevious: true, mergesWrites: true },
  })
})
