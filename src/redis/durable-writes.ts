/**
 * Writes that replicas have acknowledged. `WAIT` speaks only of what its own connection has written, and blocks that connection
 * until it answers: so there is one for this purpose, and one `WAIT` for all scripts that were answered before it was sent.
 *
 * What an acknowledgement is worth: the promotion of a replica that gave it. Source: https://redis.io/commands/wait
 */
import type { CallOptions, Lasting, RedisArgument, RedisReply } from './client-port.ts'
import type { RedisScript } from './script.ts'

export interface Durability {
  /** How many replicas have to have it. */
  readonly replicas: number
  /** How long to wait for them. */
  readonly timeoutMs: number
}

/** One connection, and how often it has been another one. */
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
  /** The `WAIT` under way. */
  #current: Promise<unknown> = Promise.resolve()
  /** The next one, which has not been sent: what was answered before that belongs to it. */
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
    // Another connection, perhaps to another server, knows nothing of what this one has written.
    return { reply, durable: replicas >= this.#durability.replicas && this.#connection.epoch === epoch }
  }

  #acknowledged(): Promise<number> {
    this.#next ??= this.#afterCurrent()
    return this.#next
  }

  async #afterCurrent(): Promise<number> {
    await this.#current
    // One turn more, so that scripts that were answered together share it.
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

/** It may have to wait for a `WAIT` of others first. */
export function lastingTimeoutMs({ durability, writeTimeoutMs }: DurabilityLimits): number {
  return writeTimeoutMs + (durability?.timeoutMs ?? 0)
}

/** What is needed of the connection of its own. */
export interface DurableClient extends WriteConnection {
  readonly isReady: boolean
  readonly isConnecting: boolean
  close(): Promise<void>
}

/** The connection of its own, made when something durable is written for the first time. */
export class DurableConnection {
  readonly #limits: DurabilityLimits
  readonly #open: () => DurableClient
  #opened: { readonly client: DurableClient; readonly writes: DurableWrites } | null = null

  constructor(limits: DurabilityLimits, open: () => DurableClient) {
    this.#limits = limits
    this.#open = open
  }

  /** `null`: nothing durable can be written, by the options or because there is no such connection. */
  writes(): DurableWrites | null {
    const { durability, writeTimeoutMs } = this.#limits
    if (durability === null) return null
    if (this.#opened === null) {
      const client = this.#open()
      this.#opened = { client, writes: new DurableWrites(client, durability, writeTimeoutMs) }
    }
    const { client, writes } = this.#opened
    // Nobody is kept waiting for a connection that the server may refuse: then it is done, and not durable.
    return client.isReady || client.isConnecting ? writes : null
  }

  async close(): Promise<void> {
    await this.#opened?.client.close()
  }
}
