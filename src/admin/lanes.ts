/**
 * Processes the items of a step in a few parallel lanes. It compares the time of an item with that of an item alone. From this it finds the
 * number of lanes that the server can sustain and the length of the pause. So other clients of the server wait only a little longer.
 */
import type { Clock } from '../core/clock.ts'

/** More lanes keep the processors of the operator's machine busy, and then other clients on that machine wait (bench/migrate.mjs). */
const MAX_LANES = 2
/** Number of items that run alone at the beginning, to measure the server's speed. */
const ALONE = 20
/**
 * With n lanes an item takes up to n times as long, because it waits for other items of this run. A longer time beyond these factors comes
 * from the server.
 */
const SLOW = 2.5
const FAST = 1.25
/** Pauses between steps, as multiples of the duration of a step. With shorter ones, other clients wait longer (bench/migrate.mjs). */
const PAUSE = { shortest: 3, first: 4, longest: 8 } as const

export class Lanes {
  readonly #clock: Clock
  readonly #alone: number[] = []
  #lanes = 1
  #baselineMs = 0
  #pause: number = PAUSE.first

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Number of parallel lanes. */
  get count(): number {
    return this.#lanes
  }

  /** The pause that the server needs after a step, as a multiple of the step's duration. */
  get pausePerWork(): number {
    return this.#pause
  }

  /** Processes all items. Rejects with the first failure, after the items that had begun. */
  async run<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
    let next = 0
    let failure: { readonly error: unknown } | null = null
    const times: number[] = []
    const lane = async (): Promise<void> => {
      for (let i = next++; i < items.length && failure === null; i = next++) {
        const begunMs = this.#clock.monotonic()
        try {
          await work(items[i] as Item)
        } catch (error) {
          failure ??= { error }
        }
        times.push(this.#clock.monotonic() - begunMs)
      }
    }
    await Promise.all(Array.from({ length: this.#lanes }, lane))
    this.#adapt(times)
    const failed = failure as { readonly error: unknown } | null
    if (failed !== null) throw failed.error
  }

  #adapt(times: readonly number[]): void {
    if (times.length === 0) return
    if (this.#baselineMs === 0) {
      this.#alone.push(...times)
      if (this.#alone.length < ALONE) return
      this.#baselineMs = Math.max(0.05, median(this.#alone))
    }
    const ratio = median(times) / (this.#baselineMs * this.#lanes)
    if (ratio > SLOW) {
      this.#lanes = Math.max(1, Math.floor(this.#lanes / 2))
      this.#pause = Math.min(PAUSE.longest, this.#pause * 2)
    } else if (ratio < FAST) {
      this.#lanes = Math.min(MAX_LANES, this.#lanes + 1)
      this.#pause = Math.max(PAUSE.shortest, this.#pause - 0.25)
    }
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
