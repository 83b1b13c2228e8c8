/**
 * Time as a port. Only this file reads the system clock. So tests can control time, and every decision that depends on the
 * current time shows it in its parameters.
 */
export interface Clock {
  /** Wall clock, epoch milliseconds. May jump. Used for all stored times. */
  now(): number
  /** Milliseconds since an arbitrary start. Never jumps back. Used for deadlines and intervals inside one process. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
