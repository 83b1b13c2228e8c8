import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest'
import { systemRandom } from '../../src/core/random.ts'
import { MemorySpace } from '../../src/stores/memory/space.ts'
import { announcedPrefixes, redisKeys } from '../../src/stores/keys.ts'
import { NearCache } from '../../src/stores/redis/near-cache.ts'
import { createMemorySessionDriver } from '../../src/stores/memory/session-driver.ts'
import { createRedisSessionDriver } from '../../src/stores/redis/session-driver.ts'
import { createFakeClock, type SessionHarness, sessionCases } from '../../src/entries/testing.ts'
import { redisForms, type RedisWorld } from '../support/redis-world.ts'

const keys = redisKeys('')
const HOUR_MS = 3_600_000

function memoryHarness(): SessionHarness {
  const clock = createFakeClock()
  const space = new MemorySpace({ clock })
  return {
    driver: createMemorySessionDriver(space, keys, systemRandom),
    clock,
    advance: async (ms) => clock.advance(ms),
    loseEverything: async () => space.clear(),
    hasTokens: async (userKey) => space.has(keys.tokens(userKey)),
    putTokens: async (userKey) =>
      space.put(keys.tokens(userKey), new Map([['grant:entra', Buffer.from('sealed')]]), 100, HOUR_MS),
  }
}

describe('sessions on the memory driver', () => {
  for (const { name, run } of sessionCases) test(name, () => run(memoryHarness()))
})

const forms = [
  ...redisForms.map(({ form, start }) => ({ form, start, isNear: false })),
  ...redisForms
    .filter(({ form }) => form === 'a cluster' || form === 'one server, redis 6')
    .map(({ form, start }) => ({ form: `${form}, with a near cache`, start, isNear: true })),
]

describe.each(forms)('sessions on $form', ({ start, isNear }) => {
  let world: RedisWorld
  const near = isNear ? new NearCache(1000) : null

  beforeAll(async () => {
    world = await start()
    near?.follow(world.client.track(announcedPrefixes(''), 2000, near.changed))
  })
  afterAll(() => world.stop())
  beforeEach(() => world.reset())

  const harness = (): SessionHarness => ({
    driver: createRedisSessionDriver(world.client, keys, {
      random: systemRandom,
      near,
      timeOffsetMs: () => world.timeOffsetMs(),
    }),
    clock: world.clock,
    // From outside of the process, so that it hears of it a moment later.
    async advance(ms) {
      await world.advance(ms)
      near?.changed(null)
    },
    async loseEverything() {
      await world.loseEverything()
      near?.changed(null)
    },
    hasTokens: async (userKey) => (await world.cli('exists', keys.tokens(userKey))).trim() === '1',
    putTokens: async (userKey) => {
      await world.cli('hset', keys.tokens(userKey), 'grant:entra', 'sealed')
    },
  })

  for (const { name, run } of sessionCases) test(name, () => run(harness()))
})
