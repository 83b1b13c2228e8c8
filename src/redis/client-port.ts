/**
 * What the drivers need of Redis, and nothing else: commands and scripts with a deadline, and an estimate of the server's
 * clock. Only `redis/` knows the client library behind it, and whether there is one server, a primary that the sentinels
 * name, or a cluster: every call names its first key, which is all the routing that needs.
 */
import type { RedisScript } from './script.ts'

/** Strings come back as Buffers, integers as numbers, arrays as arrays. */
export type RedisReply = Buffer | number | null | readonly RedisReply[]
export type RedisArgument = string | Buffer

/** 1 s: a durable write, where nothing else is configured. */
export const WRITE_TIMEOUT_MS = 1000

export interface RedisClientPort {
  /** How long a change may take: its deadline, and what it is not executed after. Default: `WRITE_TIMEOUT_MS`. */
  readonly writeTimeoutMs?: number

  /** Default deadline of `lasting`: it may have to wait until replicas have answered for others. Default: `writeTimeoutMs`. */
  readonly lastingTimeoutMs?: number

  /** True: keys of different users lie on different servers, so one command may name keys of one hash slot only. */
  readonly isSharded: boolean

  /** Each server that holds a part of the keys, for what has to look at all of them. */
  servers(): readonly ServerPort[]

  /**
   * One command. Sent only while the connection is ready; never queued in front of one.
   * @param key the first key, for routing; also part of `args`.
   * @throws {RedisError} `COATCHECK_REDIS_TIMEOUT` after the read deadline, `COATCHECK_REDIS_UNREACHABLE` without a connection,
   *   otherwise the code of the server's answer.
   */
  command(key: string, args: readonly RedisArgument[], options?: CallOptions): Promise<RedisReply>

  /**
   * One script: `EVALSHA`, on `NOSCRIPT` once `EVAL`. All keys in one slot. The script itself must be safe to run twice,
   * since a client library may send it again after a reconnect.
   */
  script(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    options?: CallOptions,
  ): Promise<RedisReply>

  /**
   * Verifies that replies on the key's connection belong to their commands. Drivers call it before they trust a null reply.
   * It costs one `PING`. A misaligned connection is replaced, unless the application supplied it.
   * @throws {RedisError} `COATCHECK_REDIS_MISALIGNED_REPLIES` when they do not; otherwise what `command` throws
   */
  verifyAlignment(key: string): Promise<void>

  /** Changes when the connection for the key was replaced, and when a reply on it could not be assigned to a command. */
  epochOf(key: string): number

  /** Whether `durability` is configured: only then can an answer of `lasting` be durable. */
  readonly isDurable: boolean

  /**
   * A script, and whether as many replicas have acknowledged it as `durability` asks for. Without that setting `script`, and
   * `false`. Rejects like `script`: what replicas do or do not is no error.
   */
  lasting(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    options?: CallOptions,
  ): Promise<Lasting>

  /**
   * Calls the listener for each message of a channel, until it is closed. Best effort: see `Watch`. The listener must not throw.
   */
  watch(channel: string, listener: () => void): Watch

  /**
   * Calls the listener for each key with one of these beginnings that anybody changes, and with `null` when any may have
   * changed, until it is closed. Needs major 5.9 or 6 of the client library and the right to `CLIENT TRACKING`.
   * @param maxStaleMs how long after its last sign of life a connection counts as heard
   */
  track(prefixes: readonly string[], maxStaleMs: number, changed: (key: string | null) => void): KeyTracking

  /** The clock of the server that holds the key, epoch milliseconds, as last measured against ours. */
  serverNow(key: string): number

  /** For how long that server has answered without a break, as far as known; 0 while there is no connection. */
  uptime(key: string): Uptime

  /**
   * Resolves when the connection is ready and every server has answered a `PING`. Rejects with a `RedisError` that says why not:
   * without a connection after the connect deadline, without an answer after the same time again (`COATCHECK_REDIS_TIMEOUT`).
   */
  ready(): Promise<void>
  /** Ends within its deadline, whatever state the connection is in. A user-supplied client stays open. */
  close(): Promise<void>
}

/** One server, whatever keys it holds: for commands that are about the server itself. */
export interface ServerPort extends Pick<RedisClientPort, 'command'> {
  /** `host:port`, or the path of a socket. */
  readonly endpoint: string
}

export interface Watch {
  /** True: from now on messages are heard, as long as the connection stands. False: none will be. Never rejects; may stay open. */
  readonly confirmed: Promise<boolean>
  close(): void
}

/** The answer of a script, and whether as many replicas have it as were asked for. */
export interface Lasting {
  readonly reply: RedisReply
  readonly durable: boolean
}

export interface KeyTracking {
  /** Whether changes of this key are heard of. */
  isHeard(key: string): boolean
  close(): void
}

export interface Uptime {
  readonly forMs: number
  /** False for the first connection, which has no outage behind it that we know of. */
  readonly isAfterOutage: boolean
}

export interface CallOptions {
  /** Defaults: the read deadline (250 ms) for a command, the write deadline (1,000 ms) for a script. */
  readonly deadlineMs?: number
}
