/**
 * Keeps recently read values in this process until the server reports a change. A cached value was current at most `maxStaleMs` ago,
 * usually about a millisecond ago.
 *
 * - A value is kept under its own name. It is dropped when any of the keys that it was read from changes.
 * - If a key changes during a read, the result is returned but not kept, because it may be older than the change.
 * - While change notifications are unavailable, the cache keeps and returns nothing.
 * - The cache does not know about expiry. Values carry their own expiry times, because the server does not report an expired key in time.
 */
import { EventBus } from '../../core/events.ts'
import type { KeyTracking } from '../../redis/client-port.ts'

export interface NearCacheOptions {
  /** Maximum number of values; the least recently used one is dropped first. Default 10,000. */
  readonly maxEntries: number
  /** How long after the last sign of life of the connection a value is trusted, milliseconds. Default 2,000. */
  readonly maxStaleMs: number
}

interface Entry {
  readonly value: unknown
  readonly keys: readonly string[]
}

interface Load {
  isDirty: boolean
}

export class NearCache {
  readonly #maxEntries: number
  readonly #events: EventBus
  #tracking: KeyTracking | null = null
  /** By name, the most recently used last. */
  readonly #entries = new Map<string, Entry>()
  /** Names of the values that were read from a key. */
  readonly #names = new Map<string, Set<string>>()
  readonly #loads = new Map<string, Set<Load>>()

  constructor(maxEntries: number, events: EventBus = new EventBus()) {
    this.#maxEntries = maxEntries
    this.#events = events
  }

  /** Enables the cache. Before this call it keeps nothing. */
  follow(tracking: KeyTracking): void {
    this.#tracking = tracking
  }

  get size(): number {
    return this.#entries.size
  }

  /**
   * Returns the kept value itself. Callers must not change it.
   * @param key one of the keys that the value was read from
   */
  get(kind: 'session' | 'token', name: string, key: string): unknown {
    const entry = this.#entries.get(name)
    const isHit = entry !== undefined && this.#tracking?.isCurrent(key) === true
    if (this.#events.hasListeners('redis.near-read')) this.#events.emit('redis.near-read', { kind, isHit })
    if (!isHit) return undefined
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    return entry.value
  }

  /** Reads the value, and keeps it if `isWorth` returns true. */
  async load<T>(
    name: string,
    keys: readonly string[],
    read: () => Promise<T>,
    isWorth: (value: T) => boolean,
  ): Promise<T> {
    if (this.#tracking?.isCurrent(keys[0] ?? '') !== true) return read()
    const load: Load = { isDirty: false }
    for (const key of keys) setOf(this.#loads, key).add(load)
    try {
      const value = await read()
      if (!load.isDirty && isWorth(value)) this.#keep(name, keys, value)
      return value
    } finally {
      for (const key of keys) leave(this.#loads, key, load)
    }
  }

  /** Called when the server reports a change, or when this process changes the key. `null`: any key. */
  readonly changed = (key: string | null): void => {
    if (key === null) {
      this.#entries.clear()
      this.#names.clear()
      for (const loads of this.#loads.values()) for (const load of loads) load.isDirty = true
      return
    }
    for (const load of this.#loads.get(key) ?? []) load.isDirty = true
    for (const name of [...(this.#names.get(key) ?? [])]) this.#drop(name)
  }

  #keep(name: string, keys: readonly string[], value: unknown): void {
    this.#drop(name)
    this.#entries.set(name, { value, keys })
    for (const key of keys) setOf(this.#names, key).add(name)
    if (this.#entries.size <= this.#maxEntries) return
    const [oldest = ''] = this.#entries.keys()
    this.#drop(oldest)
  }

  #drop(name: string): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#entries.delete(name)
    for (const key of entry.keys) leave(this.#names, key, name)
  }
}

/**
 * Wraps a change by this process, because its own notification arrives too late. Drops the values before and after the change: a read in
 * between may return either state.
 */
export function duringChange(near: NearCache | null): <T>(keys: readonly string[], work: Promise<T>) => Promise<T> {
  if (near === null) return (_keys, work) => work
  return async (keys, work) => {
    for (const key of keys) near.changed(key)
    try {
      return await work
    } finally {
      for (const key of keys) near.changed(key)
    }
  }
}

function setOf<T>(sets: Map<string, Set<T>>, key: string): Set<T> {
  const known = sets.get(key) ?? new Set<T>()
  sets.set(key, known)
  return known
}

function leave<T>(sets: Map<string, Set<T>>, key: string, member: T): void {
  const set = sets.get(key)
  set?.delete(member)
  if (set?.size === 0) sets.delete(key)
}
