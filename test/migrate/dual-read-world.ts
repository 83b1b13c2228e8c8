/**
 * Processes that share one real Redis in the middle of a migration from connect-redis: old ones, and new ones whose every step on the
 * store can be held, or lost. A step is one call of a driver, so one atomic step on the server.
 */
import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import type { MigrationOutcome } from '../../src/core/event-map.ts'
import { RedisError } from '../../src/core/errors.ts'
import { systemRandom } from '../../src/core/random.ts'
import { createDocuments } from '../../src/documents/documents.ts'
import { librarySessionCodec } from '../../src/documents/library-session-record.ts'
import { createLibrarySessions, type LibrarySessions } from '../../src/documents/library-sessions.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { connectRedis } from '../../src/migrate/origins/connect-redis.ts'
import type { OldRecordDriver } from '../../src/migrate/old-record-driver.ts'
import type { MigrationMode } from '../../src/migrate/migration-mode.ts'
import type { SessionOrigin } from '../../src/migrate/session-origin.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { Store, StoreFactory } from '../../src/stores/store.ts'
import { startRedisServer } from '../support/redis-server.ts'

export const TTL_MS = 60_000
export type Data = Record<string, unknown>

/** Lets the steps of several processes happen one at a time, in an order that follows from a seed. */
export class RandomOrder {
  readonly #waiting: (() => Promise<void>)[] = []
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  run<T>(step: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => void this.#waiting.push(() => step().then(resolve, reject)))
  }

  /** Resolves when all actors have ended. */
  async drive(actors: readonly Promise<unknown>[]): Promise<void> {
    let left = actors.length
    const ended = Promise.all(actors.map((actor) => actor.finally(() => left--)))
    ended.catch(() => undefined)
    while (left > 0) {
      // Between two steps, a process only computes: by now each one waits for its next step.
      await setImmediate()
      const [next] = this.#waiting.splice(this.#draw(this.#waiting.length), 1)
      await next?.()
    }
    await ended
  }

  /** Numerical Recipes' generator: good enough to choose an order. */
  #draw(below: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * below)
  }
}

/** Where the steps of one process are held or lost. */
export class Steps {
  count = 0
  /** In whose order the steps happen. `null`: each at once. */
  order: RandomOrder | null = null
  #heldAt = 0
  #lostAt = 0
  #isLostBehind = false
  #stoppedAt = Infinity
  #arrived: () => void = () => undefined
  #released: Promise<void> = Promise.resolve()

  /** Holds the step of this number until `go` is called. `arrived` resolves when it is held. */
  hold(step: number): { readonly arrived: Promise<void>; go(): void } {
    this.count = 0
    this.#heldAt = step
    let go: () => void = () => undefined
    this.#released = new Promise((resolve) => (go = resolve))
    const arrived = new Promise<void>((resolve) => (this.#arrived = resolve))
    return { arrived, go }
  }

  /** The store does not answer the step of this number. `behind`: it carries the step out all the same. */
  lose(step: number, behind: boolean): void {
    this.count = 0
    this.#lostAt = step
    this.#isLostBehind = behind
  }

  /** The process stops before the step of this number: the store gets neither this step nor a later one. `Infinity`: it runs again. */
  stop(step: number): void {
    this.count = 0
    this.#stoppedAt = step
  }

  async run<T>(step: () => Promise<T>): Promise<T> {
    if (this.order) return this.order.run(step)
    const number = ++this.count
    if (number >= this.#stoppedAt) throw new RedisError('COATCHECK_REDIS_TIMEOUT')
    if (number === this.#heldAt) {
      this.#heldAt = 0
      this.#arrived()
      await this.#released
    }
    const isLost = number === this.#lostAt
    if (isLost) this.#lostAt = 0
    if (isLost && !this.#isLostBehind) throw new RedisError('COATCHECK_REDIS_TIMEOUT')
    const result = await step()
    if (isLost) throw new RedisError('COATCHECK_REDIS_TIMEOUT')
    return result
  }
}

export interface NewProcess {
  readonly sessions: LibrarySessions
  readonly steps: Steps
  readonly outcomes: MigrationOutcome[]
  close(): Promise<void>
}

export interface DualReadWorld {
  /** Of its own Redis. Empty: the store was given. */
  readonly url: string
  /** The old records, as the old library sees them. */
  readonly old: OldRecordDriver
  /** What `SET` of an old process does. */
  set(key: string, text: string): Promise<void>
  start(mode: MigrationMode, origin?: SessionOrigin): Promise<NewProcess>
  stop(): Promise<void>
}

/** @param given in the place of a Redis of its own */
export async function startDualReadWorld(given?: StoreFactory): Promise<DualReadWorld> {
  const redis = given ? null : await startRedisServer()
  const factory = given ?? redisStore({ url: redis?.url ?? '' })
  const context = { prefix: '', clock: systemClock, events: new EventBus(), loopback: true }
  const store = factory.open(context)
  await store.ready()
  const keyring = createKeyring(randomBytes(32).toString('base64'))
  const seal = createSeal(keyring)
  const old = await store.oldRecords()
  return {
    url: redis?.url ?? '',
    old,
    async set(key, text) {
      await old.remove(key)
      await old.create(key, text, TTL_MS)
    },
    async start(mode, origin = connectRedis({ mode })) {
      const steps = new Steps()
      const events = new EventBus()
      const outcomes: MigrationOutcome[] = []
      events.on('migration.read', ({ outcome }) => outcomes.push(outcome))
      const stepped: Store = { ...store, oldRecords: () => Promise.resolve(inSteps(old, steps)) }
      const attached = await origin.attach({
        ...{ store: stepped, clock: systemClock, events, loopback: true },
        defaultTtlMs: TTL_MS,
      })
      const driver = inSteps(store.documents, steps)
      const inner = createLibrarySessions({
        documents: createDocuments(
          { driver, keyring, seal, namespace: '', events },
          'express-session',
          librarySessionCodec,
        ),
        kind: 'express-session',
        clock: systemClock,
        random: systemRandom,
        events,
        userIdOf: ({ user }) => user as string | undefined,
        links: attached.links,
      })
      return { sessions: attached.over(inner), steps, outcomes, close: () => attached.close() }
    },
    async stop() {
      await store.close()
      await redis?.stop()
    },
  }
}

/** A driver whose promises are steps. What it scans is none. */
export function inSteps<T extends object>(driver: T, steps: Steps): T {
  return new Proxy(driver, {
    get(target, name) {
      const method = Reflect.get(target, name) as unknown
      if (typeof method !== 'function' || name === 'scan' || name === 'names') return method
      return (...args: unknown[]) => steps.run(() => Reflect.apply(method, target, args) as Promise<unknown>)
    },
  })
}

/** What connect-redis stores for a session with this data. */
export function oldText(data: Data): string {
  const expires = new Date(Date.now() + TTL_MS).toISOString()
  return JSON.stringify({ cookie: { originalMaxAge: TTL_MS, expires, httpOnly: true, path: '/' }, ...data })
}

export function dataIn(json: string | undefined): Data {
  const { cookie: _cookie, ...data } = JSON.parse(json ?? '{}') as Data
  return data
}
