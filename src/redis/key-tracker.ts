/**
 * Receives key changes from the server: `CLIENT TRACKING` in broadcast mode, on a separate connection. If a server refuses it, only the
 * features that depend on it are disabled. Source: https://redis.io/docs/latest/develop/reference/client-side-caching/
 *
 * A silently dead connection looks like one without changes. So the tracker pings it regularly. Received state counts only for `maxStaleMs`
 * after the last sign of life.
 */
import type { Clock } from '../core/clock.ts'
import { isCoatcheckError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { KeyTracking } from './client-port.ts'
import { diagnose } from './diagnose.ts'
import { cutClient, type RedisLibraryClient, SEND_OPTIONS } from './library.ts'
import { retryDelayMs } from './reconnect.ts'
import type { RedisSource } from './source.ts'

/** `null`: any key may have changed. */
export type ChangeListener = (key: string | null) => void

/** Protocol 3 carries invalidation messages, and `emitInvalidate` turns them into events: majors 5 (from 5.9) and 6. */
const TRACKING_OPTIONS = { RESP: 3, emitInvalidate: true, clientSideCache: undefined }
/** Number of pings within `maxStaleMs`, so that one may get lost. */
const SIGNS_OF_LIFE = 4

export interface TrackerDeps {
  readonly source: RedisSource
  readonly clock: Clock
  /** Prefixes of key names. No prefix may begin with another one. */
  readonly prefixes: readonly string[]
  readonly maxStaleMs: number
  readonly changed: ChangeListener
  /** Receives an event when tracking starts or stops, with the reason. */
  readonly events: EventBus
}

export class KeyTracker implements KeyTracking {
  readonly #deps: TrackerDeps
  readonly #timer: ReturnType<typeof setInterval>
  #client: RedisLibraryClient | null = null
  #hasSocket = false
  #isArmed = false
  #heardAtMs = -Infinity
  #askedAtMs: number | null = null
  #isClosed = false

  constructor(deps: TrackerDeps) {
    this.#deps = deps
    this.#timer = setInterval(() => this.#ask(), deps.maxStaleMs / SIGNS_OF_LIFE).unref()
    deps.source.follow?.(() => this.#restart())
    void this.#open()
  }

  isCurrent(): boolean {
    return this.#isArmed && this.#deps.clock.monotonic() - this.#heardAtMs < this.#deps.maxStaleMs
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#lost()
    this.#cut()
  }

  async #open(): Promise<void> {
    const { source } = this.#deps
    try {
      const isWanted = (): boolean => this.#client === client && !this.#isClosed && !source.isMoving
      const client: RedisLibraryClient | null = await source.further(
        (retries) => (isWanted() ? retryDelayMs(retries) : null),
        TRACKING_OPTIONS,
      )
      if (client === null || this.#isClosed) return
      this.#client = client
      this.#attach(client)
      await client.connect()
    } catch (error) {
      this.#report(false, error)
      if (!this.#isClosed && source.isMoving) setTimeout(() => void this.#open(), retryDelayMs(1)).unref()
    }
  }

  #attach(client: RedisLibraryClient): void {
    client.on('error', (error) => {
      if (this.#client !== client) return
      this.#hasSocket = client.isReady
      this.#lost(error)
      if (this.#deps.source.isMoving) this.#restart()
    })
    client.on('connect', () => (this.#hasSocket = true))
    client.on('ready', () => void this.#arm(client))
    client.on('invalidate', (key) => {
      if (this.#client !== client) return
      this.#heardAtMs = this.#deps.clock.monotonic()
      this.#deps.changed(key === null ? null : (key as Buffer | string).toString())
    })
  }

  async #arm(client: RedisLibraryClient): Promise<void> {
    const { clock, prefixes, changed } = this.#deps
    const sentAtMs = clock.monotonic()
    try {
      // The handshake enabled the default tracking mode. Redis cannot switch modes without `OFF`.
      await client.sendCommand(['CLIENT', 'TRACKING', 'OFF'], SEND_OPTIONS)
      const named = prefixes.flatMap((prefix) => ['PREFIX', prefix])
      await client.sendCommand(['CLIENT', 'TRACKING', 'ON', 'BCAST', ...named], SEND_OPTIONS)
    } catch (error) {
      this.#report(false, error)
      return
    }
    if (this.#client !== client) return
    // No changes were received before this point, so any key may have changed.
    changed(null)
    this.#isArmed = true
    this.#askedAtMs = null
    this.#heardAtMs = sentAtMs
    this.#report(true)
  }

  #ask(): void {
    const client = this.#client
    if (!this.#isArmed || client === null) return
    const now = this.#deps.clock.monotonic()
    if (this.#askedAtMs !== null) {
      // The last ping got no answer within `maxStaleMs`, so the connection is unusable.
      if (now - this.#askedAtMs > this.#deps.maxStaleMs) this.#restart()
      return
    }
    this.#askedAtMs = now
    client.sendCommand(['PING'], SEND_OPTIONS).then(
      () => {
        if (this.#client !== client) return
        // The server was alive when the ping was sent. It may have died since.
        this.#heardAtMs = Math.max(this.#heardAtMs, this.#askedAtMs ?? -Infinity)
        this.#askedAtMs = null
      },
      () => undefined,
    )
  }

  #lost(error?: unknown): void {
    if (!this.#isArmed) return
    this.#isArmed = false
    this.#deps.changed(null)
    this.#report(false, error)
  }

  #report(isOn: boolean, error?: unknown): void {
    const { source, events } = this.#deps
    const { endpoint } = source
    const code = isCoatcheckError(error) ? error.code : error === undefined ? null : diagnose(error, endpoint).code
    events.emit('redis.tracking', { isOn, server: endpoint, ...(code !== null && { code }) })
  }

  #restart(): void {
    this.#lost()
    this.#cut()
    if (!this.#isClosed) setTimeout(() => void this.#open(), retryDelayMs(0)).unref()
  }

  #cut(): void {
    const client = this.#client
    this.#client = null
    if (client) cutClient(client, this.#hasSocket)
    this.#hasSocket = false
  }
}
