/**
 * Receives messages about changes from other processes. Subscriptions have their own connection, because a subscribed connection takes no
 * other commands on protocol 2. It opens for the first listener and closes after `IDLE_MS` without listeners.
 *
 * A message is a hint and never the truth. A message may be lost, the server may forbid the channel, or the connection may be down. In all
 * these cases nothing arrives, so a waiting caller must also poll.
 */
import type { Watch } from './client-port.ts'
import { cutClient, type RedisLibraryClient } from './library.ts'
import { retryDelayMs } from './reconnect.ts'
import type { RedisSource } from './source.ts'

const IDLE_MS = 30_000

/** Creates a client that is not connected yet and that reconnects by itself until it is closed; `null` if none can be made. */
export type SubscriberSource = (isNeeded: () => boolean) => Promise<RedisLibraryClient | null>

interface Connection {
  readonly client: RedisLibraryClient
  /** `cutClient` needs this. */
  hasSocket: boolean
  isOver: boolean
}

export class RedisSubscriber {
  readonly #source: SubscriberSource
  #connection: Promise<Connection> | null = null
  #watches = 0
  #idle: ReturnType<typeof setTimeout> | undefined
  #isClosed = false

  constructor(source: SubscriberSource) {
    this.#source = source
  }

  /** @param listener called for each message, including those of other publishers on the same channel */
  watch(channel: string, listener: () => void): Watch {
    if (this.#isClosed) return { confirmed: Promise.resolve(false), close: () => undefined }
    this.#watches++
    clearTimeout(this.#idle)
    let isOver = false
    const isHeard = this.#subscribe(channel, listener)
    return {
      confirmed: isHeard,
      close: () => {
        if (isOver) return
        isOver = true
        void isHeard.then((wasHeard) => (wasHeard ? this.#unsubscribe(channel, listener) : undefined))
        if (--this.#watches === 0) this.#idle = setTimeout(() => this.#cut(), IDLE_MS).unref()
      },
    }
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#idle)
    this.#cut()
  }

  async #subscribe(channel: string, listener: () => void): Promise<boolean> {
    const opening = (this.#connection ??= this.#open())
    try {
      const { client } = await opening
      await client.subscribe?.(channel, listener)
      return client.subscribe !== undefined
    } catch {
      return false
    }
  }

  async #unsubscribe(channel: string, listener: () => void): Promise<void> {
    const connection = await this.#connection?.catch(() => null)
    await connection?.client.unsubscribe?.(channel, listener).catch(() => undefined)
  }

  #open(): Promise<Connection> {
    const opening = this.#make()
    // The next caller tries again.
    const forget = (): void => {
      if (this.#connection === opening) this.#connection = null
    }
    // The library queues subscriptions until the connection is ready.
    opening.then(({ client }) => client.connect().catch(forget), forget)
    return opening
  }

  async #make(): Promise<Connection> {
    const life = { isOver: false }
    const client = await this.#source(() => !life.isOver)
    if (client === null) throw new Error('no client to subscribe with')
    const connection: Connection = Object.assign(life, { client, hasSocket: false })
    // Stays attached: an `error` event without a listener ends the process.
    client.on('error', () => (connection.hasSocket = client.isReady))
    client.on('connect', () => (connection.hasSocket = true))
    return connection
  }

  #cut(): void {
    const opening = this.#connection
    this.#connection = null
    opening?.then(
      (connection) => {
        connection.isOver = true
        cutClient(connection.client, connection.hasSocket)
      },
      () => undefined,
    )
  }
}

/** Opens further connections for subscriptions: to the same server and owned by Coatcheck, also next to a user-supplied client. */
export function subscriberSource(source: RedisSource): SubscriberSource {
  return (isNeeded) => source.further((retries) => (isNeeded() ? retryDelayMs(retries) : null))
}
