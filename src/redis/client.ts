/**
 * The client port on the official client library, for one server: every operation has a deadline and an answer that says
 * what is wrong, whatever state the connection is in. `command` is the hot path: as little as possible stands between it
 * and the library's `sendCommand`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel'
import type { Clock } from '../core/clock.ts'
import { CoatcheckError, RedisError } from '../core/errors.ts'
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
import { type ConnectionState, RedisConnection, subscriberSource } from './connection.ts'
import { DurableWrites } from './durable-writes.ts'
import { type DeadlineQueue, DeadlineWheel } from './deadline-wheel.ts'
import { diagnose, isReadOnlyReply, isServerReply, isTransientReply, isUnknownScript, redisError } from './diagnose.ts'
import { type ChangeListener, KeyTracker } from './key-tracker.ts'
import { type RedisLibraryClient, SEND_OPTIONS } from './library.ts'
import type { RedisLimits } from './options.ts'
import { type CallOwner, PendingCall } from './pending-call.ts'
import { isLateReply, type RedisScript } from './script.ts'
import { ServerClock } from './server-clock.ts'
import { furtherSource, type RedisSource } from './source.ts'
import { RedisSubscriber } from './subscriber.ts'

const CLOSE_MS = 1000
const DRAIN_MS = 5
const CLOCK_EVERY_MS = 60_000
const RETRIES = 50
/** A URL that leads to a replica is not mended by connecting again, so that is tried once in a while only. */
const DEMOTED_EVERY_MS = 1000

export interface RedisClientDeps {
  readonly clock: Clock
  readonly events: EventBus
  /** Shared by the nodes of a cluster. Default: one of its own. */
  readonly wheel?: DeadlineWheel
  /** What a node of a cluster says about where a call belongs. True: somebody else settles it from here on. */
  readonly redirect?: (call: PendingCall, error: unknown) => boolean
  /** For a cluster behind one client, which was handed in. */
  readonly masters?: () => readonly ServerPort[]
  /** Whether commands can be sent has changed. */
  readonly changed?: (isUp: boolean) => void
}

