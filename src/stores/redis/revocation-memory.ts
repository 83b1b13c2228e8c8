/**
 * Revocations of this process that Redis has confirmed, for a Redis that forgets: an operator restores an older dump, or a replica is
 * promoted that had not heard of them. Redis itself cannot reveal that. This process can: a session that it ended is there again.
 *
 * Only the latest are looked for: a server that has lost an older one has lost these too.
 */
import type { Clock } from '../../core/clock.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { Repeatable } from '../../redis/repeatable.ts'

/** For a session that was ended it is longer than most of them live. */
const LIFE_MS = 24 * 3_600_000
/** Some hundreds of bytes each. */
const MOST = 5000
/** Revocations of one user: a user who signs in and out in a loop displaces none of another user. */
const MOST_OF_ONE_USER = 250
/** In a cluster they lie on several servers, each of which may have forgotten. */
const LOOKED_FOR = 64

interface Ended {
  readonly step: Repeatable
  readonly owner: string
  readonly until: number
}

export class RevocationMemory {
  readonly #clock: Clock
  /** By the key that must not be there, oldest first. */
  readonly #ended = new Map<string, Ended>()
  /** The same keys by their owner, oldest first. */
  readonly #byOwner = new Map<string, Set<string>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Steps that do not say which key they remove are not remembered. */
  remember(steps: readonly Repeatable[]): void {
    const until = this.#clock.monotonic() + LIFE_MS
    for (const step of steps.slice(-MOST)) if (step.removes) this.#add(step.removes, step, until)
    for (const [key, ended] of this.#ended) {
      if (this.#ended.size <= MOST && ended.until > this.#clock.monotonic()) break
      this.#forget(key, ended)
    }
  }

  #add({ key, owner }: NonNullable<Repeatable['removes']>, step: Repeatable, until: number): void {
    const before = this.#ended.get(key)
    if (before) this.#forget(key, before)
    const own = this.#byOwner.get(owner) ?? new Set()
    const [oldest = ''] = own
    const oldestEnded = own.size < MOST_OF_ONE_USER ? undefined : this.#ended.get(oldest)
    if (oldestEnded) this.#forget(oldest, oldestEnded)
    this.#ended.set(key, { step, owner, until })
    this.#byOwner.set(owner, own.add(key))
  }

  #forget(key: string, { owner }: Ended): void {
    this.#ended.delete(key)
    const own = this.#byOwner.get(owner)
    own?.delete(key)
    if (own?.size === 0) this.#byOwner.delete(owner)
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
