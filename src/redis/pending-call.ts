/**
 * One operation in flight: the caller's promise, its deadline, and how to handle the reply. It uses one object and one promise per
 * operation, because every request runs through this hot path.
 */
import type { CoatcheckError } from '../core/errors.ts'
import type { RedisArgument, RedisReply } from './client-port.ts'
import type { DeadlineQueue, Expiring } from './deadline-wheel.ts'
import type { RedisScript } from './script.ts'

export interface CallOwner {
  /**
   * @param isLate the caller has already received the timeout error
   * @returns true: this reply is not final, the call was sent again
   */
  answered(call: PendingCall, reply: unknown, isLate: boolean): boolean
  /** The call does not settle itself. The owner decides between an error and another attempt. */
  refused(call: PendingCall, error: unknown): void
  expired(call: PendingCall): CoatcheckError
}

let resolveOfNew: (reply: RedisReply) => void
let rejectOfNew: (error: CoatcheckError) => void
// All calls share one executor. It runs inside the constructor, so no other call can interfere.
function capture(resolve: (reply: RedisReply) => void, reject: (error: CoatcheckError) => void): void {
  resolveOfNew = resolve
  rejectOfNew = reject
}

export class PendingCall implements Expiring {
  settled = false
  due = 0
  args: readonly RedisArgument[]
  /** Set for a script. `null` for a command, and for a script after its text was sent. */
  script: RedisScript | null
  /** True whether the script is sent by its text or by its hash. */
  readonly isScript: boolean
  /** True if the server replied once that the script came too late while the caller still waited. */
  wasLate = false
  /** Waits for the first connection. Nothing has been sent. */
  isWaiting = false
  /** Last refusal of the server while the call is retried: a better reason than a timeout. */
  refusal: unknown = null
  /** Number of times a cluster redirected the call to another node. */
  redirects = 0
  /** The call needs `ASKING` first, because the node does not own the slot yet. */
  isAsking = false
  /** Settles the call: the server that received it last. */
  owner: CallOwner
  readonly promise: Promise<RedisReply>
  readonly #queue: DeadlineQueue
  readonly #resolve: (reply: RedisReply) => void
  readonly #reject: (error: CoatcheckError) => void

  constructor(owner: CallOwner, queue: DeadlineQueue, args: readonly RedisArgument[], script: RedisScript | null) {
    this.owner = owner
    this.#queue = queue
    this.args = args
    this.script = script
    this.isScript = script !== null
    this.promise = new Promise(capture)
    this.#resolve = resolveOfNew
    this.#reject = rejectOfNew
  }

  readonly onReply = (reply: unknown): void => {
    const isLate = this.settled
    if (this.owner.answered(this, reply, isLate) || isLate) return
    this.resolve(reply as RedisReply)
  }

  readonly onError = (error: unknown): void => {
    this.owner.refused(this, error)
  }

  /** Starts the deadline. */
  begin(): void {
    this.#queue.add(this)
  }

  /** Time left before the deadline, as the caller sees it. */
  get leftMs(): number {
    return this.#queue.leftMs(this)
  }

  /**
   * Moves the latest execution time of a script.
   * @param notAfterMs in milliseconds of the server's clock
   */
  postpone(notAfterMs: number): void {
    const [command = '', script = '', count = '', ...rest] = this.args
    rest[Number(count)] = String(notAfterMs)
    this.args = [command, script, count, ...rest]
  }

  resolve(reply: RedisReply): void {
    if (this.settled) return
    this.settled = true
    this.#queue.done(this)
    this.#resolve(reply)
  }

  reject(error: CoatcheckError): void {
    if (this.settled) return
    this.settled = true
    this.#reject(error)
  }

  expire(): void {
    this.reject(this.owner.expired(this))
  }
}
