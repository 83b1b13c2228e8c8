/**
 * The decoded-record cache. Each seal uses a new nonce, so equal bytes have equal content. A record that has not changed need not be
 * decrypted and parsed again. The store still answers every read; the cache never replaces that answer.
 */
import type { SessionRef } from './session-driver.ts'

/** Sealed bytes in each of the two halves. The decoded records take a few times as much memory. */
const BYTES_PER_HALF = 4 * 1024 * 1024

interface Opened {
  readonly ref: SessionRef
  readonly sealed: Buffer
}

export class DecodedRecords<T extends Opened> {
  /** The recently used records, and those used before them. When the younger half is full, the older half is dropped. */
  #recent = new Map<string, T>()
  #older = new Map<string, T>()
  #recentBytes = 0

  /** Returns the decoded record, if all bytes are equal. */
  find(ref: SessionRef, sealed: Buffer): T | null {
    const known = this.#recent.get(ref.id) ?? this.#promoted(ref.id)
    const isSame = known?.ref.userKey === ref.userKey && known.ref.kind === ref.kind && known.sealed.equals(sealed)
    return isSame ? known : null
  }

  /** @returns the cached record, with its own copy of the bytes: those of a reply belong to a larger buffer */
  keep(loaded: T): T {
    const kept = { ...loaded, sealed: Buffer.from(loaded.sealed) }
    this.#put(loaded.ref.id, kept)
    return kept
  }

  #promoted(id: string): T | undefined {
    const known = this.#older.get(id)
    if (known) this.#put(id, known)
    return known
  }

  #put(id: string, loaded: T): void {
    this.#recentBytes += loaded.sealed.length
    if (this.#recentBytes > BYTES_PER_HALF) {
      this.#older = this.#recent
      this.#recent = new Map()
      this.#recentBytes = loaded.sealed.length
    }
    this.#recent.set(id, loaded)
  }
}
