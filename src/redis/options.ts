/**
 * The options of `redisStore()`. Options win over the URL, the URL wins over `REDIS_USERNAME` and `REDIS_PASSWORD`, which only
 * fill in what it leaves out; `resolve-destination.ts` puts them together. No message shows a URL or a password.
 */
import { type Environment, integerVariable } from '../config/environment.ts'
import { refuse } from '../config/refusal.ts'
import { checkShape } from '../config/shape.ts'
import { WRITE_TIMEOUT_MS } from './client-port.ts'
import type { Durability } from './durable-writes.ts'
import type { EventStreamOptions } from './event-stream.ts'
import { type HandedInClient, isOneServer } from './handed-in.ts'
import type { NearCacheOptions } from './near-cache.ts'
import { parseRedisUrl } from './redis-url.ts'
import type { Destination, RedisCredentialsProvider } from './target.ts'

const ROOT = 'redisStore()'
const DEFAULT_COMMAND_TIMEOUT_MS = 250
const DEFAULT_CONNECT_TIMEOUT_MS = 5000
const DEFAULT_MAX_IN_FLIGHT = 10_000
const DEFAULT_NEAR_CACHE: NearCacheOptions = { maxEntries: 10_000, maxStaleMs: 2000 }
export const DEFAULT_EVENT_STREAM: EventStreamOptions = { maxLength: 10_000, shards: 4 }
const DEFAULT_DURABILITY: Durability = { replicas: 1, timeoutMs: 250 }
export const TIMEOUT_VARIABLES = [
  'REDIS_COMMAND_TIMEOUT_MS',
  'REDIS_WRITE_TIMEOUT_MS',
  'REDIS_CONNECT_TIMEOUT_MS',
] as const
const NOT_WITH_A_CLIENT = ['url', 'cluster', 'sentinels', 'username', 'password', 'credentialsProvider', 'tls'] as const

/** Options of `redisStore()`. Each may come from the environment instead. */
export interface RedisStoreOptions {
  /**
   * `REDIS_URL`: `redis://[user:password@]host[:6379][/database]`, `rediss://…` for TLS, `unix:///path[?db=1]`. With
   * `sentinels` the host is the name of the primary: `redis://mymaster`.
   */
  readonly url?: string | undefined
  /**
   * `REDIS_CLUSTER`: `true` when the URL leads to a node of a Redis Cluster, or further nodes as `host:port`, so that one that
   * is down at the start does not matter. Names and passwords of the URL are for all nodes.
   */
  readonly cluster?: boolean | readonly string[] | undefined
  /** `REDIS_SENTINELS`, separated by commas: `host:26379`, or a URL where a sentinel has a password or TLS of its own. */
  readonly sentinels?: readonly string[] | undefined
  /**
   * A client, cluster or sentinel of the package `redis` 4.7, 5 or 6 instead of a URL. It stays yours: it is connected if it is
   * not, gets an error listener, and is never closed here.
   */
  readonly client?: HandedInClient | undefined
  /** `REDIS_USERNAME`, when the URL has none. */
  readonly username?: string | undefined
  /** `REDIS_PASSWORD`, when the URL has none. */
  readonly password?: string | undefined
  /**
   * Instead of a password, for one that changes: a provider of `@redis/entraid`, or one of your own. Connections that stand are
   * authenticated again by it. Needs `redis` 5 or 6.
   */
  readonly credentialsProvider?: RedisCredentialsProvider | undefined
  /** Certificates and server name for TLS. Default: those of Node. */
  readonly tls?: RedisTlsOptions | undefined
  /** `REDIS_COMMAND_TIMEOUT_MS`: how long a read of a request waits for its reply, in milliseconds. Default 250. */
  readonly commandTimeoutMs?: number | undefined
  /**
   * `REDIS_WRITE_TIMEOUT_MS`: how long a write or a step of a sign-in waits for its reply, in milliseconds. The server does not execute the
   * write after that time. Default 1,000.
   */
  readonly writeTimeoutMs?: number | undefined
  /**
   * Revocations, and grants of tokens, are durable once `replicas` replicas have acknowledged them, within `timeoutMs`; those that are not
   * are applied again after a failover. Default: replication is not waited for, and nothing is called durable. Not with a
   * cluster or sentinel that was handed in.
   */
  readonly durability?: Partial<Durability> | undefined
  /**
   * Sessions and tokens that were read are kept in this process until the server says that they have changed. Off by default. Needs
   * `redis` 5.9 or 6, and not with a cluster or sentinel that was handed in.
   */
  readonly nearCache?: Partial<NearCacheOptions> | undefined
  /**
   * Lifecycle events are also written to streams, for workers (`consumeEvents`). `{}` for the defaults, 4 streams of about 10,000
   * entries. Off by default; best effort.
   */
  readonly eventStream?: Partial<EventStreamOptions> | undefined
  /** Until `ready()` says why there is no connection. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined
  /** Operations that wait for an answer at the same time. Default 10,000. */
  readonly maxInFlight?: number | undefined
}

