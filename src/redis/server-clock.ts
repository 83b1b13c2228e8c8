/**
 * The server's clock, as the difference to ours: deadlines of scripts are in its time, so that a write which was reported
 * as missed is never executed afterwards, whatever the clocks of the application's machines show.
 */
import type { Clock } from '../core/clock.ts'

const MEASURE_EVERY_MS = 60_000

export class ServerClock {
  readonly #clock: Clock
  #offsetMs = 0
  #time: () => Promise<unknown> | null = () => null
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Epoch milliseconds. Our own clock until the first measurement. */
  now(): number {
    return this.#clock.now() + this.#offsetMs
  }

  /** @param time asks `TIME`. Its rejection is passed on and the last offset kept. */
  async measure(time: () => Promise<unknown>): Promise<void> {
    const before = this.#clock.now()
    const [seconds, microseconds] = (await time()) as readonly Buffer[]
    const after = this.#clock.now()
    const serverMs = Number(String(seconds)) * 1000 + Number(String(microseconds)) / 1000
    if (!Number.isFinite(serverMs)) return
    // Anything between the two is possible. A process that was busy when the answer came must not take that for the server's clock.
    const isPossible = this.#offsetMs >= serverMs - after && this.#offsetMs <= serverMs - before
    if (!isPossible) this.#offsetMs = serverMs - (before + after) / 2
  }

  /** Measures once in a while, until it is closed. @param time asks `TIME`; `null` while that cannot be asked */
  keep(time: () => Promise<unknown> | null): void {
    this.#time = time
    this.#timer = setInterval(() => this.#measureAgain(), MEASURE_EVERY_MS).unref()
  }

  #measureAgain(): void {
    const asked = this.#time()
    if (asked !== null) this.measure(() => asked).catch(() => undefined)
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
