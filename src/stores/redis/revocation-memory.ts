/**
 * Remembers revocations of this process that Redis has confirmed, in case Redis loses them. This happens when an operator restores an older
 * dump, or when a replica is promoted that missed them. Redis cannot reveal such a rollback. This process can: it finds a session again
 * that it ended.
 *
 * A check asks for the latest revocations, and for a sample of the earlier ones. A server that lost an earlier one has lost the latest ones too, but
 * their sessions may have begun after its dump, so that it never had them.
 */
import type { Clock } from '../../core/clock.ts'
import {
  MAX_CONFIRMED_REVOCATIONS,
  MAX_CONFIRMED_REVOCATIONS_OF_ONE_USER,
  REMEMBERED_MS,
} from '../../core/loss-limits.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RepeatableScript } from '../../redis/repeatable-script.ts'

/** Number of latest revocations to check. In a cluster they lie on several servers, each of which may have lost data. */
const CHECKED_LATEST = 64
/** Number of earlier revocations to check. */
const CHECKED_EARLIER = 192

interface Ended {
  readonly step: RepeatableScript
  readonly owner: string
  readonly until: number
}

export class RevocationMemory {
  readonly #clock: Clock
  /** By the key that must stay absent, oldest first. */
  readonly #ended = new Map<string, Ended>()
  /** The same keys by owner, oldest first. */
  readonly #byOwner = new Map<string, Set<string>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Steps without a `removes` key are not remembered. */
  remember(steps: readonly RepeatableScript[]): void {
    const until = this.#clock.monotonic() + REMEMBERED_MS
    for (const step of steps.slice(-MAX_CONFIRMED_REVOCATIONS)) if (step.removes) this.#add(step.removes, step, until)
    for (const [key, ended] of this.#ended) {
      if (this.#ended.size <= MAX_CONFIRMED_REVOCATIONS && ended.until > this.#clock.monotonic()) break
      this.#forget(key, ended)
    }
  }

  #add({ key, owner }: NonNullable<RepeatableScript['removes']>, step: RepeatableScript, until: number): void {
    const before = this.#ended.get(key)
    if (before) this.#forget(key, before)
    const own = this.#byOwner.get(owner) ?? new Set()
    const [oldest = ''] = own
    const oldestEnded = own.size < MAX_CONFIRMED_REVOCATIONS_OF_ONE_USER ? undefined : this.#ended.get(oldest)
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

  /** Whether this process ended the session under this key. Session ids are random, so no new session reuses the key. */
  has(key: string): boolean {
    return this.#ended.has(key)
  }

  /**
   * Returns all remembered steps, by key, if one of the checked keys exists in Redis again; otherwise an empty map. `unknown`: Redis did not answer
   * for some of the keys, and no other key exists.
   */
  async lostByRedis(client: RedisClientPort): Promise<ReadonlyMap<string, RepeatableScript> | 'unknown'> {
    const asked = this.#checked().map((key) => client.command(key, ['EXISTS', key]).catch(() => 'unknown'))
    const answers = await Promise.all(asked)
    if (answers.includes(1)) return new Map([...this.#ended].map(([key, { step }]) => [key, step]))
    return answers.includes('unknown') ? 'unknown' : new Map()
  }

  #checked(): readonly string[] {
    const keys = [...this.#ended.keys()]
    const earlier = keys.slice(0, -CHECKED_LATEST)
    const every = Math.max(1, earlier.length / CHECKED_EARLIER)
    const sample = Array.from({ length: Math.ceil(earlier.length / every) }, (_, at) => earlier[Math.floor(at * every)])
    return [...sample.filter((key) => key !== undefined), ...keys.slice(-CHECKED_LATEST)]
  }
}
