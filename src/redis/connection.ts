/**
 * Manages the connection from the first attempt through losses and reconnects to its end. It knows at any moment whether commands may be
 * sent and, if not, why. The client library does not report this: it retries forever and rejects nothing. It emits no event while a server accepts a
 * connection and stays silent. It also sends queued commands before it knows which server it reached.
 */
import type { CoatcheckError } from '../core/errors.ts'
import { ConnectionProblem } from './connection-problem.ts'
import { diagnose, type Diagnosis } from './diagnose.ts'
import { cutClient, type RedisLibraryClient } from './library.ts'
import { ReadyWaiters } from './ready-waiters.ts'
import { MAX_RETRY_MS, retryDelayMs } from './reconnect.ts'
import type { RedisSource } from './source.ts'
import type { RedisTarget } from './target.ts'

export type ConnectionState =
  /** The first connect is in progress. Operations may wait for it. */
  'connecting' | 'ready' | 'down' | 'closed'

export interface ConnectionHooks {
  /** Sends a harmless command over a connection that the library reports as ready, before any operation uses it. */
  verify(client: RedisLibraryClient): Promise<void>
  changed(state: ConnectionState, code?: string): void
}

const VERIFY_AGAIN_MS = 500

export class RedisConnection {
  state: ConnectionState = 'connecting'
  client: RedisLibraryClient | null = null
  /**
   * Number of errors from a client that stayed connected. The library reports one when it cannot assign a reply. After a surplus reply the
   * next replies are aligned again, so this counter is the only sign that earlier replies were wrong.
   */
  replyErrors = 0
  readonly #source: RedisSource
  readonly #connectTimeoutMs: number
  readonly #hooks: ConnectionHooks
  readonly #waiters = new ReadyWaiters()
  readonly #problem = new ConnectionProblem(() => this.endpoint)
  /**
   * The TCP connection is established and the handshake is in progress. The library must not be closed earlier, because it would go on
   * connecting.
   */
  #hasSocket = false
  #watchdog: ReturnType<typeof setTimeout> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined

