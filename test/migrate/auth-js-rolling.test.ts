/** From @auth/upstash-redis-adapter to `coatcheck/authjs` in a rolling deployment. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { redisKeys } from '../../src/stores/keys.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { migrationApp } from './migration-fleet.ts'
import { rollingDeployment } from './rolling-deployment.ts'

const SESSION = /^nextauth:user:session:(?!by-user-id:)/
const PERSON = /^nextauth:user:(?:email:|account:idp:)([^@]+)/
const KIND = 'authjs-session'
let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

it('signs no user out, brings no session back and loses no write', async () => {
  expect.hasAssertions()
  await rollingDeployment(redis, {
    program: (env) => migrationApp('authjs', env),
    // Users who signed out were not seen since: their records wait under the old keys, whole. Their address and account name them.
    isOldKey: (key, isSignedIn) => SESSION.test(key) || isSignedIn(PERSON.exec(key)?.[1] ?? ''),
    copyOf: (key, keyring) => redisKeys('').document(KIND, keyring.nameOf(KIND, key.replace(SESSION, ''))),
    endIn: (text) => new Date(/"expires":"([^"]+)"/.exec(text)?.[1] ?? Number.NaN).getTime(),
    mergesWrites: true,
  })
})
