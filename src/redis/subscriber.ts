/**
 * Hearing of changes that other processes make: subscriptions on a connection of their own, since one that is subscribed
 * answers nothing else on protocol 2. It is opened for the first listener and closed when nobody has listened for a while.
 *
 * What is heard is a hint and never the truth. A message that is lost, a server that forbids the channel, a connection that
 * is away: all of that means "not heard", and whoever waits looks for itself from time to time.
 */
import type { Watch } from './client-port.ts'
import { cutClient, type RedisLibraryClient } from './library.ts'
import { retryDelayMs } from './reconnect.ts'
import type { RedisSource } from './source.ts'

const IDLE_MS = 30_000

/** Makes a client that is not connected yet and connects again by itself until it is cut; `null` when none can be made. */
export type SubscriberSource = (isNeeded: () => boolean) => Promise<RedisLibraryClient | null>

interface Connection {
  readonly client: RedisLibraryClient
  /** What the library must know to be cut: see `cutClient`. */
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

  /** @param listener called for each message, also for those of others on the same channel */
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
    // Whoever waits next tries again.
    const forget = (): void => {
      if (this.#connection === opening) this.#connection = null
    }
    // Subscriptions wait in the library until the connection stands.
    opening.then(({ client }) => client.connect().catch(forget), forget)
    return opening
  }

  async #make(): Promise<Connection> {
    const life = { isOver: false }
    const client = await this.#source(() => !life.isOver)
    if (client === null) throw new Error('no client to subscribe with')
    const connection: Connection = Object.assign(life, { client, hasSocket: false })
    // Never taken off: an error event that nobody listens to would end the process.
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

/** Further connections for subscriptions: of our own to the same server, also beside a user-supplied client. */
export function subscriberSource(source: RedisSource): SubscriberSource {
  return (isNeeded) => source.further((retries) => (isNeeded() ? retryDelayMs(retries) : null))
}
