import { describe, test } from 'vitest'
import { systemRandom } from '../../src/core/random.ts'
import { MemorySpace } from '../../src/memory/space.ts'
import { redisKeys } from '../../src/redis/keys.ts'
import { createMemorySessionDriver } from '../../src/session/drivers/memory.ts'
import { createFakeClock, type SessionHarness, sessionCases } from '../../src/testing/index.ts'

function memoryHarness(): SessionHarness {
  const clock = createFakeClock()
  const space = new MemorySpace({ clock })
  const keys = redisKeys('')
  return {
    driver: createMemorySessionDriver(space, keys, systemRandom),
    clock,
    advance: async (ms) => clock.advance(ms),
    loseEverything: async () => space.clear(),
    hasTokens: async (userKey) => space.has(keys.tokens(userKey)),
    putTokens: async (userKey) =>
      space.put(keys.tokens(userKey), new Map([['grant:entra', Buffer.from('sealed')]]), 100, 3_600_000),
  }
}

describe('sessions on the memory driver', () => {
  for (const { name, run } of sessionCases) test(name, () => run(memoryHarness()))
})
