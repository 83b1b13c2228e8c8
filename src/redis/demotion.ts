/**
 * Handles a primary that became a replica. Its name may already lead to another server, so the connection is made anew. If the URL itself
 * points to a replica, a new connection does not help, so the retry is limited to once per second (`AGAIN_AFTER_MS`).
 */
import type { Clock } from '../core/clock.ts'

const AGAIN_AFTER_MS = 1000

export class Demotion {
  readonly #clock: Clock
  #foundAtMs = -AGAIN_AFTER_MS
  /** True if the server was a primary once. A server that never was one is where the URL points to, and reads from it still work. */
  #hasRunScripts = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  scriptRan(): void {
    this.#hasRunScripts = true
  }

  /**
   * Called when a write was refused because the server is a replica.
   * @returns whether a new connection is worth trying
   */
  found(): boolean {
    const now = this.#clock.monotonic()
    if (!this.#hasRunScripts || now - this.#foundAtMs < AGAIN_AFTER_MS) return false
    this.#foundAtMs = now
    this.#hasRunScripts = false
    return true
  }
}
