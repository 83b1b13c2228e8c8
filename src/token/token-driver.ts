/**
 * The storage port for tokens: one hash per user, sealed values, one atomic step per method. A driver knows field names and
 * bytes, and neither providers nor lifetimes. Coordination of refreshes over processes (leases, waiting for a result) will
 * extend this port; nothing here may assume a single process.
 *
 * Contract
 * - Absence is a value; a rejected promise means that the store could not answer.
 * - The life of the hash is the longest that any write asked for, and no read changes it.
 * - A write whose deadline was reported as missed is never executed afterwards.
 */

/** `grant:<provider>`, `access:<provider>:<resource>`, `status:<provider>`. Built in `token-fields.ts` only. */
export type TokenField = string

export interface TokenChange {
  readonly set: ReadonlyMap<TokenField, Buffer>
  readonly remove: readonly TokenField[]
  /** Remaining life of the longest-living value. The hash lives at least this long from now on. */
  readonly ttlMs: number
  /**
   * Only if this field is still the one that was read: the nonce of its sealed value, `null` when it was absent.
   * A field whose stored nonce is that of the value being written means that this very write has happened: `done`.
   */
  readonly expect?: { readonly field: TokenField; readonly nonce: Buffer | null }
}

export type TokenWritten =
  | { readonly status: 'done' }
  /** `current` is the sealed value of the expected field as it is now. Nothing was changed. */
  | { readonly status: 'conflict'; readonly current: Buffer | null }

export interface TokenDriver {
  /** `HMGET`: as many results as fields, in their order. Its size does not grow with what else the user has. */
  read(userKey: string, fields: readonly TokenField[]): Promise<readonly (Buffer | null)[]>
  /** All fields of the user: for `getUserTokens` and `status`, not for the hot path. */
  readAll(userKey: string): Promise<ReadonlyMap<TokenField, Buffer>>
  write(userKey: string, change: TokenChange): Promise<TokenWritten>
  /** Deletes the given fields, or all of them. @returns how many there were. Works on a full store. */
  delete(userKey: string, fields?: readonly TokenField[]): Promise<number>
}
