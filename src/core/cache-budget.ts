/**
 * One memory bound for all caches of a process. Each cache keeps its entries in two halves: those used recently, and those used before
 * them. When the recent entries of all caches together reach half of the bound, each cache drops its older half, and its recent one becomes
 * the older one. An entry that is used again moves to the recent half. So an eviction drops whole maps and visits no entry.
 */

/** Figures of one cache since the start of the process. */
export interface CacheFigures {
  readonly name: string
  readonly entries: number
  readonly hits: number
  readonly misses: number
  readonly evictions: number
}

export interface Cache<V> {
  get(key: string): V | undefined
  set(key: string, value: V): void
  /** Counts the memory by which an entry has grown since it was set. */
  grow(bytes: number): void
  delete(key: string): void
  values(): Iterable<V>
}

export const DEFAULT_CACHE_BYTES: number = 32 * 1024 * 1024

export class CacheBudget {
  readonly #halfBytes: number
  readonly #caches: HalvedCache<unknown>[] = []
  #recentBytes = 0

  /** @param maxBytes estimated memory of all entries of all caches */
  constructor(maxBytes: number = DEFAULT_CACHE_BYTES) {
    this.#halfBytes = maxBytes / 2
  }

  /** @param bytesOf estimates the memory of one entry, its key included */
  cache<V>(name: string, bytesOf: (value: V, key: string) => number): Cache<V> {
    const cache = new HalvedCache<V>(name, bytesOf, (bytes) => this.#spend(bytes))
    this.#caches.push(cache as HalvedCache<unknown>)
    return cache
  }

  figures(): CacheFigures[] {
    return this.#caches.map((cache) => cache.figures())
  }

  #spend(bytes: number): void {
    this.#recentBytes += bytes
    if (this.#recentBytes <= this.#halfBytes) return
    this.#recentBytes = 0
    for (const cache of this.#caches) cache.turn()
  }
}

class HalvedCache<V> implements Cache<V> {
  readonly #name: string
  readonly #bytesOf: (value: V, key: string) => number
  readonly #spend: (bytes: number) => void
  #recent = new Map<string, V>()
  #older = new Map<string, V>()
  #hits = 0
  #misses = 0
  #evictions = 0

  constructor(name: string, bytesOf: (value: V, key: string) => number, spend: (bytes: number) => void) {
    this.#name = name
    this.#bytesOf = bytesOf
    this.#spend = spend
  }

  get(key: string): V | undefined {
    const value = this.#recent.get(key) ?? this.#promoted(key)
    if (value === undefined) this.#misses++
    else this.#hits++
    return value
  }

  set(key: string, value: V): void {
    this.#older.delete(key)
    this.#recent.set(key, value)
    this.#spend(this.#bytesOf(value, key))
  }

  grow(bytes: number): void {
    this.#spend(bytes)
  }

  delete(key: string): void {
    this.#recent.delete(key)
    this.#older.delete(key)
  }

  *values(): Iterable<V> {
    yield* this.#recent.values()
    yield* this.#older.values()
  }

  turn(): void {
    this.#evictions += this.#older.size
    this.#older = this.#recent
    this.#recent = new Map()
  }

  figures(): CacheFigures {
    const entries = this.#recent.size + this.#older.size
    return { name: this.#name, entries, hits: this.#hits, misses: this.#misses, evictions: this.#evictions }
  }

  #promoted(key: string): V | undefined {
    const value = this.#older.get(key)
    if (value !== undefined) this.set(key, value)
    return value
  }
}
