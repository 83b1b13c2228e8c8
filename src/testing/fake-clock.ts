/** A clock that only moves when a test moves it. So tests need no sleep. */
import type { Clock } from '../core/clock.ts'

/** A clock that moves only on `advance()`. */
export interface FakeClock extends Clock {
  /** Moves the wall clock and the monotonic clock. */
  advance(ms: number): void
}

/**
 * Creates a clock that stands still.
 * @param startMs epoch milliseconds; default 2026-01-01T00:00:00Z
 */
export function createFakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  let elapsedMs = 0
  return {
    now: () => startMs + elapsedMs,
    monotonic: () => elapsedMs,
    advance(ms) {
      elapsedMs += ms
    },
  }
}
