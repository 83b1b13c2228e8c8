/**
 * One operation on its way: the caller's promise, its deadline, and what to do with the answer. One object and one promise
 * per operation, because this is the hot path of every request.
 */
import type { CoatcheckError } from '../core/errors.ts'
import type { RedisArgument, RedisReply } from './client-port.ts'
import type { DeadlineQueue, Expiring } from './deadline-wheel.ts'
import type { RedisScript } from './script.ts'

export interface CallOwner {
  /**
   * @param isLate the caller has gone: it heard of its deadline
   * @returns true: this is not the answer, the call is under way once more
   */
  answered(call: PendingCall, reply: unknown, isLate: boolean): boolean
  /** The call settles itself no more; the owner decides between an error and another try. */
  refused(call: PendingCall, error: unknown): void
  expired(call: PendingCall): CoatcheckError
}

let resolveOfNew: (reply: RedisReply) => void
let rejectOfNew: (error: CoatcheckError) => void
// One executor for all: it runs inside the constructor, so nothing can come between.
function capture(resolve: (reply: RedisReply) => void, reject: (error: CoatcheckError) => void): void {
  resolveOfNew = resolve
  rejectOfNew = reject
}

export class PendingCall implements Expiring {
  settled = false
  due = 0
  args: readonly RedisArgument[]
  /** Set for a script; `null` for a command, and once its text has been sent. */
  script: RedisScript | null
  /** By its text or by its name. */
  readonly isScript: boolean
  /** The server has once said that it came too late, while the caller was still waiting. */
  wasLate = false
  /** Waits for the first connection; nothing has been sent. */
  isWaiting = false
  /** What the server said so far, when it is asked again: a better reason than a timeout. */
  refusal: unknown = null
  /** How often a cluster has sent it on to another node. */
  redirects = 0
  /** To be announced to the node, which does not own the slot yet. */
  isAsking = false
  /** Who settles it: the server that it was sent to last. */
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

  /** From now on it can expire. */
  begin(): void {
    this.#queue.add(this)
  }

  /** How much of its time is left, as the caller sees it. */
  get leftMs(): number {
    return this.#queue.leftMs(this)
  }

  /** A script that may not act after a moment gets a later one. @param notAfterMs of the server's clock */
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
