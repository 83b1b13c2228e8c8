/**
 * Client port on the official client library, for one server. It combines what a call needs: a deadline, a ready connection, a closed
 * circuit and the server's clock. `dispatch.ts` sends the calls and handles their replies.
 */
import type { Clock } from '../core/clock.ts'
import { EventBus } from '../core/events.ts'
import { AliveProbe } from './alive-probe.ts'
import { Availability } from './availability.ts'
import { Circuit } from './circuit.ts'
import type {
  CallOptions,
  KeyTracking,
  Lasting,
  RedisArgument,
  RedisClientPort,
  RedisReply,
  ServerPort,
  Uptime,
  Watch,
} from './client-port.ts'
import { type ConnectionState, RedisConnection } from './connection.ts'
import { Demotion } from './demotion.ts'
import { Dispatch } from './dispatch.ts'
import { DurableConnection, lastingTimeoutMs } from './durable-writes.ts'
import { type DeadlineQueue, DeadlineWheel } from './deadline-wheel.ts'
import { isAligned, misalignedReplies } from './reply-alignment.ts'
import { type ChangeListener, KeyTracker } from './key-tracker.ts'
import { SEND_OPTIONS } from './library.ts'
import type { RedisLimits } from './options.ts'
import { PendingCall } from './pending-call.ts'
import type { RedisScript } from './script.ts'
import { ServerClock } from './server-clock.ts'
import { furtherSource, type RedisSource } from './source.ts'
import { StatusLog } from './status-log.ts'
import { RedisSubscriber, subscriberSource } from './subscriber.ts'

export interface RedisClientDeps {
  readonly clock: Clock
  readonly events: EventBus
  /** Shared by the nodes of a cluster. Default: a wheel of its own. */
  readonly wheel?: DeadlineWheel
  /** Handles an error with which a cluster node redirects a call. Returns true if the handler took over the call and will settle it. */
  readonly redirect?: (call: PendingCall, error: unknown) => boolean
  /** The masters, for a cluster behind one user-supplied client. */
  readonly masters?: () => readonly ServerPort[]
  /** Called when commands can be sent again, or no longer. */
  readonly changed?: (isUp: boolean) => void
}

export class RedisClient implements RedisClientPort {
  readonly isSharded: boolean
  readonly isDurable: boolean
  readonly writeTimeoutMs: number
  readonly lastingTimeoutMs: number
  readonly #readyTimeoutMs: number
  readonly #source: RedisSource
  readonly #deps: RedisClientDeps
  readonly #connection: RedisConnection
  readonly #circuit: Circuit
  readonly #dispatch: Dispatch
  readonly #wheel: DeadlineWheel
  readonly #clock: ServerClock
  readonly #reads: DeadlineQueue
  readonly #scripts: DeadlineQueue
  readonly #subscriber: RedisSubscriber
  readonly #availability: Availability
  readonly #alive: AliveProbe
  readonly #trackers: KeyTracker[] = []
  readonly #durable: DurableConnection
  readonly #statusLog: StatusLog

