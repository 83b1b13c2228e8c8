/**
 * Operations on their way to one server: sent while the connection is ready, waiting while the first one is being made, refused
 * otherwise; and what becomes of their answers. `send` is the hot path: as little as possible stands between it and the
 * library's `sendCommand`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import { CoatcheckError, RedisError } from '../core/errors.ts'
import type { Circuit } from './circuit.ts'
import type { RedisReply } from './client-port.ts'
import type { RedisConnection } from './connection.ts'
import { diagnose, isReadOnlyReply, isServerReply, isTransientReply, isUnknownScript, redisError } from './diagnose.ts'
import { type RedisLibraryClient, SEND_OPTIONS } from './library.ts'
import { noAnswer } from './no-answer.ts'
import type { CallOwner, PendingCall } from './pending-call.ts'
import { isLateReply } from './script.ts'
import { untilTaken } from './send-again.ts'

const CLOSE_MS = 1000
const DRAIN_MS = 5

/** Whose state decides, and who hears what answers say beyond themselves. */
export interface DispatchDeps {
  readonly connection: RedisConnection
  readonly circuit: Circuit
  readonly clock: Clock
  readonly maxInFlight: number
  /** What a node of a cluster says about where a call belongs. True: somebody else settles it from here on. */
  readonly redirect: ((call: PendingCall, error: unknown) => boolean) | undefined
  readonly scriptAnswered: () => void
  /** The server's clock, measured anew. */
  readonly serverTime: () => Promise<number>
  /** The server takes no writes: it is a replica. */
  readonly readOnly: () => void
}

export class Dispatch implements CallOwner {
  readonly #deps: DispatchDeps
  readonly #maxInFlight: number
  readonly #circuit: Circuit
  /** The library's client while commands may be sent, else `null`: the one question of the hot path. */
  #ready: RedisLibraryClient | null = null
  /** Sent and not answered, also when their callers have gone. */
  #inFlight = 0
  #waiting: PendingCall[] = []

  constructor(deps: DispatchDeps) {
    this.#deps = deps
    this.#maxInFlight = deps.maxInFlight
    this.#circuit = deps.circuit
  }

  /** What commands are sent to from now on. */
  get to(): RedisLibraryClient | null {
    return this.#ready
  }

  set to(client: RedisLibraryClient | null) {
    this.#ready = client
  }

  send(call: PendingCall): Promise<RedisReply> {
    if (this.#ready !== null && this.#inFlight < this.#maxInFlight) {
      call.begin()
      this.#transmit(call)
    } else {
      if (this.#isConnecting) call.begin()
      this.#dispatch(call)
    }
    return call.promise
  }

  /** A call that another node of the cluster sent on. Its deadline goes on. */
  adopt(call: PendingCall): void {
    call.owner = this
    this.#dispatch(call)
  }

  /** The first connection stands, or has failed: what waited for it goes on. */
  release(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const call of waiting) {
      call.isWaiting = false
      if (!call.settled) this.#transmit(call)
    }
  }

  /** Resolves when what is in flight has been answered, or long enough waited for. */
  async drained(): Promise<void> {
    const { clock } = this.#deps
    const end = clock.monotonic() + CLOSE_MS
    while (this.#inFlight > 0 && clock.monotonic() < end) await sleep(DRAIN_MS)
  }

  answered(call: PendingCall, reply: unknown, isLate: boolean): boolean {
    this.#inFlight--
    if (this.#circuit.isSuspect && !isLate) this.#circuit.succeeded()
    if (!call.isScript) return false
    this.#deps.scriptAnswered()
    if (!isLateReply(reply)) return false
    const measured = this.#deps.serverTime()
    if (isLate || call.wasLate) {
      measured.catch(() => undefined)
      return false
    }
    void this.#sendInTime(call, reply as RedisReply, measured)
    return true
  }

  refused(call: PendingCall, error: unknown): void {
    this.#inFlight--
    if (call.settled) return
    if (this.#circuit.isSuspect && isServerReply(error)) this.#circuit.succeeded()
    if (this.#deps.redirect?.(call, error) === true) return
    if (isReadOnlyReply(error)) this.#deps.readOnly()
    if (call.script && isUnknownScript(error)) {
      call.args = ['EVAL', call.script.lua, ...call.args.slice(2)]
      call.script = null
      this.#transmit(call)
    } else if (isTransientReply(error)) void this.#sendAgain(call, error)
    else call.reject(this.#errorOf(error))
  }

  expired(call: PendingCall): CoatcheckError {
    if (call.isWaiting) return this.#deps.connection.problem()
    if (call.refusal !== null) return this.#errorOf(call.refusal)
    this.#circuit.timedOut()
    return noAnswer(call, this.#deps.connection.endpoint)
  }

  get #isConnecting(): boolean {
    return this.#deps.connection.state === 'connecting'
  }

  #dispatch(call: PendingCall): void {
    if (this.#ready !== null && this.#inFlight < this.#maxInFlight) this.#transmit(call)
    else if (this.#isConnecting && this.#waiting.length < this.#maxInFlight) {
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
    this.#write(this.#ready, call).then(call.onReply, call.onError)
  }

  #write(client: RedisLibraryClient, call: PendingCall): Promise<unknown> {
    // In the same turn, so that nothing comes between the two on the connection.
    if (call.isAsking) client.sendCommand(['ASKING'], SEND_OPTIONS).catch(() => undefined)
    return client.sendCommand(call.args, SEND_OPTIONS)
  }

  /**
   * It came too late and its caller still waits: this process was busy before it could be sent, or takes the server's clock for
   * another one. Nothing was done, so it may be sent once more, for as long as the caller goes on waiting.
   */
  async #sendInTime(call: PendingCall, reply: RedisReply, measured: Promise<number>): Promise<void> {
    call.wasLate = true
    const nowMs = await measured.catch(() => null)
    const { leftMs } = call
    if (nowMs === null || leftMs <= 0) call.resolve(reply)
    else if (!call.settled) {
      call.postpone(Math.floor(nowMs + leftMs))
      this.#transmit(call)
    }
  }

  /** The server said that it did not run it. Ends with the call: by success, another error, or its deadline. */
  async #sendAgain(call: PendingCall, error: unknown): Promise<void> {
    call.refusal = error
    try {
      const reply = await untilTaken(error, () => {
        if (call.settled) return Promise.resolve(null)
        if (this.#ready === null) throw this.#whyNot()
        return this.#write(this.#ready, call)
      })
      this.#inFlight++
      call.onReply(reply)
    } catch (last) {
      if (isTransientReply(last)) {
        call.reject(this.#errorOf(last))
        return
      }
      this.#inFlight++
      this.refused(call, last)
    }
  }

  #whyNot(): CoatcheckError {
    const { connection } = this.#deps
    if (connection.state !== 'ready') return connection.problem()
    return new RedisError(this.#circuit.isOpen ? 'COATCHECK_REDIS_CIRCUIT_OPEN' : 'COATCHECK_REDIS_OVERLOADED')
  }

  #errorOf(error: unknown): CoatcheckError {
    return error instanceof CoatcheckError ? error : redisError(diagnose(error, this.#deps.connection.endpoint))
  }
}
