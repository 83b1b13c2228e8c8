/** From express-session and @fastify/session on connect-redis, and from koa-session, in a rolling deployment. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { redisKeys } from '../../src/stores/keys.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { migrationApp } from './migration-fleet.ts'
import type { OldLibrary } from './old-library.ts'
import { rollingDeployment } from './rolling-deployment.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterAll(() => redis.stop())

/** Sessions lie under their id, bare or behind `sess:`. */
const library = (host: string, kind: string, traits: Partial<OldLibrary>): OldLibrary => ({
  program: (env) => migrationApp(host, env),
  isOldKey: (key) => !/^(?:host(?:-set)?|migration):/.test(key),
  copyOf: (key, keyring) => redisKeys('').document(kind, keyring.nameOf(kind, key.replace('sess:', ''))),
  ...{ endsPrevious: true, mergesWrites: true },
  ...traits,
})

it.each([
  library('express', 'express-session', { isRolling: true }),
  library('fastify', 'fastify-session', { isRolling: true }),
  library('koa', 'koa-session', { keepsData: true }),
])('signs no user out, brings no session back and loses no write (%#)', async (one) => {
  expect.hasAssertions()
  await rollingDeployment(redis, one)
})
