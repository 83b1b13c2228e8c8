/** From MSAL's `DistributedCachePlugin` to `coatcheck/msal` in a rolling deployment. A session is the account of a user in the cache. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { redisKeys } from '../../src/stores/keys.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { migrationApp } from './migration-fleet.ts'
import { rollingDeployment } from './rolling-deployment.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

it('keeps every account and token, and brings no account back', async () => {
  expect.hasAssertions()
  await rollingDeployment(redis, {
    program: (env) => migrationApp('msal', env),
    isOldKey: (key, isSignedIn) => key.startsWith('msal:') && isSignedIn(key.replace(/^msal:|\.tenant$/g, '')),
    copyOf: (key, keyring) => redisKeys('').tokens(keyring.userKey(`msal ${key.replace('msal:', '')}`)),
  })
})
