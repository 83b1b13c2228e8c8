/**
 * Conformance cases are data: a name and a function over a harness, with `node:assert` inside. Any test runner can loop over
 * them, and so can the author of a driver that is not ours.
 */
import type { FakeClock } from './fake-clock.ts'
import type { SessionDriver } from '../session/session-driver.ts'

export interface ConformanceCase<Harness> {
  readonly name: string
  run(harness: Harness): Promise<void>
}

/** A driver under test and the time it lives in. Each case gets one whose store is empty. */
export interface SessionHarness {
  readonly driver: SessionDriver
  readonly clock: FakeClock
  /** Moves the clock and the store's own time: what expires by then is gone. */
  advance(ms: number): Promise<void>
  /** Everything in the store vanishes, as after FLUSHALL or the promotion of an empty replica. */
  loseEverything(): Promise<void>
  /** Whether the tokens of a user are stored; and a way to put some there. */
  hasTokens(userKey: string): Promise<boolean>
  putTokens(userKey: string): Promise<void>
}
