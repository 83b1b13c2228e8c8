/**
 * Checks whether a server that stopped answering responds again. Sends one `PING` at a time, because commands to a hung server only queue
 * up. If the reply belongs to another command, an earlier reply was lost, and the connection is unusable.
 */
import type { Clock } from '../core/clock.ts'
import type { RedisConnection } from './connection.ts'
import { isServerReply } from './diagnose.ts'
import { isAligned } from './reply-alignment.ts'
import { type RedisLibraryClient, SEND_OPTIONS } from './library.ts'

const PATIENCE_MS = 250

/** `dead`: the connection is unusable, and a new one must be opened. */
type Pulse = 'alive' | 'silent' | 'dead'

export class AliveProbe {
  readonly #clock: Clock
  readonly #giveUpMs: number
  #ping: { readonly client: RedisLibraryClient; readonly sentAt: number; readonly answer: Promise<Pulse> } | null = null

  /** @param giveUpMs milliseconds without an answer after which the connection is replaced */
  constructor(clock: Clock, giveUpMs: number) {
    this.#clock = clock
    this.#giveUpMs = giveUpMs
  }

  /** Resolves when the server answers. Rejects if it does not answer within `PATIENCE_MS`. */
  async probe(connection: Pick<RedisConnection, 'client' | 'state' | 'recycle'>): Promise<void> {
    const { client, state } = connection
    if (client === null || state !== 'ready') throw new Error('no connection')
    const found = await this.#ask(client)
    if (found === 'alive') return
    // If the peer disappeared without closing the socket, the connection looks exactly like this.
    if (found === 'dead') connection.recycle('connected, but the server does not answer')
    throw new Error('no answer')
  }

  async #ask(client: RedisLibraryClient): Promise<Pulse> {
    const now = this.#clock.monotonic()
    if (this.#ping?.client !== client) this.#ping = { client, sentAt: now, answer: this.#send(client) }
    const ping = this.#ping
    void ping.answer.then(() => (this.#ping = this.#ping === ping ? null : this.#ping))
    let timer: ReturnType<typeof setTimeout> | undefined
    const timeout = new Promise<Pulse>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS, 'silent')))
    const found = await Promise.race([ping.answer, timeout])
    clearTimeout(timer)
    if (found !== 'silent') return found
    return this.#clock.monotonic() - ping.sentAt > this.#giveUpMs ? 'dead' : 'silent'
  }

  /** An error reply also proves that the server is alive, including `LOADING`, however late it arrives. */
  #send(client: RedisLibraryClient): Promise<Pulse> {
    return isAligned((args) => client.sendCommand(args, SEND_OPTIONS)).then(
      (isOwn) => (isOwn ? 'alive' : 'dead'),
      (error: unknown) => (isServerReply(error) ? 'alive' : 'silent'),
    )
  }
}
