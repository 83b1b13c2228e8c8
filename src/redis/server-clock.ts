/**
 * The server's clock, as the difference to ours: deadlines of scripts are in its time, so that a write which was reported
 * as missed is never executed afterwards, whatever the clocks of the application's machines show.
 */
import type { Clock } from '../core/clock.ts'

export class ServerClock {
  readonly #clock: Clock
  #offsetMs = 0

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
    if (Number.isFinite(serverMs)) this.#offsetMs = serverMs - (before + after) / 2
  }
}
