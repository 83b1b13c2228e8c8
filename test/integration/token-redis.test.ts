/** What only a real server shows: a full memory, a script that arrives late, what lies in a dump. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import type { RedisClientPort, RedisReply } from '../../src/redis/client-port.ts'
import { openRedisClient } from '../../src/redis/open-client.ts'
import { resolveDestination } from '../../src/redis/resolve-destination.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { limitsOf } from '../../src/redis/options.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { tokenFixture } from '../../src/testing/token-fixture.ts'
import { createRedisTokenDriver } from '../../src/stores/redis/token-driver.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const HOUR = 3_600_000
const keys = redisKeys('')
let server: RedisServer
let client: RedisClientPort

beforeAll(async () => {
  server = await startRedisServer({ args: ['--rdbcompression', 'no'] })
  const options = { url: server.url }
  client = openRedisClient(resolveDestination(options, {}), limitsOf(options, {}), {
    clock: systemClock,
    events: new EventBus(),
  })
  await client.ready()
})
afterAll(async () => {
  await client.close()
  await server.stop()
})
beforeEach(async () => {
  await server.cli('config', 'set', 'maxmemory', '0')
  await server.cli('flushall')
})

const tokensOf = (clock: { now(): number }) => ({
  accessToken: 'access-CANARY',
  refreshToken: 'refresh-CANARY',
  idToken: 'id-CANARY',
  expiresAt: clock.now() + HOUR,
})

describe('a full server', () => {
  it('refuses new tokens, still takes a rotated grant, and deletes', async () => {
    const clock = createFakeClock()
    const { cache, provider } = tokenFixture({ driver: createRedisTokenDriver(client, keys), clock })
    await cache.setUserTokens('ada', tokensOf(clock))
    await server.cli('config', 'set', 'maxmemory', '1')
    await expect(cache.setUserTokens('grace', tokensOf(clock))).rejects.toMatchObject({ code: 'COATCHECK_REDIS_OOM' })
    clock.advance(HOUR)
    expect((await cache.getAccessToken('ada')).accessToken).toBe('access-1')
    expect((await cache.getUserTokens('ada'))?.refreshToken).toBe('refresh-1')
    expect(provider.requests).toHaveLength(1)
    await cache.deleteUserTokens('ada', { provider: 'entra' })
    expect(await server.cli('dbsize')).toBe('0')
  })
})

describe('a script that arrives after its deadline, by the server’s clock', () => {
  it('writes nothing, and is sent once more while its caller waits; deleting is never too late', async () => {
    const clock = createFakeClock()
    const replies: RedisReply[] = []
    const behind: RedisClientPort = {
      command: (...args) => client.command(...args),
      async script(...args) {
        const reply = await client.script(...args)
        replies.push(reply)
        return reply
      },
      watch: (...args) => client.watch(...args),
      isSharded: false,
      isDurable: false,
      track: (...args) => client.track(...args),
      lasting: (...args) => client.lasting(...args),
      servers: () => client.servers(),
      serverNow: (key) => client.serverNow(key) - 60_000,
      verifyAlignment: (key) => client.verifyAlignment(key),
      epochOf: (key) => client.epochOf(key),
      uptime: (key) => client.uptime(key),
      ready: () => client.ready(),
      close: () => client.close(),
    }
    // What reaches Redis says: not after a minute ago.
    const late = tokenFixture({ driver: createRedisTokenDriver(behind, keys), clock })
    await server.cli('config', 'resetstat')
    await late.cache.setUserTokens('ada', tokensOf(clock))
    expect(await server.cli('info', 'commandstats')).toMatch(/cmdstat_eval(?:sha)?:calls=[2-9]/)
    expect(replies).toHaveLength(1)
    expect(await server.cli('dbsize')).toBe('1')
    await late.cache.deleteUserTokens('ada')
    expect(await server.cli('dbsize')).toBe('0')
  })
})

describe('what lies in Redis', () => {
  it('is one hash under the user key, with a life, and holds neither tokens nor the user id', async () => {
    const clock = createFakeClock()
    const { cache, keyring } = tokenFixture({ driver: createRedisTokenDriver(client, keys), clock })
    await cache.setUserTokens('ada@example.test', tokensOf(clock))
    clock.advance(HOUR)
    await cache.getAccessToken('ada@example.test')
    const key = keys.tokens(keyring.userKey('ada@example.test'))
    expect(await server.cli('keys', '*')).toBe(key)
    expect(Number(await server.cli('pttl', key))).toBeGreaterThan(89 * 24 * HOUR)
    expect((await server.cli('hkeys', key)).split('\n').sort()).toEqual([
      'access:entra:',
      'grant:entra',
      'status:entra',
    ])
    await server.cli('save')
    const dump = await readFile(join(server.dir, 'dump.rdb'), 'latin1')
    expect(dump).toContain('grant:entra')
    for (const secret of ['CANARY', 'refresh-1', 'access-1', 'ada@example']) expect(dump).not.toContain(secret)
  })

  it('is read by one command for a hit, whatever else the user has', async () => {
    const clock = createFakeClock()
    const { cache } = tokenFixture({ driver: createRedisTokenDriver(client, keys), clock })
    await cache.setUserTokens('ada', tokensOf(clock))
    for (let i = 0; i < 20; i++) await cache.getAccessToken('ada', { resource: `https://api-${i}.example` })
    await server.cli('config', 'resetstat')
    for (let i = 0; i < 10; i++) await cache.getAccessToken('ada', { resource: 'https://api-3.example' })
    const stats = (await server.cli('info', 'commandstats')).split('\n').filter((line) => line.startsWith('cmdstat_'))
    const calls = Object.fromEntries(
      stats.map((line) => [line.slice(8, line.indexOf(':')), /calls=(\d+)/.exec(line)?.[1]]),
    )
    expect(calls.hget).toBe('10')
    for (const name of ['hgetall', 'hmget', 'evalsha', 'eval', 'pexpire', 'keys']) expect(calls[name]).toBeUndefined()
  })
})
