/**
 * Writes that replicas have acknowledged. `WAIT` only covers writes of its own connection, and blocks that connection until it answers. So
 * durable writes have their own connection, and one `WAIT` covers all scripts that were answered before it was sent.
 *
 * An acknowledgement only protects the write if a replica that gave it is promoted. Source: https://redis.io/commands/wait
 */
import type { CallOptions, Lasting, RedisArgument, RedisReply } from './client-port.ts'
import type { RedisScript } from './script.ts'

export interface Durability {
  /** Number of replicas that must acknowledge a write. */
  readonly replicas: number
  /** How long to wait for the replicas, milliseconds. */
  readonly timeoutMs: number
}

/** One connection. `epoch` changes each time it is replaced. */
export interface WriteConnection {
  readonly epoch: number
  script(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    options: { deadlineMs: number },
  ): Promise<RedisReply>
  command(key: string, args: readonly RedisArgument[], options: { deadlineMs: number }): Promise<RedisReply>
}

export class DurableWrites {
  readonly #connection: WriteConnection
  readonly #durability: Durability
  readonly #deadlineMs: number
  /** The `WAIT` in progress. */
  #current: Promise<unknown> = Promise.resolve()
  /** The next `WAIT`, not sent yet. It covers scripts that are answered before it is sent. */
  #next: Promise<number> | null = null

  constructor(connection: WriteConnection, durability: Durability, writeTimeoutMs: number) {
    this.#connection = connection
    this.#durability = durability
    this.#deadlineMs = lastingTimeoutMs({ durability, writeTimeoutMs })
  }

  async script(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    { deadlineMs = this.#deadlineMs }: CallOptions = {},
  ): Promise<Lasting> {
    const reply = await this.#connection.script(script, keys, args, { deadlineMs })
    const { epoch } = this.#connection
    const replicas = await this.#acknowledged()
    // A new connection, perhaps to another server, cannot confirm writes of the old one.
    return { reply, durable: replicas >= this.#durability.replicas && this.#connection.epoch === epoch }
  }

  #acknowledged(): Promise<number> {
    this.#next ??= this.#afterCurrent()
    return this.#next
  }

  async #afterCurrent(): Promise<number> {
    await this.#current
    // Waits one event-loop turn, so that scripts that were answered together share one `WAIT`.
    await new Promise(setImmediate)
    this.#next = null
    const waiting = this.#wait()
    this.#current = waiting
    return waiting
  }

  async #wait(): Promise<number> {
    const { replicas, timeoutMs } = this.#durability
    try {
      const args = ['WAIT', String(replicas), String(timeoutMs)]
      return Number(await this.#connection.command('', args, { deadlineMs: timeoutMs + this.#deadlineMs }))
    } catch {
      return 0
    }
  }
}

interface DurabilityLimits {
  readonly durability: Durability | null
  readonly writeTimeoutMs: number
}

/** Adds the replica timeout, because the call may first wait for the `WAIT` of earlier writes. */
export function lastingTimeoutMs({ durability, writeTimeoutMs }: DurabilityLimits): number {
  return writeTimeoutMs + (durability?.timeoutMs ?? 0)
}

/** What this module uses of its dedicated connection. */
export interface DurableClient extends WriteConnection {
  readonly isReady: boolean
  readonly isConnecting: boolean
  close(): Promise<void>
}

/** The dedicated connection, opened at the first durable write. */
export class DurableConnection {
  readonly #limits: DurabilityLimits
  readonly #open: () => DurableClient
  #opened: { readonly client: DurableClient; readonly writes: DurableWrites } | null = null

  constructor(limits: DurabilityLimits, open: () => DurableClient) {
    this.#limits = limits
    this.#open = open
  }

  /** `null`: no durable write is possible, because the options disable it or the connection is unavailable. */
  writes(): DurableWrites | null {
    const { durability, writeTimeoutMs } = this.#limits
    if (durability === null) return null
    if (this.#opened === null) {
      const client = this.#open()
      this.#opened = { client, writes: new DurableWrites(client, durability, writeTimeoutMs) }
    }
    const { client, writes } = this.#opened
    // Callers never wait for a connection that the server may refuse. Their write then happens without durability.
    return client.isReady || client.isConnecting ? writes : null
  }

  async close(): Promise<void> {
    await this.#opened?.client.close()
  }
}
