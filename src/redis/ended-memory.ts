/**
 * What this process has ended lately and Redis has confirmed, for a Redis that forgets: an older dump is restored, or a replica is
 * promoted that had not heard of it. Inside Redis nothing can tell; that something is there again which was ended here can.
 *
 * Only the latest are looked for: whoever has lost an older one has lost these too.
 */
import type { Clock } from '../core/clock.ts'
import type { RedisClientPort } from './client-port.ts'
import type { Repeatable } from './repeatable.ts'

/** For a session that was ended it is longer than most of them live. */
const LIFE_MS = 24 * 3_600_000
/** Some hundreds of bytes each. */
const MOST = 5000
/** In a cluster they lie on several servers, each of which may have forgotten. */
const LOOKED_FOR = 64

interface Ended {
  readonly step: Repeatable
  readonly until: number
}

export class EndedMemory {
  readonly #clock: Clock
  /** By the key that must not be there, oldest first. */
  readonly #ended = new Map<string, Ended>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Steps that do not say which key they remove are not remembered. */
  remember(steps: readonly Repeatable[]): void {
    const until = this.#clock.monotonic() + LIFE_MS
    for (const step of steps.slice(-MOST)) {
      if (step.removes === undefined) continue
      this.#ended.delete(step.removes)
      this.#ended.set(step.removes, { step, until })
    }
    for (const [key, ended] of this.#ended) {
      if (this.#ended.size <= MOST && ended.until > this.#clock.monotonic()) break
      this.#ended.delete(key)
    }
  }

  /** Whether this process has ended what lies under the key. Ids are drawn anew for each session, so none begins there again. */
  has(key: string): boolean {
    return this.#ended.has(key)
  }

  /** Everything, by key, if Redis has one of the latest again; else nothing. Never rejects: then nothing is known. */
  async forgotten(client: RedisClientPort): Promise<ReadonlyMap<string, Repeatable>> {
    if (this.#ended.size === 0) return new Map()
    const latest = [...this.#ended.keys()].slice(-LOOKED_FOR)
    const asked = latest.map((key) => client.command(key, ['EXISTS', key]).catch(() => 0))
    if (!(await Promise.all(asked)).includes(1)) return new Map()
    return new Map([...this.#ended].map(([key, { step }]) => [key, step]))
  }
}
