/** Records since when commands can be sent, and how often the connection was established again. */
import type { Clock } from '../core/clock.ts'
import type { Uptime } from './client-port.ts'

export class Availability {
  readonly #clock: Clock
  /** Monotonic milliseconds; `null` while commands cannot be sent. */
  #sinceMs: number | null = null
  /** 0 for the first connection. A different number means a different connection, perhaps to another server. */
  epoch = -1

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get uptime(): Uptime {
    return {
      forMs: this.#sinceMs === null ? 0 : this.#clock.monotonic() - this.#sinceMs,
      isAfterOutage: this.epoch > 0,
    }
  }

  /** @returns whether the state changed */
  set(isUp: boolean): boolean {
    if (isUp === (this.#sinceMs !== null)) return false
    this.#sinceMs = isUp ? this.#clock.monotonic() : null
    if (isUp) this.epoch++
    return true
  }
}
