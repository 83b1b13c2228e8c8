/**
 * Sends operations to one server and handles their replies. An operation is sent while the connection is ready, waits while the first
 * connection is made, and is refused otherwise. `send` is the hot path, so it adds as little as possible to the library's `sendCommand`.
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

/** Connection and circuit decide whether a call is sent. The callbacks report what replies reveal about the server. */
export interface DispatchDeps {
  readonly connection: RedisConnection
  readonly circuit: Circuit
  readonly clock: Clock
  readonly maxInFlight: number
  /** Handles an error with which a cluster node redirects a call. Returns true if the handler took over the call and will settle it. */
  readonly redirect: ((call: PendingCall, error: unknown) => boolean) | undefined
  readonly scriptAnswered: () => void
  /** Measures the server's clock again. */
  readonly serverTime: () => Promise<number>
  /** Called when the server refuses writes because it is a replica. */
  readonly readOnly: () => void
}

export class Dispatch implements CallOwner {
  readonly #deps: DispatchDeps
  readonly #maxInFlight: number
  readonly #circuit: Circuit
  /** The library's client while commands may be sent, otherwise `null`. The hot path checks only this field. */
  #ready: RedisLibraryClient | null = null
  /** Calls that are sent and not answered, including those whose callers timed out. */
  #inFlight = 0
  #waiting: PendingCall[] = []

  constructor(deps: DispatchDeps) {
    this.#deps = deps
    this.#maxInFlight = deps.maxInFlight
    this.#circuit = deps.circuit
  }

  /** The client that receives commands from now on. */
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

  /** Takes over a call that another cluster node redirected. Its deadline continues. */
  adopt(call: PendingCall): void {
    call.owner = this
    this.#dispatch(call)
  }

  /** Sends or refuses the waiting calls. Called when the first connection is ready or has failed. */
  release(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const call of waiting) {
      call.isWaiting = false
      if (!call.settled) this.#transmit(call)
    }
  }

  /** Resolves when all calls in flight are answered, or after `CLOSE_MS`. */
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
    // Sent in the same tick, so that no other command comes between the two on the connection.
    if (call.isAsking) client.sendCommand(['ASKING'], SEND_OPTIONS).catch(() => undefined)
    return client.sendCommand(call.args, SEND_OPTIONS)
  }

  /**
   * Sends a script once more that Redis refused as late, although its caller still waits. Either this process was busy before it could send
   * the script, or its estimate of the server's clock was wrong. The script changed nothing, so it may run again.
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

  /** Sends a call again that the server said it did not run, until it succeeds, fails with another error, or reaches its deadline. */
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
