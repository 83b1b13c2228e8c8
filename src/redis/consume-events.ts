/** `consumeEvents()`: a worker on lifecycle events, with a connection of its own. How it works stands in `event-consumer.ts`. */
import { hostname } from 'node:os'
import { checkedVariable, processEnvironment } from '../config/environment.ts'
import { missing } from '../config/refusal.ts'
import { settingOf } from '../config/settings.ts'
import { checkShape } from '../config/shape.ts'
import { systemClock } from '../core/clock.ts'
import { EventBus } from '../core/events.ts'
import { systemRandom } from '../core/random.ts'
import { EventConsumer, type LifecycleEvent } from './event-consumer.ts'
import { redisKeys } from './keys.ts'
import { openRedisClient } from './open-client.ts'
import { checkRedisOptions, DEFAULT_EVENT_STREAM, limitsOf, type RedisStoreOptions } from './options.ts'
import { resolveDestination } from './resolve-destination.ts'

const ROOT = 'consumeEvents()'

/** Options of `consumeEvents()`. */
export interface ConsumeEventsOptions {
  /** Workers of one group share the events; each group gets all of them. */
  readonly group: string
  /** Handles one event. Acknowledged when it resolves; delivered again, later, when it rejects. It may come twice. */
  readonly handle: (event: LifecycleEvent) => Promise<void> | void
  /** Of this worker, unlike any other's. Killed workers stay on the server's list: one name over all restarts keeps it short. */
  readonly name?: string | undefined
  /** What `redisStore()` got: connection, and the number of streams. */
  readonly redis?: RedisStoreOptions | undefined
  /** `REDIS_PREFIX`. */
  readonly prefix?: string | undefined
  /** Where a new group begins. Default `now`. */
  readonly from?: 'now' | 'oldest' | undefined
  /** How long a worker that has found nothing waits. Default 500. */
  readonly pollMs?: number | undefined
  /** After how long without a sign of its worker an event is taken over. Default 60,000. */
  readonly claimAfterMs?: number | undefined
  /** Told of handlers that reject, and of a store that cannot be asked (`event` is `null`); both are tried again. */
  readonly onError?: ((error: unknown, event: LifecycleEvent | null) => void) | undefined
}

/** A worker that handles events of the stream. */
export interface EventWorker {
  /** Resolves when the event under way has been handled and the connection is closed. */
  close(): Promise<void>
}

/**
 * Begins at once. Rights: docs/redis-acl.md.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`, `COATCHECK_CONFIG_MISSING`
 */
export function consumeEvents(options: ConsumeEventsOptions): EventWorker {
  checkShape(ROOT, options)
  for (const name of ['group', 'handle'] as const)
    if ((options as Partial<ConsumeEventsOptions>)[name] === undefined) throw missing(settingOf(ROOT, name))
  const { redis = {}, group, handle, onError } = options
  checkRedisOptions(redis)
  const env = processEnvironment()
  const client = openRedisClient(redis.client ?? resolveDestination(redis, env), limitsOf(redis, env), {
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
