/**
 * Real Redis for conformance cases, in one of its forms, with time travel: the scripts' clock moves by an offset, and what Redis
 * would have expired by then goes.
 */
import { createClient } from 'redis'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import type { RedisClientPort } from '../../src/redis/client-port.ts'
import type { SuppliedClient } from '../../src/redis/supplied-client.ts'
import type { RedisLibraryClient } from '../../src/redis/library.ts'
import { openRedisClient } from '../../src/redis/open-client.ts'
import { limitsOf } from '../../src/redis/options.ts'
import { resolveDestination } from '../../src/redis/resolve-destination.ts'
import { createFakeClock, type FakeClock } from '../../src/testing/fake-clock.ts'
import { libraryMajors } from './redis-clients.ts'
import { cluster, type Context, overTls, sentinel, single, underAcl } from './redis-grounds.ts'

export interface RedisWorld {
  readonly client: RedisClientPort
  clock: FakeClock
  timeOffsetMs(): number
  advance(ms: number): Promise<void>
  /** An empty store, now. */
  reset(): Promise<void>
  /** Everything that is stored goes, and time stays. */
  loseEverything(): Promise<void>
  /** `redis-cli`; in a cluster it goes to the node that holds the key. */
  cli(...args: string[]): Promise<string>
  stop(): Promise<void>
}

export interface RedisForm {
  readonly form: string
  start(): Promise<RedisWorld>
}

export const singleServers: readonly RedisForm[] = libraryMajors.map((library) => ({
  form: `one server, redis ${library.major}`,
  start: () => startWorld(single(library)),
}))

/** Every form that a store on Redis can have: created by us, and user-supplied by each major of the client library. */
export const redisForms: readonly RedisForm[] = [
  ...singleServers,
  { form: 'one server, over TLS', start: () => startWorld(overTls()) },
  { form: 'one server, as a user with the smallest ACL', start: () => startWorld(underAcl()) },
  { form: 'a cluster', start: () => startWorld(cluster()) },
  { form: 'a primary that sentinels name', start: () => startWorld(sentinel()) },
  ...libraryMajors.map((library) => ({
    form: `a user-supplied cluster, redis ${library.major}`,
    start: () => startWorld(cluster((url) => library.createCluster(url))),
  })),
  ...libraryMajors
    .filter((library) => library.createSentinel)
    .map((library) => ({
      form: `a user-supplied sentinel, redis ${library.major}`,
      start: () => startWorld(sentinel(library)),
    })),
]

async function startWorld(starting: Promise<Context>): Promise<RedisWorld> {
  const { options, primaries, stop } = await starting
  options.client?.on('error', () => undefined)
  const to = options.client ?? resolveDestination(options, {})
  const client = openRedisClient(to, limitsOf(options, {}), { clock: systemClock, events: new EventBus() })
  await client.ready()
  let offsetMs = 0
  // Not by redis-cli: a process for each step of time would take longer than the cases.
  const direct = primaries.map(({ url }) => createClient({ url }))
  await Promise.all(direct.map((one) => one.connect()))
  const everywhere = (...args: string[]): Promise<unknown> => Promise.all(direct.map((one) => one.sendCommand(args)))
  const world: RedisWorld = {
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
      await everywhere('eval', lua, '0')
    },
    async reset() {
      await everywhere('flushall')
      world.clock = createFakeClock()
      offsetMs = 0
    },
    async loseEverything() {
      await everywhere('flushall')
    },
    cli: async (...args) => (await primaries[0]?.cli('-c', ...args)) ?? '',
    async stop() {
      await client.close()
      for (const one of direct) one.destroy()
      if (options.client) await end(options.client)
      await stop()
    },
  }
  return world
}

async function end(client: SuppliedClient): Promise<void> {
  const { destroy, disconnect } = client as RedisLibraryClient
  // Major 4 has no destroy.
  await (destroy ? destroy.call(client) : disconnect?.call(client))
}
