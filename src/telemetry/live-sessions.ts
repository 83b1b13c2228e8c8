/**
 * How many sessions there are is a question to the store, not to this process: what it has created and ended says nothing of
 * what others have, nor of what has expired. So somebody who knows is asked, seldom and never while a scrape waits; nobody
 * reads the figure, nobody is asked.
 */
import { type Clock, systemClock } from '../core/clock.ts'

const EVERY_MS = 60_000

/** Counts live sessions; `null` when they cannot be counted. */
export type CountSessions = () => Promise<number | null>

export interface LiveSessionsOptions {
  /** Default: there is no such figure. `auth.estimateSessions`, or your own. */
  readonly liveSessions?: CountSessions
  /** How old the figure may become before it is asked for again. Default 60,000. */
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

  /** The last figure; `null` before the first one, and after a question that was not answered. */
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
      // An old figure would look like a quiet day.
      this.#value = null
    } finally {
      this.#asking = null
    }
  }
}
