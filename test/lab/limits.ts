/**
 * Limits on elapsed time. The lab runs one file at a time and checks what is promised. In `npm test` other tests and other programs share
 * the cores, and a process may wait seconds for its turn; there only a hang fails. `npm run lab` runs every file that imports this one.
 */
import { expect } from 'vitest'
import { isLab } from './report.ts'

/** Longer than any wait for a turn, shorter than the limit of a test. */
export const HANG_MS = 60_000

/** Options of `redisStore()` for tests whose subject is not a deadline: a busy machine then delays an answer, and fails nothing. */
export const PATIENT = {
  commandTimeoutMs: 10_000,
  writeTimeoutMs: 10_000,
  connectTimeoutMs: HANG_MS,
} as const

/** @param ms elapsed time · @param promisedMs checked in the lab */
export function expectWithin(ms: number, promisedMs: number): void {
  expect(ms).toBeLessThan(withinMs(promisedMs))
}

/** The limit that holds in this run. */
export function withinMs(promisedMs: number): number {
  return isLab ? promisedMs : Math.max(promisedMs, HANG_MS)
}
