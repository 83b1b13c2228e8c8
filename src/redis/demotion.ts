/**
 * The primary of a moment ago is a replica now. Behind its name there may be another server already, so the connection is made
 * anew. A URL that leads to a replica is not mended by that, so it is tried once in a while only.
 */
import type { Clock } from '../core/clock.ts'

const AGAIN_AFTER_MS = 1000

export class Demotion {
  readonly #clock: Clock
  #foundAtMs = -AGAIN_AFTER_MS
  /** So it was a primary once: one that never was is where the URL leads to, and reading from it still works. */
  #hasRunScripts = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  scriptRan(): void {
    this.#hasRunScripts = true
  }

  /** A write was refused as on a replica. @returns whether a new connection is worth trying */
  found(): boolean {
    const now = this.#clock.monotonic()
    if (!this.#hasRunScripts || now - this.#foundAtMs < AGAIN_AFTER_MS) return false
    this.#foundAtMs = now
    this.#hasRunScripts = false
    return true
  }
}
