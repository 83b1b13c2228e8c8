/**
 * The storage port for tokens: one hash per user, sealed values, one atomic step per method. A driver knows field names,
 * bytes and how long each value lives, and neither providers nor tokens. Leases coordinate refreshes over processes.
 *
 * Contract, checked on every driver by the conformance cases of `coatcheck/testing`
 * - Absence is a value; a rejected promise means that the store could not answer.
 * - The hash lives as long as the longest-living of its values. No read changes that.
 * - A value whose life is over, by the store's clock, is absent for reads, and removed by the next write.
 * - A write whose deadline was reported as missed is never executed afterwards. Deleting is exempt: late is fine.
 * - A record handed in or out is a Buffer of its own; neither side may change the other's copy through it.
 *
 * Record layout, as far as a driver may look at it (`keyring/seal.ts` writes it): bytes 0..7 end of its life, epoch ms of the
 * server's clock, big-endian, in the clear (written by the driver; whoever hands in a record leaves it zero) · 8 format ·
 * 9..12 key tag · 13..24 nonce · rest.
 */

/** Built in `token-fields.ts` only. */
export type TokenField = string

export const END_OF_LIFE_BYTES = 8
export const TOKEN_NONCE_OFFSET = 13
export const TOKEN_NONCE_BYTES = 12

export const LEASE_HOLDER_BYTES = 16

/**
 * A lease as its holder knows it. Stored in the clear, since it opens nothing: end of its life (as above, later than its
 * validity, so that a dead holder's lease is seen for what it is) · end of its validity, epoch ms of the server's clock · holder.
 */
export interface LeaseClaim {
  readonly field: TokenField
  /** 16 random bytes, drawn anew for each lease. */
  readonly holder: Buffer
  readonly ttlMs: number
}

/** How a wait for a lease is cut short. A hint: what is stored decides, and who is told nothing looks from time to time. */
export interface LeaseWatch {
  /** True: from now on every end of a lease is heard, while the connection stands. May never settle; never rejects. */
  readonly confirmed: Promise<boolean>
  close(): void
}

export interface TokenRecord {
  readonly record: Buffer
  /** From now on, more than 0. */
  readonly ttlMs: number
}

/** Fields by name, and all fields that begin with one of the prefixes. */
export interface FieldSelection {
  readonly fields?: readonly TokenField[]
  readonly prefixes?: readonly string[]
}

export interface TokenChange {
  readonly set: ReadonlyMap<TokenField, TokenRecord>
  /** What goes in the same step; a field that is also in `set` stays. */
  readonly remove?: FieldSelection
  /**
   * Only if this field is still the one that was read: the nonce of its sealed value, `null` when it was absent. An empty nonce is
   * that of no record: such a write is always a conflict.
   * A field whose stored nonce is that of the value being written means that this very write has happened: `done`.
   */
  readonly expect?: { readonly field: TokenField; readonly nonce: Buffer | null }
  /** Worth waiting until replicas have it, where the store is configured so: see `durable`. Default false. */
  readonly lasting?: boolean
  /** Refused as a conflict while a lease of another holder is valid; given back by a write that is done. */
  readonly lease?: LeaseClaim
}

export type TokenWritten =
  | { readonly status: 'done'; readonly durable?: boolean }
  /** `current` is the record of the expected field as it is now. Nothing was changed. */
  | { readonly status: 'conflict'; readonly current: Buffer | null }

export interface TokensDeleted {
  /** How many fields there were. */
  readonly count: number
  /** Whether as many replicas have acknowledged it as the store is configured to ask. Absent: none was asked. */
  readonly durable?: boolean
}

export interface TokenDriver {
  /** Whether changes that should last can be durable. Default false. */
  readonly isDurable?: boolean
  /** `readOne` hands out the same Buffer again while nothing has changed: nobody may change it. Default false. */
  readonly keepsRecords?: boolean
  /** `HMGET`: as many results as fields, in their order. Its size does not grow with what else the user has. */
  read(userKey: string, fields: readonly TokenField[]): Promise<readonly (Buffer | null)[]>
  /** One field, on the hot path of a hit: it may come although its life is over, and what is sealed inside decides. */
  readOne(userKey: string, field: TokenField): Promise<Buffer | null>
  /** All fields of the user: for `status`, not for the hot path. */
  readAll(userKey: string): Promise<ReadonlyMap<TokenField, Buffer>>
  /** Replacing an expected record works on a full store too, where the store can: a rotated refresh token has no copy. */
  write(userKey: string, change: TokenChange): Promise<TokenWritten>
  /**
   * True when it is the claimant's now: nobody held it, its holder's time was over, or it was the claimant's already. False
   * also for a moment after an outage: who held it then may have an answer of the provider to store first.
   */
  takeLease(userKey: string, claim: LeaseClaim): Promise<boolean>
  /** From now on `ttlMs` again; false when it is not the claimant's (any more). */
  renewLease(userKey: string, claim: LeaseClaim): Promise<boolean>
  /** Gives it back; nothing happens when it is not the claimant's. Works on a full store. */
  releaseLease(userKey: string, claim: LeaseClaim): Promise<void>
  /**
   * Asked when nothing was read that opens, and before that is believed. Rejects when the reply may have been the answer to another
   * question, as the store rejects what it cannot answer. Left out: a driver whose answers cannot be confused.
   */
  confirm?(userKey: string): Promise<void>
  /** Calls the listener when a lease of the user was given back, by a commit or after a failure. */
  watchLeases(userKey: string, listener: () => void): LeaseWatch
  /**
   * Deletes the selection, or everything. Works on a full store, and lasts where the store is configured so.
   * @param expect only if this field still has this nonce
   */
  delete(
    userKey: string,
    selection?: FieldSelection,
    expect?: { readonly field: TokenField; readonly nonce: Buffer },
  ): Promise<TokensDeleted>
  /**
   * Calls the listener each time the store can be asked again, which may be another server then, without the latest changes.
   * Only where changes can be durable.
   */
  whenBack?(listener: () => void): void
}