  constructor(source: RedisSource, limits: RedisLimits, deps: RedisClientDeps) {
    const { clock, events } = deps
    this.#source = source
    this.#deps = deps
    this.isSharded = deps.masters !== undefined
    this.isDurable = limits.durability !== null
    this.writeTimeoutMs = limits.writeTimeoutMs
    this.lastingTimeoutMs = lastingTimeoutMs(limits)
    this.#readyTimeoutMs = limits.connectTimeoutMs
    this.#clock = new ServerClock(clock)
    this.#availability = new Availability(clock)
    this.#alive = new AliveProbe(clock, limits.connectTimeoutMs)
    this.#wheel = deps.wheel ?? new DeadlineWheel(clock)
    this.#reads = this.#wheel.queue(limits.commandTimeoutMs)
    this.#scripts = this.#wheel.queue(limits.writeTimeoutMs)
    this.#circuit = new Circuit({
      probe: () => this.#alive.probe(this.#connection),
      changed: (isOpen) => {
        this.#allow()
        events.emit('redis.status', { status: isOpen ? 'circuit-open' : 'circuit-closed', server: this.endpoint })
      },
    })
    this.#connection = new RedisConnection(source, limits.connectTimeoutMs, {
      verify: (client) => this.#clock.measure(() => client.sendCommand(['TIME'], SEND_OPTIONS)),
      changed: (state, code) => this.#connectionChanged(state, code),
    })
    this.#dispatch = this.#createDispatch(limits)
    this.#durable = new DurableConnection(limits, () => {
      const silent = { clock, events: new EventBus(), wheel: this.#wheel }
      return new RedisClient(furtherSource(source), { ...limits, durability: null }, silent)
    })
    this.#subscriber = new RedisSubscriber(subscriberSource(source))
    // An old offset is better than none. Other calls will report a broken connection.
    this.#clock.keep(() => this.#dispatch.to?.sendCommand(['TIME'], SEND_OPTIONS) ?? null)
    this.#statusLog = new StatusLog(events)
    this.#statusLog.report('connecting', source.endpoint)
    void this.#connection.start()
  }

  #createDispatch({ maxInFlight }: RedisLimits): Dispatch {
    const demotion = new Demotion(this.#deps.clock)
    return new Dispatch({
      connection: this.#connection,
      circuit: this.#circuit,
      clock: this.#deps.clock,
      maxInFlight,
      redirect: this.#deps.redirect,
      scriptAnswered: () => demotion.scriptRan(),
      serverTime: async () => {
        const { to } = this.#dispatch
        if (to === null) throw this.#connection.problem()
        await this.#clock.measure(() => to.sendCommand(['TIME'], SEND_OPTIONS))
        return this.#clock.now()
      },
      readOnly: () => {
        if (this.#source.isOwn && demotion.found()) this.#connection.recycle('the server is a replica now')
      },
    })
  }

  command(_key: string, args: readonly RedisArgument[], options?: CallOptions): Promise<RedisReply> {
    const deadline = options?.deadlineMs
    const queue = deadline === undefined ? this.#reads : this.#wheel.queue(deadline)
    return this.#dispatch.send(new PendingCall(this.#dispatch, queue, args, null))
  }

  script(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    options?: CallOptions,
  ): Promise<RedisReply> {
    const deadline = options?.deadlineMs
    const queue = deadline === undefined ? this.#scripts : this.#wheel.queue(deadline)
    const all = ['EVALSHA', script.sha1, String(keys.length), ...keys, ...args]
    return this.#dispatch.send(new PendingCall(this.#dispatch, queue, all, script))
  }

  /** In a user-supplied cluster the `PING` goes to any node, because the command has no key. */
  async verifyAlignment(): Promise<void> {
    const { client } = this.#connection
    if (await isAligned((args) => this.command('', args))) return
    if (this.#connection.client === client) this.#connection.recycle('replies do not belong to their commands')
    throw misalignedReplies()
  }

  async lasting(
    script: RedisScript,
    keys: readonly string[],
    args: readonly RedisArgument[],
    options?: CallOptions,
  ): Promise<Lasting> {
    const writes = this.#durable.writes()
    if (writes === null) return { reply: await this.script(script, keys, args, options), durable: false }
    return writes.script(script, keys, args, options)
  }

  /** Changes when the connection was replaced, and when the library reported a reply that it could not assign. */
  get epoch(): number {
    return this.#availability.epoch + this.#connection.replyErrors
  }

  epochOf(): number {
    return this.epoch
  }

  watch(channel: string, listener: () => void): Watch {
    return this.#subscriber.watch(channel, listener)
  }

  servers(): readonly ServerPort[] {
    return this.#deps.masters?.() ?? [this]
  }

  get isReady(): boolean {
    return this.#dispatch.to !== null
  }

  get isConnecting(): boolean {
    return this.#connection.state === 'connecting'
  }

  get endpoint(): string {
    return this.#connection.endpoint
  }

  /** Takes over a call that another cluster node redirected. Its deadline continues. */
  adopt(call: PendingCall): void {
    this.#dispatch.adopt(call)
  }

  track(prefixes: readonly string[], maxStaleMs: number, changed: ChangeListener): KeyTracking {
    const { clock, events } = this.#deps
    const tracker = new KeyTracker({ source: this.#source, clock, events, prefixes, maxStaleMs, changed })
    this.#trackers.push(tracker)
    return tracker
  }

  uptime(): Uptime {
    return this.#availability.uptime
  }

  serverNow(): number {
    return this.#clock.now()
  }

  /** An open connection does not prove that the server answers. One round trip does. */
  async ready(): Promise<void> {
    await this.#connection.ready()
    await this.command('', ['PING'], { deadlineMs: this.#readyTimeoutMs })
  }

  async close(): Promise<void> {
    this.#clock.close()
    this.#circuit.stop()
    this.#subscriber.close()
    for (const tracker of this.#trackers) tracker.close()
    await this.#durable.close()
    await this.#connection.close(() => this.#dispatch.drained())
  }

  #connectionChanged(state: ConnectionState, code: string | undefined): void {
    this.#allow()
    this.#statusLog.report(state === 'down' ? 'reconnecting' : state, this.endpoint, code)
    if (state === 'connecting') return
    this.#dispatch.release()
    if (state === 'ready') this.#circuit.probeNow()
  }

  #allow(): void {
    const { state, client } = this.#connection
    this.#dispatch.to = state === 'ready' && !this.#circuit.isOpen ? client : null
    const { isReady } = this
    if (!this.#availability.set(isReady)) return
    this.#source.hurry?.(!isReady)
    this.#deps.changed?.(isReady)
  }
}