/** Only with `rediss://`. The certificate is always verified. */
export interface RedisTlsOptions {
  /** `REDIS_TLS_CA`: certificates in PEM, or the path of a file that holds them. Default: those of Node. */
  readonly ca?: string | undefined
  /** `REDIS_TLS_CERT`: a certificate of ours, for a server that asks for one; PEM or a path. Goes with `key`. */
  readonly cert?: string | undefined
  /** `REDIS_TLS_KEY`: its private key; PEM or a path. */
  readonly key?: string | undefined
  /** The name in the server's certificate, when it is not the host of the URL. */
  readonly servername?: string | undefined
}

export interface RedisLimits {
  readonly commandTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly maxInFlight: number
  readonly durability: Durability | null
}

/** What becomes of options and environment, before anything is opened. */
export interface RedisSetup {
  readonly destination: Destination | HandedInClient
  readonly limits: RedisLimits
  readonly nearCache: NearCacheOptions | null
}

/** @throws {ConfigError} `COATCHECK_CONFIG_INVALID` for a variable that is not a number in its range */
export function limitsOf(options: RedisStoreOptions, env: Environment): RedisLimits {
  const read = (name: (typeof TIMEOUT_VARIABLES)[number]): number | undefined => integerVariable(env, name)
  return {
    commandTimeoutMs: options.commandTimeoutMs ?? read('REDIS_COMMAND_TIMEOUT_MS') ?? DEFAULT_COMMAND_TIMEOUT_MS,
    writeTimeoutMs: options.writeTimeoutMs ?? read('REDIS_WRITE_TIMEOUT_MS') ?? WRITE_TIMEOUT_MS,
    connectTimeoutMs: options.connectTimeoutMs ?? read('REDIS_CONNECT_TIMEOUT_MS') ?? DEFAULT_CONNECT_TIMEOUT_MS,
    maxInFlight: options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT,
    durability: options.durability ? { ...DEFAULT_DURABILITY, ...options.durability } : null,
  }
}

export function nearCacheOf({ nearCache }: RedisStoreOptions): NearCacheOptions | null {
  return nearCache ? { ...DEFAULT_NEAR_CACHE, ...nearCache } : null
}

export function eventStreamOf({ eventStream }: RedisStoreOptions): EventStreamOptions | null {
  return eventStream ? { ...DEFAULT_EVENT_STREAM, ...eventStream } : null
}

/**
 * What can be said without the environment.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
 */
export function checkRedisOptions(options: RedisStoreOptions): void {
  checkShape(ROOT, options)
  if (options.client !== undefined) {
    for (const name of NOT_WITH_A_CLIENT) {
      if (options[name] !== undefined) throw refuse({ option: `${ROOT}.${name}` }, 'does not go together with client')
    }
  }
  for (const name of ['durability', 'nearCache'] as const) {
    if (options[name] === undefined || options.client === undefined || isOneServer(options.client)) continue
    throw refuse(
      { option: `${ROOT}.${name}` },
      'needs connections of our own to the primaries: give url with cluster or sentinels',
    )
  }
  if (options.credentialsProvider !== undefined && options.password !== undefined) {
    throw refuse({ option: `${ROOT}.password` }, 'does not go together with credentialsProvider')
  }
  if (options.cluster !== undefined && options.cluster !== false && options.sentinels !== undefined) {
    throw refuse({ option: `${ROOT}.sentinels` }, 'does not go together with cluster')
  }
  if (options.url !== undefined) parseRedisUrl(options.url, { option: `${ROOT}.url` })
}
