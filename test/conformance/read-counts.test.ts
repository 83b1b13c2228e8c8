import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { MemorySpace } from '../../src/stores/memory/space.ts'
import { createMemoryReadCountsDriver } from '../../src/stores/memory/read-counts-driver.ts'
import { createRedisReadCountsDriver } from '../../src/stores/redis/read-counts-driver.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { readCountsCases } from '../../src/testing/read-counts-cases.ts'
import { redisForms, type RedisWorld } from '../support/redis-world.ts'

describe('memory', () => {
  test.each(readCountsCases)('$name', ({ run }) => {
    const clock = createFakeClock()
    return run({
      driver: createMemoryReadCountsDriver(new MemorySpace({ clock })),
      advance: async (ms) => {
        clock.advance(ms)
        return Promise.resolve()
      },
    })
  })
})

describe.each(redisForms)('$form', ({ start }) => {
  let world: RedisWorld
  beforeAll(async () => {
    world = await start()
  })
  afterAll(() => world.stop())
  beforeEach(() => world.reset())

  test.each(readCountsCases)('$name', ({ run }) => {
    const timeOffsetMs = (): number => world.timeOffsetMs()
    // The smallest ACL allows keys with this beginning.
    const driver = createRedisReadCountsDriver(world.client, redisKeys('host:counts:'), { timeOffsetMs })
    return run({ driver, advance: (ms) => world.advance(ms) })
  })
})
