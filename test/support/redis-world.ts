/**
 * A real Redis for conformance cases, reached through one major of the client library, with time travel: the scripts' clock
 * moves by an offset, and what Redis would have expired by then goes.
 */
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import { RedisClient } from '../../src/redis/client.ts'
import { limitsOf } from '../../src/redis/options.ts'
import { createFakeClock, type FakeClock } from '../../src/testing/fake-clock.ts'
import type { LibraryMajor } from './redis-clients.ts'
import { type RedisServer, startRedisServer } from './redis-server.ts'

export interface RedisWorld {
  readonly server: RedisServer
  readonly client: RedisClient
  clock: FakeClock
  timeOffsetMs(): number
  advance(ms: number): Promise<void>
  /** An empty store, now. */
  reset(): Promise<void>
  stop(): Promise<void>
}

export async function startRedisWorld(library: LibraryMajor): Promise<RedisWorld> {
  const server = await startRedisServer()
  const application = library.create(server.url)
  application.on('error', () => undefined)
  const client = new RedisClient(application, limitsOf({}), { clock: systemClock, events: new EventBus() })
  await client.ready()
  let offsetMs = 0
  const world: RedisWorld = {
    server,
    client,
    clock: createFakeClock(),
    timeOffsetMs: () => offsetMs,
    async advance(ms) {
      world.clock.advance(ms)
      offsetMs += ms
      const lua = `for _, key in ipairs(redis.call('KEYS', '*')) do
        local left = redis.call('PTTL', key)
        if left > ${ms} then redis.call('PEXPIRE', key, left - ${ms}) elseif left >= 0 then redis.call('DEL', key) end
      end`
      await server.cli('eval', lua, '0')
    },
    async reset() {
      await server.cli('flushall')
      world.clock = createFakeClock()
      offsetMs = 0
    },
    async stop() {
      await client.close()
      // Major 4 has no destroy.
      await (application.destroy ? application.destroy() : application.disconnect?.())
      await server.stop()
    },
  }
  return world
}
