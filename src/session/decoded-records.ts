/**
 * Records that were opened lately. Each seal draws a new nonce, so bytes that are the same hold the same: a record that has not
 * changed since need not be decrypted and parsed again. Whether it still stands there is asked of the store at every read, as
 * ever: this never answers in its place.
 */
import type { SessionRef } from './session-driver.ts'

/** Sealed bytes of each of the two halves; opened and parsed they take a few times as much. */
const BYTES_PER_HALF = 4 * 1024 * 1024

interface Opened {
  readonly ref: SessionRef
  readonly sealed: Buffer
}

export class DecodedRecords<T extends Opened> {
  /** What was used lately, and what was used before that: the older half goes when the younger one is full. */
  #recent = new Map<string, T>()
  #older = new Map<string, T>()
  #recentBytes = 0

  /** The record as it was opened, if it is the same to the last byte. */
  find(ref: SessionRef, sealed: Buffer): T | null {
    const known = this.#recent.get(ref.id) ?? this.#promoted(ref.id)
    const isSame = known?.ref.userKey === ref.userKey && known.ref.kind === ref.kind && known.sealed.equals(sealed)
    return isSame ? known : null
  }

  /** @returns what is kept: with bytes of its own, since those of a reply belong to a larger buffer */
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
