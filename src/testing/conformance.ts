/**
 * Conformance cases are data: a name and a function over a harness, with `node:assert` inside. Any test runner can loop over them, and so
 * can the author of a third-party driver.
 */
import type { FakeClock } from './fake-clock.ts'
import type { SessionDriver } from '../session/session-driver.ts'

/** One case that every implementation must pass. */
export interface ConformanceCase<Harness> {
  /** What the case checks. */
  readonly name: string
  /** Runs the case. Rejects when the implementation fails it. */
  run(harness: Harness): Promise<void>
}

/** A driver under test and its clock. Each case gets one with an empty store. */
export interface SessionHarness {
  /** The driver under test. */
  readonly driver: SessionDriver
  /** The clock that the driver and the store share. */
  readonly clock: FakeClock
  /** Moves the clock and the store's own time. Keys that expire by then are gone. */
  advance(ms: number): Promise<void>
  /** Deletes everything in the store, as after FLUSHALL or the promotion of an empty replica. */
  loseEverything(): Promise<void>
  /** Whether tokens of a user are stored. */
  hasTokens(userKey: string): Promise<boolean>
  /** Stores tokens of a user, which ending sessions must not touch. */
  putTokens(userKey: string): Promise<void>
}
