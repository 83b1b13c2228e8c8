/**
 * The memory of the embedded store: one bounded map with an expiry per key. The memory drivers of sessions, tokens and used sign-ins share
 * it, as the Redis drivers share one Redis. It handles keys, bytes and time, and does not interpret the values.
 *
 * - Synchronous: the steps of a driver between two `await`s form one atomic step.
 * - Bounded: a write that would exceed `maxBytes` is refused (`COATCHECK_REDIS_OOM`) and changes nothing. Deleting always works. A driver
 *   that writes several keys in one step calls `reserve` first, so that it fails before its first change.
 * - Buffers are copied in and out. Structures (a Map for a hash or an index) are stored by reference. The owner states their size, and
 *   calls `put` again after each change, so that the bound stays correct.
 * - Expired entries are absent at once. They are freed on access, by a bounded sweep on each write, and before a refusal.
 */
import type { Clock } from '../../core/clock.ts'
import { RedisError } from '../../core/errors.ts'
import { checkedTtlMs } from '../../core/time-to-live.ts'

/** Overhead of an entry besides its key and value: map slot, entry object, Buffer header. A deliberately high estimate. */
export const ENTRY_OVERHEAD_BYTES = 160
export const DEFAULT_SPACE_BYTES = 64 * 1024 * 1024
const SWEPT_PER_WRITE = 8
const FULL_SWEEP_INTERVAL_MS = 1000

interface Entry {
  readonly value: unknown
  readonly bytes: number
  expiresAtMs: number
}

export interface MemorySpaceOptions {
  readonly clock: Clock
  /** Default 64 MiB: about 50,000 sessions of 1 KB. */
  readonly maxBytes?: number
}

export class MemorySpace {
  readonly clock: Clock
  readonly maxBytes: number
  readonly #entries = new Map<string, Entry>()
  #usedBytes = 0
  readonly #listeners = new Map<string, Set<() => void>>()
  #sweep: Iterator<[string, Entry]> | null = null
  #fullSweepAtMs = Number.NEGATIVE_INFINITY

  constructor({ clock, maxBytes = DEFAULT_SPACE_BYTES }: MemorySpaceOptions) {
    this.clock = clock
    this.maxBytes = maxBytes
  }

  /** Returns a copy, or `null` if the key is absent or expired. */
  getBuffer(key: string): Buffer | null {
    const value = this.#live(key)?.value
    return value instanceof Uint8Array ? Buffer.from(value) : null
  }

  /**
   * Stores a copy for `ttlMs`.
   * @throws {RedisError} `COATCHECK_REDIS_OOM`; the old value then stays
   */
  setBuffer(key: string, value: Uint8Array, ttlMs: number): void {
    this.put(key, Buffer.from(value), value.length, ttlMs)
  }

  /** Returns the structure itself, or `null` if it is absent or expired. The caller knows the type that it stored. */
  get<T>(key: string): T | null {
    return (this.#live(key)?.value as T | undefined) ?? null
  }

  /**
   * Stores a structure for `ttlMs` without a copy. Call it again after a change, to state the new size.
   * @param bytes size of the value alone; key and overhead are added here
   * @throws {RedisError} `COATCHECK_REDIS_OOM`; the old entry then stays
   */
  put(key: string, value: unknown, bytes: number, ttlMs: number): void {
    const lifeMs = checkedTtlMs(ttlMs)
    const cost = bytes + key.length + ENTRY_OVERHEAD_BYTES
    this.#sweepSome()
    this.reserve(cost - (this.#live(key)?.bytes ?? 0))
    // Looked up again, because making room may have freed the entry.
    this.#usedBytes += cost - (this.#entries.get(key)?.bytes ?? 0)
    this.#entries.set(key, { value, bytes: cost, expiresAtMs: this.clock.now() + lifeMs })
  }

  /**
   * Ensures that this many additional bytes fit. Does not change live entries.
   * @throws {RedisError} `COATCHECK_REDIS_OOM`
   */
  reserve(additionalBytes: number): void {
    if (additionalBytes <= 0 || this.#usedBytes + additionalBytes <= this.maxBytes) return
    this.#sweepAll()
    if (this.#usedBytes + additionalBytes <= this.maxBytes) return
    throw new RedisError('COATCHECK_REDIS_OOM', {
      message: `The memory store is full: ${this.maxBytes} bytes (memoryStore({ maxBytes })).`,
      details: { maxBytes: this.maxBytes, usedBytes: this.#usedBytes },
    })
  }

  /** Returns true if a live entry existed. Never fails. */
  delete(key: string): boolean {
    const wasLive = this.#live(key) !== null
    this.#remove(key)
    return wasLive
  }

  /** Sets the remaining life of a live entry. Returns false if there is none. */
  expire(key: string, ttlMs: number): boolean {
    const lifeMs = checkedTtlMs(ttlMs)
    const entry = this.#live(key)
    if (entry) entry.expiresAtMs = this.clock.now() + lifeMs
    return entry !== null
  }

  /** Remaining life in milliseconds, or `null` if absent or expired. */
  ttlMs(key: string): number | null {
    const entry = this.#live(key)
    return entry && entry.expiresAtMs - this.clock.now()
  }

  has(key: string): boolean {
    return this.#live(key) !== null
  }

  /** Estimated bytes in use, including expired entries that are not freed yet. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Number of live entries. Scans all entries: for tests and statistics. */
  countLive(): number {
    const now = this.clock.now()
    let count = 0
    for (const entry of this.#entries.values()) if (entry.expiresAtMs > now) count++
    return count
  }

  /** Current live keys that begin with the prefix. Scans all entries. */
  keys(prefix: string): string[] {
    return [...this.#entries.keys()].filter((key) => key.startsWith(prefix) && this.#live(key) !== null)
  }

  /** Calls the listener at each `publish` of this key, until the returned function is called. */
  watch(key: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(key) ?? new Set()
    this.#listeners.set(key, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key)
    }
  }

  /** Calls the listeners of the key. */
  publish(key: string): void {
    for (const listener of this.#listeners.get(key) ?? []) listener()
  }

  clear(): void {
    this.#entries.clear()
    this.#usedBytes = 0
    this.#sweep = null
  }

  #live(key: string): Entry | null {
    const entry = this.#entries.get(key)
    if (!entry) return null
    if (entry.expiresAtMs > this.clock.now()) return entry
    this.#remove(key)
    return null
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    this.#usedBytes -= entry.bytes
    this.#entries.delete(key)
  }

  /** Sweeps a few entries per write, in turn. So unused expired entries are freed without a timer. */
  #sweepSome(): void {
    const now = this.clock.now()
    for (let i = 0; i < SWEPT_PER_WRITE; i++) {
      // A Map's iterator stays valid while entries are added and removed.
      this.#sweep ??= this.#entries.entries()
      const next = this.#sweep.next()
      if (next.done === true) {
        this.#sweep = null
        return
      }
      if (next.value[1].expiresAtMs <= now) this.#remove(next.value[0])
    }
  }

  /** Sweeps all entries, but at most once a second: on a full store, not every refused write may start a full scan. */
  #sweepAll(): void {
    const now = this.clock.now()
    if (now - this.#fullSweepAtMs < FULL_SWEEP_INTERVAL_MS && now >= this.#fullSweepAtMs) return
    this.#fullSweepAtMs = now
    for (const [key, entry] of this.#entries) if (entry.expiresAtMs <= now) this.#remove(key)
  }
}
