import * as redis6 from 'redis'
import * as redis4 from 'redis4'
import * as redis5 from 'redis5'
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { EventBus } from '../../src/core/events.ts'
import { systemClock } from '../../src/core/clock.ts'
import { MemorySpace } from '../../src/memory/space.ts'
import { createMemoryTransactionDriver } from '../../src/oidc/drivers/memory.ts'
import { createRedisTransactionDriver } from '../../src/oidc/drivers/redis.ts'
import { RedisClient } from '../../src/redis/client.ts'
import { redisKeys } from '../../src/redis/keys.ts'
import type { RedisLibraryClient } from '../../src/redis/library.ts'
import { limitsOf } from '../../src/redis/options.ts'
import { createFakeClock, type FakeClock } from '../../src/testing/fake-clock.ts'
import { tokenCases } from '../../src/testing/token-cases.ts'
import { tokenDriverCases } from '../../src/testing/token-driver-cases.ts'
import type { TokenHarness, TransactionHarness } from '../../src/testing/token-fixture.ts'
import { transactionCases } from '../../src/testing/transaction-cases.ts'
import { createMemoryTokenDriver } from '../../src/token/drivers/memory.ts'
import { createRedisTokenDriver } from '../../src/token/drivers/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const keys = redisKeys('')

function memoryHarness(): { tokens: TokenHarness; transactions: TransactionHarness } {
  const clock = createFakeClock()
  const space = new MemorySpace({ clock })
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms)
  }
  return {
    tokens: {
      driver: createMemoryTokenDriver(space, keys),
      clock,
      advance,
      lifeMs: async (userKey) => Promise.resolve(space.ttlMs(keys.tokens(userKey))),
    },
    transactions: { driver: createMemoryTransactionDriver(space, keys), advance },
  }
}

describe('memory', () => {
  for (const { name, run } of [...tokenDriverCases, ...tokenCases]) test(name, () => run(memoryHarness().tokens))
  for (const { name, run } of transactionCases) test(name, () => run(memoryHarness().transactions))
})

const libraries = { 'redis 6': redis6, 'redis 5': redis5, 'redis 4.7': redis4 } as const

describe.each(Object.entries(libraries))('%s', (_, library) => {
  let server: RedisServer
  let client: RedisClient
  let application: RedisLibraryClient
  let clock: FakeClock
  let offsetMs: number

  beforeAll(async () => {
    server = await startRedisServer()
    const createClient = library.createClient as unknown as (options: { url: string }) => RedisLibraryClient
    application = createClient({ url: server.url })
    application.on('error', () => undefined)
    await application.connect()
    client = new RedisClient(application, limitsOf({}), { clock: systemClock, events: new EventBus() })
    await client.ready()
  })
  afterAll(async () => {
    await client.close()
    await (application.destroy ? application.destroy() : application.disconnect?.())
    await server.stop()
  })
  beforeEach(async () => {
    await server.cli('flushall')
    clock = createFakeClock()
    offsetMs = 0
  })

  // Time travel: the scripts' clock moves by the offset, and what Redis would have expired by then goes.
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms)
    offsetMs += ms
    const lua = `for _, key in ipairs(redis.call('KEYS', '*')) do
      local left = redis.call('PTTL', key)
      if left >= 0 then if left > ${ms} then redis.call('PEXPIRE', key, left - ${ms}) else redis.call('DEL', key) end end
    end`
    await server.cli('eval', lua, '0')
  }
  const tokens = (): TokenHarness => ({
    driver: createRedisTokenDriver(client, keys, { timeOffsetMs: () => offsetMs }),
    clock,
    advance,
    async lifeMs(userKey) {
      const left = Number(await server.cli('pttl', keys.tokens(userKey)))
      return left < 0 ? null : left
    },
  })

  for (const { name, run } of [...tokenDriverCases, ...tokenCases]) test(name, () => run(tokens()))
  for (const { name, run } of transactionCases) {
    test(name, () => run({ driver: createRedisTransactionDriver(client, keys), advance }))
  }
})
