/**
 * The port to the records of another library: strings under key names that the library chose. A migration reads and changes them while
 * old processes still use them. No key of ours passes through here.
 */

/** A stored value of another library. */
export interface OldRecord {
  /**
   * The value as UTF-8 text, exactly as stored. Empty for a value that is not UTF-8: no library here stores one, and no change that expects
   * this text is carried out on it.
   */
  readonly text: string
  /** Remaining life in milliseconds, as measured by the read. `null`: the key has no expiry. */
  readonly ttlMs: number | null
  /**
   * When the key ends, epoch milliseconds. It counts from the moment before the read was sent. So a record that is made from this one never
   * outlives it, however long the read took. `null`: the key has no expiry.
   */
  readonly endsAtMs: number | null
}

/** Result of a conditional write. */
export type OldRecordWritten = OldRecordDone | OldRecordChanged

/** The write was carried out, or the key held no string. */
export interface OldRecordDone {
  /** `missing`: the key holds no string, so nothing was written. */
  readonly status: 'written' | 'missing'
}

/** The key held another value than expected, so nothing was written. */
export interface OldRecordChanged {
  /** The key holds another value. */
  readonly status: 'changed'
  /** The stored value. */
  readonly current: OldRecord
}

/**
 * Each method is one atomic step on one server. Absence is a value. A method rejects with a `RedisError` if the store cannot answer.
 * A key that holds another type than a string counts as missing for reads, and is never written or removed.
 */
export interface OldRecordDriver {
  /** Reads a value with its remaining life. `null`: the key is missing; the driver confirms a miss before it answers. */
  read(key: string): Promise<OldRecord | null>
  /**
   * Replaces the value if it is still `expected`; a repeated call answers `written`.
   * @param ttlMs milliseconds from now; `null` keeps the remaining life of the key
   */
  replace(key: string, expected: string, text: string, ttlMs: number | null): Promise<OldRecordWritten>
  /**
   * Stores a value under a key that is missing. `changed`: the key holds another value. `missing`: it holds another type.
   * @param ttlMs milliseconds; `null`: no expiry
   */
  create(key: string, text: string, ttlMs: number | null): Promise<OldRecordWritten>
  /** Moves the end of a key to `ttlMs` from now. False: the key is missing. */
  expire(key: string, ttlMs: number): Promise<boolean>
  /** Deletes a key. With `expected` only while the value is the same. False: nothing was deleted. */
  remove(key: string, expected?: string): Promise<boolean>
  /**
   * Scans string keys by prefix on all servers, with `SCAN`, never with `KEYS`. A key may come twice.
   * @param prefix literal text, not a pattern; empty: all keys
   */
  scan(prefix: string): AsyncIterable<string>
}