  constructor(source: RedisSource, connectTimeoutMs: number, hooks: ConnectionHooks) {
    this.#source = source
    this.#connectTimeoutMs = connectTimeoutMs
    this.#hooks = hooks
    source.follow?.(() => this.#replace('another server is the primary now'))
  }

  get endpoint(): string {
    return this.#source.endpoint
  }

  /** Call once. Failures are reported through `ready()` and `problem()`. */
  async start(): Promise<void> {
    this.#watch()
    try {
      const isWanted = (): boolean => this.client === client && !this.#source.isMoving
      const client: RedisLibraryClient = await this.#source.client((retries) =>
        isWanted() ? retryDelayMs(retries) : null,
      )
      if (this.state === 'closed' || this.client !== null) return
      this.#attach(client)
      if (client.isReady) await this.#ready(client)
      else if (!client.isOpen) this.#connect(client)
    } catch (error) {
      this.#setProblem(this.#problem.of(error))
      if (this.#source.isMoving) this.#later(() => void this.start(), retryDelayMs(1))
    }
  }

  /** Returns why no command can be sent, as a new error. */
  problem(): CoatcheckError {
    return this.#problem.asError()
  }

  /**
   * Resolves when the connection is ready. Rejects at once for a problem that waiting cannot solve, otherwise after the connect deadline.
   */
  async ready(): Promise<void> {
    if (this.state === 'ready') return
    if (this.state === 'closed' || (this.#problem.isKnown && !this.problem().retryable)) throw this.problem()
    await this.#waiters.wait(this.#connectTimeoutMs, () => this.problem())
  }

  /** Replaces a connection that is open but does not answer. The owner of a user-supplied client replaces it, not this class. */
  recycle(says: string): void {
    // The user-supplied client may still answer. Its own events then make the connection ready again.
    if (this.state === 'closed' || (this.state === 'ready' && !this.#source.isOwn)) return
    this.#setProblem(this.#problem.unreachable(says))
    if (this.#source.isOwn) this.#begin(retryDelayMs(1))
  }

  /** Replaces at once, because the next attempt probably reaches the right server. */
  #replace(says: string): void {
    if (this.state === 'closed') return
    this.#setProblem(this.#problem.unreachable(says))
    this.#begin(0)
  }

  #begin(delayMs: number): void {
    const { client } = this
    this.client = null
    if (client) cutClient(client, this.#hasSocket)
    this.#later(() => void this.start(), delayMs)
  }

  /** @param drained resolves when all calls in flight are answered, or when the drain deadline has passed */
  async close(drained: () => Promise<void>): Promise<void> {
    if (this.state === 'closed') return
    const { client } = this
    this.client = null
    clearTimeout(this.#watchdog)
    clearTimeout(this.#retry)
    this.#problem.found(this.#problem.unreachable('the store was closed'), true)
    this.#change('closed')
    this.#waiters.finish(this.problem())
    if (client?.isReady) await drained()
    if (client && this.#source.isOwn) cutClient(client, this.#hasSocket)
    await this.#source.close?.()
  }

  #attach(client: RedisLibraryClient): void {
    this.client = client
    this.#hasSocket = client.isReady
    const current = (handle: (client: RedisLibraryClient, error: unknown) => void) => (error: unknown) => {
      if (this.client === client) handle(client, error)
    }
    // Stays attached: an `error` event without a listener ends the process.
    client.on(
      'error',
      current((_, error) => this.#failed(client, error)),
    )
    client.on(
      'ready',
      current(() => void this.#ready(client)),
    )
    client.on(
      'end',
      current(() => this.#ended()),
    )
    client.on(
      'connect',
      current(() => {
        this.#hasSocket = true
        this.#watch()
      }),
    )
  }

  #connect(client: RedisLibraryClient): void {
    client.connect().catch((error: unknown) => {
      if (this.client === client && !client.isReady) this.#failed(client, error)
    })
  }

  async #ready(client: RedisLibraryClient): Promise<void> {
    this.#hasSocket = true
    this.#watch()
    try {
      await this.#source.check?.(client)
    } catch (error) {
      if (this.client !== client) return
      this.#setProblem(this.#problem.of(error))
      this.#begin(retryDelayMs(1))
      return
    }
    try {
      await this.#hooks.verify(client)
    } catch (error) {
      if (this.client !== client || !client.isReady) return
      const found = diagnose(error, this.endpoint)
      // With protocol 2, a missing password only shows now. Other error replies do not concern the connection.
      if (found.code === 'COATCHECK_REDIS_NOAUTH' || found.code === 'COATCHECK_REDIS_AUTH') {
        this.#setProblem(found)
        this.#later(() => void this.#ready(client), VERIFY_AGAIN_MS)
        return
      }
    }
    if (this.client !== client || !client.isReady) return
    clearTimeout(this.#watchdog)
    this.#problem.solved()
    this.#change('ready')
    this.#waiters.finish(null)
  }

  #failed(client: RedisLibraryClient, error: unknown): void {
    if (client.isReady) {
      this.replyErrors++
      // Replaces a connection that Coatcheck owns. A user-supplied client stays open: the error may concern a command of the application.
      this.recycle('a reply arrived that no command waits for')
      return
    }
    this.#hasSocket = false
    this.#setProblem(diagnose(error, this.endpoint))
    if (this.#source.isMoving) this.#begin(retryDelayMs(1))
    else if (this.#source.target !== null) void this.#probe(this.#source.target)
    // The reconnect strategy of the application has given up. Coatcheck keeps trying.
    else if (!client.isOpen) this.#later(() => !client.isOpen && this.#connect(client), MAX_RETRY_MS)
  }

  /** The application closed its client, so Coatcheck does not open it again. */
  #ended(): void {
    this.#setProblem(this.#problem.unreachable('the application closed its client'))
    clearTimeout(this.#retry)
  }

  async #probe(target: RedisTarget): Promise<void> {
    const found = await this.#problem.probe(target)
    if (found && this.state === 'down') this.#setProblem(found)
  }

  /** The library emits no event for a handshake that the server does not answer. */
  #watch(): void {
    clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(
      // Without a socket, the name lookup or the TCP handshake caused the delay.
      () =>
        this.recycle(
          this.#hasSocket ? 'connected, but the server does not answer' : 'no answer to the connection attempt',
        ),
      this.#connectTimeoutMs,
    ).unref()
  }

  #later(action: () => void, delayMs: number): void {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(action, delayMs)
  }

  #setProblem(problem: Diagnosis | CoatcheckError): void {
    if (this.state === 'closed') return
    clearTimeout(this.#watchdog)
    this.#problem.found(problem, this.state === 'ready')
    this.#change('down', this.#problem.code)
    if (!this.problem().retryable) this.#waiters.finish(this.problem())
  }

  #change(state: ConnectionState, code?: string): void {
    this.state = state
    this.#hooks.changed(state, code)
  }
}
