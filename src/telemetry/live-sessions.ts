/**
 * Reads the number of live sessions. Only the store knows it: this process does not see the sessions that other processes create and end,
 * or that expire. So it calls a counting function, rarely, and a scrape never waits for it. If the number is not read, the function is not
 * called.
 */
import { type Clock, systemClock } from '../core/clock.ts'

const EVERY_MS = 60_000

/** Counts live sessions; `null` when they cannot be counted. */
export type CountSessions = () => Promise<number | null>

export interface LiveSessionsOptions {
  /** Default: the metric does not exist. Use `auth.estimateSessions`, or your own function. */
  readonly liveSessions?: CountSessions
  /** The age after which the next read requests a new count, milliseconds. Default 60,000. */
  readonly liveSessionsEveryMs?: number
}

export class LiveSessions {
  readonly #count: CountSessions
  readonly #everyMs: number
  readonly #clock: Clock
  #value: number | null = null
  #askedAtMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | null = null

  constructor(count: CountSessions, everyMs = EVERY_MS, clock: Clock = systemClock) {
    this.#count = count
    this.#everyMs = everyMs
    this.#clock = clock
  }

  /** Returns the last count; `null` before the first one, and after a failed count. */
  read(): number | null {
    const nowMs = this.#clock.monotonic()
    if (this.#asking === null && nowMs - this.#askedAtMs >= this.#everyMs) {
      this.#askedAtMs = nowMs
      this.#asking = this.#ask()
    }
    return this.#value
  }

  async #ask(): Promise<void> {
    try {
      this.#value = await this.#count()
    } catch {
      // If the gauge kept an old count, an outage would be indistinguishable from low traffic.
      this.#value = null
    } finally {
      this.#asking = null
    }
  }
}
