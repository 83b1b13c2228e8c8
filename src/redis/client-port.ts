/**
 * The port through which drivers use Redis: commands and scripts with a deadline, and an estimate of the server's clock. Only `redis/`
 * knows the client library and the topology (single server, Sentinel or cluster). Every call names its first key, which is enough for
 * routing.
 */
import type { RedisScript } from './script.ts'

/** Strings arrive as Buffers, integers as numbers, arrays as arrays. */
export type RedisReply = Buffer | number | null | readonly RedisReply[]
export type RedisArgument = string | Buffer

/** Default deadline of a write: 1 s. */
export const WRITE_TIMEOUT_MS = 1000

export interface RedisClientPort {
  /** Deadline of a write, milliseconds. The server does not execute the write after this time. Default: `WRITE_TIMEOUT_MS`. */
  readonly writeTimeoutMs?: number

  /**
   * Default deadline of `lasting`, milliseconds. A call may wait until replicas have acknowledged earlier writes. Default:
   * `writeTimeoutMs`.
   */
  readonly lastingTimeoutMs?: number

  /** True: keys of different users lie on different servers, so one command may only name keys of one hash slot. */
  readonly isSharded: boolean

  /** Every server that holds a part of the keys, for scans over all keys. */
  servers(): readonly ServerPort[]

  /**
   * Sends one command. The command is sent only while the connection is ready. It never queues in front of a connection.
   * @param key the first key, for routing; also part of `args`
   * @throws {RedisError} `COATCHECK_REDIS_TIMEOUT` after the read deadline, `COATCHECK_REDIS_UNREACHABLE` without a connection, otherwise
   * the code of the server's error reply
   */
  command(key: string, args: readonly RedisArgument[], options?: CallOptions): Promise<RedisReply>

  /**
   * Runs one script with `EVALSHA`, and once with `EVAL` after `NOSCRIPT`. All keys must lie in one slot. The script must be safe to run
   * twice, because a client library may send it again after a reconnect.
   */
  script(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    options?: CallOptions,
  ): Promise<RedisReply>

  /**
   * Verifies that replies on the key's connection belong to their commands. Drivers call it before they trust a null reply. It costs one
   * `PING`. A misaligned connection is replaced, unless the application supplied it.
   * @throws {RedisError} `COATCHECK_REDIS_MISALIGNED_REPLIES` if the replies do not belong to their commands; otherwise what `command`
   * throws
   */
  verifyAlignment(key: string): Promise<void>

  /** Changes when the connection for the key was replaced, and when the library could not assign a reply on it to a command. */
  epochOf(key: string): number

  /** Whether `durability` is configured. Only then can a reply of `lasting` be durable. */
  readonly isDurable: boolean

  /**
   * Runs a script and reports whether as many replicas as `durability` requires have acknowledged it. Without that setting it runs `script`
   * and reports `false`. Rejects like `script`. A missing acknowledgement is not an error.
   */
  lasting(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    options?: CallOptions,
  ): Promise<Lasting>

  /** Calls the listener for each message of a channel until the watch is closed. Best effort: see `Watch`. The listener must not throw. */
  watch(channel: string, listener: () => void): Watch

  /**
   * Calls the listener for each changed key that begins with one of these prefixes. Calls it with `null` when any key may have changed.
   * Stops when closed. Needs the client library from 5.9 or 6, and the right to `CLIENT TRACKING`.
   * @param maxStaleMs milliseconds after its last sign of life during which a connection counts as live
   */
  track(prefixes: readonly string[], maxStaleMs: number, changed: (key: string | null) => void): KeyTracking

  /** The clock of the server that holds the key, epoch milliseconds, from the last measurement against the local clock. */
  serverNow(key: string): number

  /** How long that server has answered without interruption, as far as known. 0 while there is no connection. */
  uptime(key: string): Uptime

  /**
   * Resolves when the connection is ready and every server has answered a `PING`. Rejects with a `RedisError` that states the reason:
   * without a connection after the connect deadline; without an answer after the same time again (`COATCHECK_REDIS_TIMEOUT`).
   */
  ready(): Promise<void>
  /** Closes the client within its deadline, whatever the state of the connection. A user-supplied client stays open. */
  close(): Promise<void>
}

/** One server, whatever keys it holds. Used for commands that concern the server itself. */
export interface ServerPort extends Pick<RedisClientPort, 'command'> {
  /** `host:port`, or the path of a socket. */
  readonly endpoint: string
}

export interface Watch {
  /**
   * True: the listener receives messages from now on, while the connection is up. False: it will receive none. Never rejects; may stay
   * pending.
   */
  readonly confirmed: Promise<boolean>
  close(): void
}

/** Reply of a script, and whether the required number of replicas acknowledged the write. */
export interface Lasting {
  readonly reply: RedisReply
  readonly durable: boolean
}

export interface KeyTracking {
  /** Returns whether the tracker receives the changes of this key now, so that a cached copy of it is current. */
  isCurrent(key: string): boolean
  close(): void
}

export interface Uptime {
  readonly forMs: number
  /** False for the first connection, because no earlier outage is known. */
  readonly isAfterOutage: boolean
}

export interface CallOptions {
  /** Defaults: the read deadline (250 ms) for a command, the write deadline (1,000 ms) for a script. */
  readonly deadlineMs?: number
}
