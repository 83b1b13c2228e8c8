/** Whether a server that stopped answering is there again: one `PING` at a time, since what is sent to a server that hangs only piles up. */
import type { Clock } from '../core/clock.ts'
import type { RedisConnection } from './connection.ts'
import { isServerReply } from './diagnose.ts'
import { type RedisLibraryClient, SEND_OPTIONS } from './library.ts'

const PATIENCE_MS = 250

export class AliveProbe {
  readonly #clock: Clock
  readonly #giveUpMs: number
  #ping: { readonly client: RedisLibraryClient; readonly sentAt: number; readonly answer: Promise<boolean> } | null =
    null

  /** @param giveUpMs after so long without an answer the connection is not worth waiting for */
  constructor(clock: Clock, giveUpMs: number) {
    this.#clock = clock
    this.#giveUpMs = giveUpMs
  }

  /** Resolves when the server answers, rejects when it does not within a moment. */
  async probe(connection: Pick<RedisConnection, 'client' | 'state' | 'recycle'>): Promise<void> {
    const { client, state } = connection
    if (client === null || state !== 'ready') throw new Error('no connection')
    const found = await this.#ask(client)
    if (found === 'alive') return
    // A connection whose other end is gone without a word looks exactly like this.
    if (found === 'dead') connection.recycle()
    throw new Error('no answer')
  }

  /** @returns `dead`: no answer for so long that a new connection is the better question */
  async #ask(client: RedisLibraryClient): Promise<'alive' | 'silent' | 'dead'> {
    const now = this.#clock.monotonic()
    if (this.#ping?.client !== client) this.#ping = { client, sentAt: now, answer: this.#send(client) }
    const ping = this.#ping
    void ping.answer.then(() => (this.#ping = this.#ping === ping ? null : this.#ping))
    let timer: ReturnType<typeof setTimeout> | undefined
    const timeout = new Promise<false>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS, false)))
    const isAlive = await Promise.race([ping.answer, timeout])
    clearTimeout(timer)
    if (isAlive) return 'alive'
    return this.#clock.monotonic() - ping.sentAt > this.#giveUpMs ? 'dead' : 'silent'
  }

  /** Any answer will do, also `LOADING`, and however late. */
  #send(client: RedisLibraryClient): Promise<boolean> {
    return client.sendCommand(['PING'], SEND_OPTIONS).then(
      () => true,
      (error: unknown) => isServerReply(error),
    )
  }
}
