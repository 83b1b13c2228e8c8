/**
 * Deadlines for many operations with one timer. Operations with the same deadline length expire in the order in which they began. So each
 * length has a queue, and the wheel checks its head every 10 ms.
 *
 * Time here is event-loop time. A tick counts at most 50 ms, however long the loop was blocked before it. Queues are swept after the poll
 * phase. So a blocked loop does not time out a reply that has already arrived, nor a command that could not be written yet. A slow server
 * is still detected within the deadline plus two ticks.
 */
import type { Clock } from '../core/clock.ts'

export const TICK_MS = 10
const MAX_TICK_MS = 50
const IDLE_TICKS = 100
const FIRST_SIZE = 64

export interface Expiring {
  /** The wheel drops settled entries when they reach the head. */
  settled: boolean
  /** Set by the wheel, in event-loop time. */
  due: number
  /** Called once, when the deadline has passed and the entry is not settled. */
  expire(): void
}

/**
 * All operations of one deadline length, in a ring. On one connection, replies arrive in the order of the commands. So each entry leaves
 * the ring at once, and no operation outlives its reply. A queue that kept entries until the next tick cost a tenth of the throughput.
 */
export class DeadlineQueue {
  readonly #wheel: DeadlineWheel
  readonly #lengthMs: number
  #ring: (Expiring | undefined)[] = new Array<undefined>(FIRST_SIZE).fill(undefined)
  /** Both counters only grow. An entry's place is its number modulo the ring size, which is a power of two. */
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

  /** Optional: a settled entry that is not at the head is dropped later. */
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
      // Removes the entry before it expires, because `expire` may begin other operations.
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
  /** Event-loop time at the last tick. The timer runs only while an operation waits. */
  #timeMs = 0
  #lastTickMs = 0
  #idleTicks = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Returns the queue for this deadline length, rounded up to 50 ms to keep the number of queues small. */
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
    return this.#timeMs + Math.min(this.#clock.monotonic() - this.#lastTickMs, MAX_TICK_MS)
  }

  start(): void {
    this.running = true
    this.#idleTicks = 0
    this.#lastTickMs = this.#clock.monotonic()
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  #tick(): void {
    const now = this.#clock.monotonic()
    this.#timeMs += Math.min(now - this.#lastTickMs, MAX_TICK_MS)
    this.#lastTickMs = now
    // After the poll phase, so that replies that have arrived are handled first.
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
