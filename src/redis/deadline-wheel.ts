/**
 * Deadlines for many operations at the price of one timer. Operations of one length expire in the order in which they
 * began, so each length has a queue whose head is looked at every 10 ms.
 *
 * Time here is the event loop's: a tick counts at most 50 ms, however long the loop was blocked before it, and queues are
 * swept after the poll phase. A blocked loop therefore neither times out an answer that has arrived meanwhile nor one that
 * has had no chance to be written; a slow server is still found within the deadline plus two ticks.
 */
import type { Clock } from '../core/clock.ts'

export const TICK_MS = 10
const LONGEST_TICK_MS = 50
const IDLE_TICKS = 100
const FIRST_SIZE = 64

export interface Expiring {
  /** Settled ones are dropped when they reach the head. */
  settled: boolean
  /** Set by the wheel, in its own time. */
  due: number
  /** Called once, when the deadline has passed and it is not settled. */
  expire(): void
}

/**
 * All operations of one length, in a ring: what is answered in the order in which it was sent, as on one connection, leaves
 * it at once, so that no operation outlives its answer (a queue that kept them until the next tick cost a tenth of the speed).
 */
export class DeadlineQueue {
  readonly #wheel: DeadlineWheel
  readonly #lengthMs: number
  #ring: (Expiring | undefined)[] = new Array<undefined>(FIRST_SIZE).fill(undefined)
  /** Both only grow; a place is its number modulo the size, which is a power of two. */
  #head = 0
  #tail = 0

  constructor(wheel: DeadlineWheel, lengthMs: number) {
    this.#wheel = wheel
    this.#lengthMs = lengthMs
  }

  add(entry: Expiring): void {
    if (!this.#wheel.running) this.#wheel.start()
    entry.due = this.#wheel.now() + this.#lengthMs
    if (this.#tail - this.#head === this.#ring.length) this.#grow()
    this.#ring[this.#tail++ & (this.#ring.length - 1)] = entry
  }

  /** Optional: an entry that is settled and not at the head is dropped later. */
  done(entry: Expiring): void {
    const place = this.#head & (this.#ring.length - 1)
    if (this.#ring[place] !== entry) return
    this.#ring[place] = undefined
    this.#head++
  }

  leftMs({ due }: Expiring): number {
    return due - this.#wheel.now()
  }

  get isEmpty(): boolean {
    return this.#head === this.#tail
  }

  sweep(nowMs: number): void {
    while (this.#head < this.#tail) {
      const place = this.#head & (this.#ring.length - 1)
      const entry = this.#ring[place]
      if (entry && !entry.settled && entry.due > nowMs) break
      // First out, then expired: what listens may begin other operations.
      this.#ring[place] = undefined
      this.#head++
      if (entry && !entry.settled) entry.expire()
    }
  }

  #grow(): void {
    const old = this.#ring
    const count = old.length
    this.#ring = Array.from({ length: count * 2 }, (_, i) =>
      i < count ? old[(this.#head + i) & (count - 1)] : undefined,
    )
    this.#head = 0
    this.#tail = count
  }
}

export class DeadlineWheel {
  running = false
  readonly #clock: Clock
  readonly #queues = new Map<number, DeadlineQueue>()
  #timer: ReturnType<typeof setInterval> | undefined
  /** The loop's time at the last tick. It runs only while an operation waits. */
  #timeMs = 0
  #lastTickMs = 0
  #idleTicks = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The queue for deadlines of this length, rounded up to 50 ms so that there are few. */
  queue(lengthMs: number): DeadlineQueue {
    const rounded = Math.max(50, Math.ceil(lengthMs / 50) * 50)
    let queue = this.#queues.get(rounded)
    if (!queue) this.#queues.set(rounded, (queue = new DeadlineQueue(this, rounded)))
    return queue
  }

  /**
   * Returns the loop's time in milliseconds, including the time since the last tick. So an operation that begins after the loop was
   * blocked has its whole deadline. If it times out, the deadline of its script on the server has passed too (`script-runner.ts`).
   */
  now(): number {
    return this.#timeMs + Math.min(this.#clock.monotonic() - this.#lastTickMs, LONGEST_TICK_MS)
  }

  start(): void {
    this.running = true
    this.#idleTicks = 0
    this.#lastTickMs = this.#clock.monotonic()
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  #tick(): void {
    const now = this.#clock.monotonic()
    this.#timeMs += Math.min(now - this.#lastTickMs, LONGEST_TICK_MS)
    this.#lastTickMs = now
    // After the poll phase: what has arrived is handled first.
    setImmediate(() => this.#sweep())
  }

  #sweep(): void {
    let isIdle = true
    for (const queue of this.#queues.values()) {
      queue.sweep(this.#timeMs)
      isIdle &&= queue.isEmpty
    }
    this.#idleTicks = isIdle ? this.#idleTicks + 1 : 0
    if (this.#idleTicks > IDLE_TICKS) {
      clearInterval(this.#timer)
      this.running = false
    }
  }
}
