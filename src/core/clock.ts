/**
 * Time as a port. This is the only file that reads the system clock, so that tests can travel in time and so that every
 * decision that depends on "now" shows it in its parameters.
 */
export interface Clock {
  /** Wall clock, epoch milliseconds. May jump. Used for everything that is stored. */
  now(): number
  /** Milliseconds since an arbitrary start. Never jumps back. Used for deadlines and intervals inside one process. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
