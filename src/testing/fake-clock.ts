/** A clock that stands still until it is moved. Tests travel in time instead of sleeping. */
import type { Clock } from '../core/clock.ts'

/** A clock that moves only when it is told to. */
export interface FakeClock extends Clock {
  /** Both clocks move by this. */
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
