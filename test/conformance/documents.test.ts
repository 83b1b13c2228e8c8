import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { createMemoryDocumentDriver } from '../../src/documents/drivers/memory.ts'
import { createRedisDocumentDriver } from '../../src/documents/drivers/redis.ts'
import { MemorySpace } from '../../src/memory/space.ts'
import { redisKeys } from '../../src/redis/keys.ts'
import { documentCases } from '../../src/testing/document-cases.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { libraryMajors } from '../support/redis-clients.ts'
import { type RedisWorld, startRedisWorld } from '../support/redis-world.ts'

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

describe.each(libraryMajors)('redis $major', (library) => {
  let world: RedisWorld
  beforeAll(async () => {
    world = await startRedisWorld(library)
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
