/**
 * Options of a connection to Redis. Options win over the URL. The URL wins over `REDIS_USERNAME` and `REDIS_PASSWORD`, which only fill in
 * missing parts. `resolve-destination.ts` combines them. No message shows a URL or a password.
 */
import { type Environment, integerVariable } from '../config/environment.ts'
import { refuse } from '../config/refusal.ts'
import { WRITE_TIMEOUT_MS } from './client-port.ts'
import type { Durability } from './durable-writes.ts'
import { type SuppliedClient, isOneServer } from './supplied-client.ts'
import { parseRedisUrl } from './redis-url.ts'
import type { RedisCredentialsProvider } from './target.ts'

const ROOT = 'redisStore()'
const DEFAULT_COMMAND_TIMEOUT_MS = 250
const DEFAULT_CONNECT_TIMEOUT_MS = 5000
const DEFAULT_MAX_IN_FLIGHT = 10_000
const DEFAULT_DURABILITY: Durability = { replicas: 1, timeoutMs: 250 }
export const TIMEOUT_VARIABLES = [
  'REDIS_COMMAND_TIMEOUT_MS',
  'REDIS_WRITE_TIMEOUT_MS',
  'REDIS_CONNECT_TIMEOUT_MS',
] as const
const NOT_WITH_A_CLIENT = ['url', 'cluster', 'sentinels', 'username', 'password', 'credentialsProvider', 'tls'] as const

/**
 * Options of a connection to Redis. If a docstring names a variable, Coatcheck reads it when the option is missing. Times are whole
 * milliseconds. An unusable value throws `COATCHECK_CONFIG_INVALID`.
 */
export interface RedisConnectionOptions {
  /**
   * Address of the server: `redis://[user:password@]host[:6379][/database]`, `rediss://…` for TLS, `unix:///path[?db=1]`. With
   * `sentinels`, the host is the name of the primary: `redis://mymaster`. Variable `REDIS_URL`.
   */
  readonly url?: string | undefined
  /**
   * Whether the URL names a node of a Redis Cluster. A list names further nodes as `host:port`, for a start while one node is down. The
   * user and password of the URL apply to all nodes. Variable `REDIS_CLUSTER`. Default false.
   */
  readonly cluster?: boolean | readonly string[] | undefined
  /**
   * Addresses of the sentinels: `host:26379`, or a URL for a sentinel with its own password or TLS. Variable `REDIS_SENTINELS`,
   * separated by commas. Default: no Sentinel.
   */
  readonly sentinels?: readonly string[] | undefined
  /**
   * A client, cluster or sentinel of the package `redis` 4.7, 5 or 6, used in place of a URL. If it is not connected, Coatcheck connects
   * it. Coatcheck adds an error listener and never closes the client.
   */
  readonly client?: SuppliedClient | undefined
  /** ACL user, if the URL names none. Variable `REDIS_USERNAME`. Default: the default user. */
  readonly username?: string | undefined
  /** Password, if the URL holds none. Variable `REDIS_PASSWORD`. Default: none. */
  readonly password?: string | undefined
  /**
   * Provides changing credentials in place of a password: a provider of `@redis/entraid`, or your own. It also re-authenticates open
   * connections. Needs `redis` 5 or 6. Default: none.
   */
  readonly credentialsProvider?: RedisCredentialsProvider | undefined
  /** Certificates and server name for TLS (`rediss://`). Default: the certificate authorities of Node. */
  readonly tls?: RedisTlsOptions | undefined
  /**
   * Whether Coatcheck may send a password without TLS from this machine. Use it if a service mesh or a VPN encrypts the connection.
   * Variable `REDIS_ALLOW_PLAINTEXT`. Default false.
   */
  readonly allowPlaintext?: boolean | undefined
  /**
   * Deadline of a read, milliseconds. After it, the call fails with `COATCHECK_REDIS_TIMEOUT`. Variable `REDIS_COMMAND_TIMEOUT_MS`. Default
   * 250.
   */
  readonly commandTimeoutMs?: number | undefined
  /**
   * Deadline of a write or a sign-in step, milliseconds. After it, the call fails with `COATCHECK_REDIS_TIMEOUT`. The server executes no
   * write after its deadline. Variable `REDIS_WRITE_TIMEOUT_MS`. Default 1,000.
   */
  readonly writeTimeoutMs?: number | undefined
  /**
   * Makes revocations and grants durable: they wait until `replicas` replicas have acknowledged them, at most `timeoutMs`. After a
   * failover, Coatcheck applies unacknowledged writes again. `{}`: 1 replica, 250 ms. Default: no waiting, and `durable` is false. Not
   * possible with a cluster or sentinel as `client`.
   */
  readonly durability?: Partial<Durability> | undefined
  /**
   * Deadline of `ready()`, milliseconds: first for the connection (`COATCHECK_REDIS_UNREACHABLE`), then for the answer of the server
   * (`COATCHECK_REDIS_TIMEOUT`). Variable `REDIS_CONNECT_TIMEOUT_MS`. Default 5,000.
   */
  readonly connectTimeoutMs?: number | undefined
  /** Maximum number of operations that wait for an answer. Further operations fail with `COATCHECK_REDIS_OVERLOADED`. Default 10,000. */
  readonly maxInFlight?: number | undefined
}