export class RedisClient implements RedisClientPort, CallOwner {
  readonly isSharded: boolean
  readonly writeTimeoutMs: number
  readonly #source: RedisSource
  readonly #deps: RedisClientDeps
  readonly #connection: RedisConnection
  readonly #circuit: Circuit
  readonly #wheel: DeadlineWheel
  readonly #clock: ServerClock
  readonly #events: EventBus
  readonly #limits: RedisLimits
  readonly #reads: DeadlineQueue
  readonly #scripts: DeadlineQueue
  readonly #subscriber: RedisSubscriber
  readonly #clockTimer: ReturnType<typeof setInterval>
  readonly #again = retry(handleWhen(isTransientReply), {
    maxAttempts: RETRIES,
    backoff: new ExponentialBackoff({ initialDelay: 10, maxDelay: 100 }),
  })
  /** The library's client while commands may be sent, else `null`: the one question of the hot path. */
  #ready: RedisLibraryClient | null = null
  /** Sent and not answered, also when their callers have gone. */
  #inFlight = 0
  #waiting: PendingCall[] = []
  readonly #availability: Availability
  #demotedAtMs = -DEMOTED_EVERY_MS
  /** So it was a primary once: one that never was is where the URL leads to, and reading from it still works. */
  #hasRunScripts = false
  readonly #alive: AliveProbe
  readonly #time: Clock
  readonly #trackers: KeyTracker[] = []
  #durable: { readonly client: RedisClient; readonly writes: DurableWrites } | null = null

  constructor(source: RedisSource, limits: RedisLimits, deps: RedisClientDeps) {
    const { clock, events } = deps
    this.#source = source
    this.#deps = deps
    this.#limits = limits
    this.isSharded = deps.masters !== undefined
    this.writeTimeoutMs = limits.writeTimeoutMs
    this.#events = events
    this.#time = clock
    this.#clock = new ServerClock(clock)
    this.#availability = new Availability(clock)
    this.#alive = new AliveProbe(clock, limits.connectTimeoutMs)
    this.#wheel = deps.wheel ?? new DeadlineWheel(clock)
    this.#reads = this.#wheel.queue(limits.commandTimeoutMs)
    this.#scripts = this.#wheel.queue(limits.writeTimeoutMs)
    this.#circuit = new Circuit({
      probe: () => this.#probe(),
      changed: (isOpen) => {
        this.#allow()
        events.emit('redis.status', { status: isOpen ? 'circuit-open' : 'circuit-closed', server: this.endpoint })
      },
    })
    this.#connection = new RedisConnection(source, limits.connectTimeoutMs, {
      verify: (client) => this.#clock.measure(() => client.sendCommand(['TIME'], SEND_OPTIONS)),
      changed: (state, code) => this.#connectionChanged(state, code),
    })
    this.#subscriber = new RedisSubscriber(subscriberSource(source))
    this.#clockTimer = setInterval(() => this.#measureClock(), CLOCK_EVERY_MS).unref()
    events.emit('redis.status', { status: 'connecting', server: source.endpoint })
    void this.#connection.start()
  }

  command(_key: string, args: readonly RedisArgument[], options?: CallOptions): Promise<RedisReply> {
    const deadline = options?.deadlineMs
    const queue = deadline === undefined ? this.#reads : this.#wheel.queue(deadline)
    return this.#send(new PendingCall(this, queue, args, null))
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
    return this.#send(new PendingCall(this, queue, all, script))
  }

  get isDurable(): boolean {
    return this.#limits.durability !== null
  }

  async lasting(script: RedisScript, keys: readonly string[], args: readonly RedisArgument[]): Promise<Lasting> {
    const { durability } = this.#limits
    if (durability === null) return { reply: await this.script(script, keys, args), durable: false }
    if (this.#durable === null) {
      const limits = { ...this.#limits, durability: null }
      const deps = { clock: this.#time, events: new EventBus(), wheel: this.#wheel }
      const client = new RedisClient(furtherSource(this.#source), limits, deps)
      this.#durable = { client, writes: new DurableWrites(client, durability, limits.writeTimeoutMs) }
    }
    const { client, writes } = this.#durable
    // Nobody is kept waiting for a connection that the server may refuse: then it is done, and not durable.
    if (!client.isReady && !client.isConnecting) return { reply: await this.script(script, keys, args), durable: false }
    return writes.script(script, keys, args)
  }

  /** How often the connection has been another one. */
  get epoch(): number {
    return this.#availability.epoch
  }

  watch(channel: string, listener: () => void): Watch {
    return this.#subscriber.watch(channel, listener)
  }

  servers(): readonly ServerPort[] {
    return this.#deps.masters?.() ?? [this]
  }

  get isReady(): boolean {
    return this.#ready !== null
  }

  get isConnecting(): boolean {
    return this.#connection.state === 'connecting'
  }

  get endpoint(): string {
    return this.#connection.endpoint
  }

  /** A call that another node of the cluster sent on. Its deadline goes on. */
  adopt(call: PendingCall): void {
    call.owner = this
    this.#dispatch(call)
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

  ready(): Promise<void> {
    return this.#connection.ready()
  }

  async close(): Promise<void> {
    clearInterval(this.#clockTimer)
    this.#circuit.stop()
    this.#subscriber.close()
    for (const tracker of this.#trackers) tracker.close()
    await this.#durable?.client.close()
    await this.#connection.close(() => this.#drained())
  }

  async #drained(): Promise<void> {
    const end = this.#time.monotonic() + CLOSE_MS
    while (this.#inFlight > 0 && this.#time.monotonic() < end) await sleep(DRAIN_MS)
  }

  answered(call: PendingCall, reply: unknown, isLate: boolean): void {
    this.#inFlight--
    if (this.#circuit.isSuspect && !isLate) this.#circuit.succeeded()
    if (call.script === null) return
    this.#hasRunScripts = true
    if (isLateReply(reply)) this.#measureClock()
  }

  refused(call: PendingCall, error: unknown): void {
    this.#inFlight--
    if (call.settled) return
    if (this.#circuit.isSuspect && isServerReply(error)) this.#circuit.succeeded()
    if (this.#deps.redirect?.(call, error) === true) return
    if (isReadOnlyReply(error)) this.#demoted()
    if (call.script && isUnknownScript(error)) {
      call.args = ['EVAL', call.script.lua, ...call.args.slice(2)]
      call.script = null
      this.#transmit(call)
    } else if (isTransientReply(error)) void this.#sendAgain(call, error)
    else call.reject(this.#errorOf(error))
  }

  expired(call: PendingCall): CoatcheckError {
    if (call.isWaiting) return this.#connection.problem()
    if (call.refusal !== null) return this.#errorOf(call.refusal)
    this.#circuit.timedOut()
    return new RedisError('COATCHECK_REDIS_TIMEOUT')
  }

  #send(call: PendingCall): Promise<RedisReply> {
    if (this.#ready !== null && this.#inFlight < this.#limits.maxInFlight) {
      call.begin()
      this.#transmit(call)
    } else {
      if (this.isConnecting) call.begin()
      this.#dispatch(call)
    }
    return call.promise
  }

  #dispatch(call: PendingCall): void {
    if (this.#ready !== null && this.#inFlight < this.#limits.maxInFlight) this.#transmit(call)
    else if (this.isConnecting && this.#waiting.length < this.#limits.maxInFlight) {
      call.isWaiting = true
      this.#waiting.push(call)
    } else call.reject(this.#whyNot())
  }

  #transmit(call: PendingCall): void {
    if (this.#ready === null) {
      call.reject(this.#whyNot())
      return
    }
    this.#inFlight++
    // In the same turn, so that nothing comes between the two on the connection.
    if (call.isAsking) this.#ready.sendCommand(['ASKING'], SEND_OPTIONS).catch(() => undefined)
    this.#ready.sendCommand(call.args, SEND_OPTIONS).then(call.onReply, call.onError)
  }

  /** The server said that it did not run it. Ends with the call: by success, another error, or its deadline. */
  async #sendAgain(call: PendingCall, error: unknown): Promise<void> {
    call.refusal = error
    let attempt = 0
    try {
      const reply = await this.#again.execute(async () => {
        // The first attempt has been made already: this only starts the waiting.
        if (attempt++ === 0) throw error
        if (call.settled) return null
        if (this.#ready === null) throw this.#whyNot()
        if (call.isAsking) this.#ready.sendCommand(['ASKING'], SEND_OPTIONS).catch(() => undefined)
        return await this.#ready.sendCommand(call.args, SEND_OPTIONS)
      })
      this.#inFlight++
      call.onReply(reply)
    } catch (last) {
      this.#inFlight++
      if (isTransientReply(last)) {
        this.#inFlight--
        call.reject(this.#errorOf(last))
      } else this.refused(call, last)
    }
  }

  /** The primary of a moment ago is a replica now. Behind its name there may be another server already. */
  #demoted(): void {
    const now = this.#time.monotonic()
    if (!this.#source.isOwn || !this.#hasRunScripts || now - this.#demotedAtMs < DEMOTED_EVERY_MS) return
    this.#demotedAtMs = now
    this.#hasRunScripts = false
    this.#connection.recycle('the server is a replica now')
  }

  #whyNot(): CoatcheckError {
    if (this.#connection.state !== 'ready') return this.#connection.problem()
    return new RedisError(this.#circuit.isOpen ? 'COATCHECK_REDIS_CIRCUIT_OPEN' : 'COATCHECK_REDIS_OVERLOADED')
  }

  #errorOf(error: unknown): CoatcheckError {
    return error instanceof CoatcheckError ? error : redisError(diagnose(error, this.#connection.endpoint))
  }

  #connectionChanged(state: ConnectionState, code: string | undefined): void {
    this.#allow()
    const status = state === 'down' ? 'reconnecting' : state
    this.#events.emit('redis.status', { status, server: this.endpoint, ...(code !== undefined && { code }) })
    if (state === 'connecting') return
    const waiting = this.#waiting
    this.#waiting = []
    for (const call of waiting) {
      call.isWaiting = false
      if (!call.settled) this.#transmit(call)
    }
    if (state === 'ready') this.#circuit.probeNow()
  }

  #allow(): void {
    this.#ready = this.#connection.state === 'ready' && !this.#circuit.isOpen ? this.#connection.client : null
    const isUp = this.#ready !== null
    if (!this.#availability.set(isUp)) return
    this.#source.hurry?.(!isUp)
    this.#deps.changed?.(isUp)
  }

  async #probe(): Promise<void> {
    const { client, state } = this.#connection
    if (client === null || state !== 'ready') throw new Error('no connection')
    const found = await this.#alive.ask(client)
    if (found === 'alive') return
    // A connection whose other end is gone without a word looks exactly like this.
    if (found === 'dead') this.#connection.recycle()
    throw new Error('no answer')
  }

  #measureClock(): void {
    const client = this.#ready
    if (client === null) return
    // An old offset is better than none; what is wrong with the connection, others will find out.
    this.#clock.measure(() => client.sendCommand(['TIME'], SEND_OPTIONS)).catch(() => undefined)
  }
}
