import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { createMemoryDocumentDriver } from '../../src/stores/memory/document-driver.ts'
import { createRedisDocumentDriver } from '../../src/stores/redis/document-driver.ts'
import { MemorySpace } from '../../src/stores/memory/space.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { documentCases } from '../../src/testing/document-cases.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { redisForms, type RedisWorld } from '../support/redis-world.ts'

describe('memory', () => {
  test.each(documentCases)('$name', ({ run }) => {
    const clock = createFakeClock()
    const driver = createMemoryDocumentDriver(new MemorySpace({ clock }))
    return run({
      driver,
      clock,
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

  test.each(documentCases)('$name', ({ run }) => {
    const timeOffsetMs = (): number => world.timeOffsetMs()
    // A prefix with characters that mean something in a pattern.
    const driver = createRedisDocumentDriver(world.client, redisKeys('a[pp]*:'), { timeOffsetMs })
    return run({ driver, clock: world.clock, advance: (ms) => world.advance(ms) })
  })
})