/** Certificates for TLS, with `rediss://` only. The server's certificate is always verified. */
export interface RedisTlsOptions {
  /** Certificate authorities: PEM, or the path of a PEM file. Variable `REDIS_TLS_CA`. Default: those of Node. */
  readonly ca?: string | undefined
  /** Client certificate: PEM, or the path of a PEM file. Needs `key`. Variable `REDIS_TLS_CERT`. Default: none. */
  readonly cert?: string | undefined
  /** Private key of the client certificate: PEM, or the path of a PEM file. Variable `REDIS_TLS_KEY`. Default: none. */
  readonly key?: string | undefined
  /** Host name in the server's certificate. Default: the host of the URL. */
  readonly servername?: string | undefined
}

export interface RedisLimits {
  readonly commandTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly maxInFlight: number
  readonly durability: Durability | null
}

/** @throws {ConfigError} `COATCHECK_CONFIG_INVALID` for a variable that is not a number in its range */
export function limitsOf(options: RedisConnectionOptions, env: Environment): RedisLimits {
  const read = (name: (typeof TIMEOUT_VARIABLES)[number]): number | undefined => integerVariable(env, name)
  return {
    commandTimeoutMs: options.commandTimeoutMs ?? read('REDIS_COMMAND_TIMEOUT_MS') ?? DEFAULT_COMMAND_TIMEOUT_MS,
    writeTimeoutMs: options.writeTimeoutMs ?? read('REDIS_WRITE_TIMEOUT_MS') ?? WRITE_TIMEOUT_MS,
    connectTimeoutMs: options.connectTimeoutMs ?? read('REDIS_CONNECT_TIMEOUT_MS') ?? DEFAULT_CONNECT_TIMEOUT_MS,
    maxInFlight: options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT,
    durability: options.durability ? { ...DEFAULT_DURABILITY, ...options.durability } : null,
  }
}

/**
 * Checks the options that do not depend on the environment.
 * @throws {ConfigError} `COATCHECK_CONFIG_INVALID`
 */
export function checkConnectionOptions(options: RedisConnectionOptions): void {
  if (options.client !== undefined) {
    for (const name of NOT_WITH_A_CLIENT) {
      if (options[name] !== undefined) throw refuse({ option: `${ROOT}.${name}` }, 'does not go together with client')
    }
  }
  if (options.durability !== undefined) assertOwnConnections(options.client, 'durability')
  if (options.credentialsProvider !== undefined && options.password !== undefined) {
    throw refuse({ option: `${ROOT}.password` }, 'does not go together with credentialsProvider')
  }
  if (options.cluster !== undefined && options.cluster !== false && options.sentinels !== undefined) {
    throw refuse({ option: `${ROOT}.sentinels` }, 'does not go together with cluster')
  }
  if (options.url !== undefined) parseRedisUrl(options.url, { option: `${ROOT}.url` })
}

/** @throws {ConfigError} `COATCHECK_CONFIG_INVALID` if the option is combined with a user-supplied cluster or sentinel */
export function assertOwnConnections(client: SuppliedClient | undefined, option: string): void {
  if (client === undefined || isOneServer(client)) return
  throw refuse(
    { option: `${ROOT}.${option}` },
    'needs connections of our own to the primaries: give url with cluster or sentinels',
  )
}
