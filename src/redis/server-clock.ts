/**
 * Estimates the server's clock as an offset from the local one. Script deadlines use the server's time. So a write that was reported as
 * missed is never executed afterwards, whatever the clocks of the application servers show.
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

  /** Epoch milliseconds. The local clock until the first measurement. */
  now(): number {
    return this.#clock.now() + this.#offsetMs
  }

  /** @param time sends `TIME`. Its rejection is passed on, and the last offset stays. */
  async measure(time: () => Promise<unknown>): Promise<void> {
    const before = this.#clock.now()
    const [seconds, microseconds] = (await time()) as readonly Buffer[]
    const after = this.#clock.now()
    const serverMs = Number(String(seconds)) * 1000 + Number(String(microseconds)) / 1000
    if (!Number.isFinite(serverMs)) return
    // Any offset between the two is possible. If the process was busy when the reply came, that delay must not count as a clock difference.
    const isPossible = this.#offsetMs >= serverMs - after && this.#offsetMs <= serverMs - before
    if (!isPossible) this.#offsetMs = serverMs - (before + after) / 2
  }

  /**
   * Measures every `MEASURE_EVERY_MS` until it is closed.
   * @param time sends `TIME`; `null` while the command cannot be sent
   */
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
