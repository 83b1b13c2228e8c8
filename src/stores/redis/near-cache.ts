/**
 * What was read lately, kept in this process until the server says that it has changed. Whoever reads what is kept here reads
 * what was true at most `maxStaleMs` ago, usually a millisecond.
 *
 * - A value is kept under its own name and forgotten with any of the keys that it was read from.
 * - A read that was under way when one of its keys changed is answered and not kept: its answer may be older than the change.
 * - While changes cannot be heard of, nothing is kept and nothing is answered.
 * - It knows nothing of expiry: values carry their own ends, since the server tells nobody in time that a key has expired.
 */
import { EventBus } from '../../core/events.ts'
import type { KeyTracking } from '../../redis/client-port.ts'

export interface NearCacheOptions {
  /** Values that are kept; the one that was not asked for the longest goes first. Default 10,000. */
  readonly maxEntries: number
  /** How long after the last sign of life of the connection a value is believed. Default 2,000. */
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
  /** By name, the one that was used last at the end. */
  readonly #entries = new Map<string, Entry>()
  /** Names of the values that were read from a key. */
  readonly #names = new Map<string, Set<string>>()
  readonly #loads = new Map<string, Set<Load>>()

  constructor(maxEntries: number, events: EventBus = new EventBus()) {
    this.#maxEntries = maxEntries
    this.#events = events
  }

  /** Before that nothing is kept. */
  follow(tracking: KeyTracking): void {
    this.#tracking = tracking
  }

  get size(): number {
    return this.#entries.size
  }

  /** The kept value itself, which nobody may change. @param key one of those that it was read from */
  get(kind: 'session' | 'token', name: string, key: string): unknown {
    const entry = this.#entries.get(name)
    const isHit = entry !== undefined && this.#tracking?.isHeard(key) === true
    if (this.#events.hasListeners('redis.near-read')) this.#events.emit('redis.near-read', { kind, isHit })
    if (!isHit) return undefined
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    return entry.value
  }

  /** Reads, and keeps what is worth it. */
  async load<T>(
    name: string,
    keys: readonly string[],
    read: () => Promise<T>,
    isWorth: (value: T) => boolean,
  ): Promise<T> {
    if (this.#tracking?.isHeard(keys[0] ?? '') !== true) return read()
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

  /** By the server's word, or because this process changes it. `null`: any key. */
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
 * Around a change by this process, which does not hear of its own in time: forgotten before it and after it, since what is read
 * in between may be either.
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
