/** Options of `redisStore()`: connection, near cache and event stream. */
import { ownOptions } from '../../config/shape.ts'
import type { SuppliedClient } from '../../redis/supplied-client.ts'
import {
  assertOwnConnections,
  checkConnectionOptions,
  type RedisConnectionOptions,
  type RedisLimits,
} from '../../redis/options.ts'
import type { Destination } from '../../redis/target.ts'
import type { EventStreamOptions } from './event-stream.ts'
import type { NearCacheOptions } from './near-cache.ts'

const DEFAULT_NEAR_CACHE: NearCacheOptions = { maxEntries: 10_000, maxStaleMs: 2000 }
export const DEFAULT_EVENT_STREAM: EventStreamOptions = { maxLength: 10_000, shards: 4 }

/**
 * Options of `redisStore()`. If a docstring names a variable, Coatcheck reads it when the option is missing. Times are whole milliseconds.
 * An unusable value throws `COATCHECK_CONFIG_INVALID`.
 */
export interface RedisStoreOptions extends RedisConnectionOptions {
  /**
   * Keeps sessions and tokens in this process until the server reports a change (client-side caching). `{}`: 10,000 entries, at most 2,000
   * ms without a sign of life from the server. Default: off. Needs `redis` 5.9 or 6. Not possible with a cluster or sentinel as `client`.
   */
  readonly nearCache?: Partial<NearCacheOptions> | undefined
  /**
   * Writes lifecycle events to Redis streams, for workers (`consumeEvents`). Best effort: no operation waits for it. `{}`: 4 streams of
   * about 10,000 entries each. Default: off.
   */
  readonly eventStream?: Partial<EventStreamOptions> | undefined
}

/** The resolved options and environment, before a connection is opened. */
export interface RedisSetup {
  readonly destination: Destination | SuppliedClient
  readonly limits: RedisLimits
  readonly nearCache: NearCacheOptions | null
}

export function nearCacheOf({ nearCache }: RedisStoreOptions): NearCacheOptions | null {
  return nearCache ? { ...DEFAULT_NEAR_CACHE, ...nearCache } : null
}

export function eventStreamOf({ eventStream }: RedisStoreOptions): EventStreamOptions | null {
  return eventStream ? { ...DEFAULT_EVENT_STREAM, ...eventStream } : null
}

/**
 * Checks the options that do not depend on the environment.
 * @returns the options that the caller gave, without inherited ones
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
 */
export function checkRedisOptions(given: RedisStoreOptions): RedisStoreOptions {
  const options = ownOptions('redisStore()', given)
  checkConnectionOptions(options)
  if (options.nearCache !== undefined) assertOwnConnections(options.client, 'nearCache')
  return options
}
