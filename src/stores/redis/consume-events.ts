/** `consumeEvents()` starts a worker for lifecycle events on its own connection. `event-consumer.ts` implements the worker. */
import { hostname } from 'node:os'
import { checkedVariable, processEnvironment } from '../../config/environment.ts'
import { missing } from '../../config/refusal.ts'
import { settingOf } from '../../config/settings.ts'
import { ownOptions } from '../../config/shape.ts'
import { systemClock } from '../../core/clock.ts'
import { EventBus } from '../../core/events.ts'
import { systemRandom } from '../../core/random.ts'
import { EventConsumer, type LifecycleEvent } from './event-consumer.ts'
import { redisKeys } from '../keys.ts'
import { openRedisClient } from '../../redis/open-client.ts'
import { limitsOf } from '../../redis/options.ts'
import { checkRedisOptions, DEFAULT_EVENT_STREAM, type RedisStoreOptions } from './options.ts'
import { destinationOf } from '../../redis/resolve-destination.ts'

const ROOT = 'consumeEvents()'

/** Options of `consumeEvents()`. */
export interface ConsumeEventsOptions {
  /** Name of the consumer group. The workers of a group share the events; each group receives all of them. */
  readonly group: string
  /** Handles one event. If it resolves, the event is acknowledged; if it rejects, the event is delivered again. At least once. */
  readonly handle: (event: LifecycleEvent) => Promise<void> | void
  /**
   * Unique name of this worker. The server keeps the names of killed workers, so use one name over all restarts. Default: host, process
   * id and a random text.
   */
  readonly name?: string | undefined
  /** The options of `redisStore()`: connection, and the number of streams. Default: `REDIS_URL`. */
  readonly redis?: RedisStoreOptions | undefined
  /** Prefix of all key names, as in the application. Variable `REDIS_PREFIX`. Default: none. */
  readonly prefix?: string | undefined
  /** Start of a new group: with events from now on, or with the oldest stored one. Default `now`. */
  readonly from?: 'now' | 'oldest' | undefined
  /** Pause of a worker that found no event, milliseconds. Default 500. */
  readonly pollMs?: number | undefined
  /** When another worker takes over an event that was not acknowledged, milliseconds. Default 60,000. */
  readonly claimAfterMs?: number | undefined
  /** Called when `handle` rejects, and during an outage of Redis (`event` is `null`). The worker tries again. Default: ignored. */
  readonly onError?: ((error: unknown, event: LifecycleEvent | null) => void) | undefined
}

/** A worker that handles events of the stream. */
export interface EventWorker {
  /** Stops the worker. Resolves when the current event is handled and the connection is closed. */
  close(): Promise<void>
}

/**
 * Starts a worker that handles lifecycle events, with a connection of its own. The rights that it needs: docs/redis-acl.md.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`, `COATCHECK_CONFIG_MISSING`
 */
export function consumeEvents(options: ConsumeEventsOptions): EventWorker {
  options = ownOptions(ROOT, options)
  for (const name of ['group', 'handle'] as const)
    if ((options as Partial<ConsumeEventsOptions>)[name] === undefined) throw missing(settingOf(ROOT, name))
  const { group, handle, onError } = options
  const redis = checkRedisOptions(options.redis ?? {})
  const env = processEnvironment()
  const client = openRedisClient(destinationOf(redis, env), limitsOf(redis, env), {
    clock: systemClock,
    events: new EventBus(),
  })
  const keys = redisKeys(options.prefix ?? checkedVariable(env, 'REDIS_PREFIX') ?? '')
  const consumer = new EventConsumer(client, keys, {
    group,
    name: options.name ?? `${hostname()}-${process.pid}-${systemRandom.bytes(6).toString('base64url')}`,
    from: options.from ?? 'now',
    pollMs: options.pollMs ?? 500,
    claimAfterMs: options.claimAfterMs ?? 60_000,
    shards: redis.eventStream?.shards ?? DEFAULT_EVENT_STREAM.shards,
    handle,
    failed(error, event) {
      onError?.(error, event)
    },
  })
  return {
    async close() {
      await consumer.stop()
      await client.close()
    },
  }
}
