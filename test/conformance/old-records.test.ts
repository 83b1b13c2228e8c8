import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { MemorySpace } from '../../src/stores/memory/space.ts'
import { createMemoryOldRecordDriver } from '../../src/stores/memory/old-record-driver.ts'
import { createRedisOldRecordDriver } from '../../src/stores/redis/old-record-driver.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { oldRecordCases } from '../../src/testing/old-record-cases.ts'
import { redisForms, type RedisWorld } from '../support/redis-world.ts'

describe('memory', () => {
  test.each(oldRecordCases)('$name', ({ run }) => {
    const clock = createFakeClock()
    const space = new MemorySpace({ clock })
    return run({
      driver: createMemoryOldRecordDriver(space),
      prefix: 'old:',
      advance: async (ms) => {
        clock.advance(ms)
        return Promise.resolve()
      },
      putOther: (key) => {
        space.setBuffer(key, Buffer.from('x'), 60_000)
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

  test.each(oldRecordCases)('$name', ({ run }) => {
    const driver = createRedisOldRecordDriver(world.client, { timeOffsetMs: () => world.timeOffsetMs() })
    return run({
      driver,
      // The smallest ACL allows keys with this beginning.
      prefix: 'host:old:',
      advance: (ms) => world.advance(ms),
      async putOther(key) {
        await world.cli('rpush', key, 'x')
      },
    })
  })
})
