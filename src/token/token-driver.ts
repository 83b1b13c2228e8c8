/**
 * The storage port for tokens: one hash per user, sealed values, one atomic step per method. A driver knows field names, bytes and the life
 * of each value. It knows neither providers nor tokens. Leases coordinate refreshes across processes.
 * Contract, checked on every driver by the conformance cases of `coatcheck/testing`:
 * - Absence is a value; a rejected promise means that the store did not answer.
 * - The hash lives as long as the longest-living of its values. A read never changes that.
 * - A value whose life is over, by the store's clock, is absent for reads. The next write removes it.
 * - A write whose deadline was reported as missed is never executed afterwards. Deletes are exempt: a late delete is safe.
 * - Each record that is passed in or returned is a separate Buffer. Neither side may change the other's copy through it.
 * - A driver may read the end of life and the nonce of a record (`keyring/record-layout.ts`). It writes the end of life; the caller leaves
 *   it zero.
 */
import { END_OF_LIFE_BYTES } from '../keyring/record-layout.ts'

/** Built in `token-fields.ts` only. */
export type TokenField = string

/** Bytes of a stored lease: end of its life · end of its validity · holder. Both times are epoch ms, big-endian. */
export const LEASE_VALIDITY_AT = END_OF_LIFE_BYTES
export const LEASE_HOLDER_AT = 16
export const LEASE_HOLDER_BYTES = 16

/**
 * A lease as its holder knows it. The stored bytes are the three parts above, not encrypted, because a lease holds no secret. The stored
 * lease lives longer than it is valid. So the driver can tell the lease of a process that died from a missing one.
 */
export interface LeaseClaim {
  readonly field: TokenField
  /** 16 random bytes, new for each lease. */
  readonly holder: Buffer
  readonly ttlMs: number
}

/**
 * Shortens the wait for a lease. A notification is only a hint: the stored lease decides. A caller without notifications checks at
 * intervals.
 */
export interface LeaseWatch {
  /** True: the driver now reports each end of a lease while the connection lasts. May never settle; never rejects. */
  readonly confirmed: Promise<boolean>
  close(): void
}

export interface TokenRecord {
  readonly record: Buffer
  /** Time to live from now, greater than 0. */
  readonly ttlMs: number
}

/** Selects fields by name, and all fields that begin with one of the prefixes. */
export interface FieldSelection {
  readonly fields?: readonly TokenField[]
  readonly prefixes?: readonly string[]
}

export interface TokenChange {
  readonly set: ReadonlyMap<TokenField, TokenRecord>
  /** Fields to delete in the same step. A field that is also in `set` stays. */
  readonly remove?: FieldSelection
  /**
   * The write succeeds only if this field still has this nonce: the nonce of its sealed value, `null` if it was absent. No record has an
   * empty nonce: such a write is always a conflict.
   * If the stored nonce is that of the value being written, this same write has already happened. The answer is then `done`.
   */
  readonly expect?: { readonly field: TokenField; readonly nonce: Buffer | null }
  /** Whether the write waits until replicas have it, where the store is configured so: see `durable`. Default false. */
  readonly lasting?: boolean
  /** While a lease of another holder is valid, the write is a conflict. A successful write releases this lease. */
  readonly lease?: LeaseClaim
}

export type TokenWritten =
  | { readonly status: 'done'; readonly durable?: boolean }
  /** `current` is the record of the expected field as it is now. The driver has changed nothing. */
  | { readonly status: 'conflict'; readonly current: Buffer | null }

export interface TokensDeleted {
  /** How many fields existed. */
  readonly count: number
  /** Whether as many replicas have acknowledged the delete as the store's configuration requires. Absent: the driver asked no replica. */
  readonly durable?: boolean
}

export interface TokenDriver {
  /** Whether the driver can make writes durable. Default false. */
  readonly isDurable?: boolean
  /** `readOne` returns the same Buffer again while the record is unchanged. No caller may change it. Default false. */
  readonly keepsRecords?: boolean
  /** `HMGET`: as many results as fields, in their order. Its cost does not depend on the user's other fields. The reply is not verified. */
  read(userKey: string, fields: readonly TokenField[]): Promise<readonly (Buffer | null)[]>
  /** Reads as `read` does, and verifies the connection before it trusts a miss: as `SessionDriver.readVerified`. */
  readVerified<T>(
    userKey: string,
    fields: readonly TokenField[],
    evaluate: (records: readonly (Buffer | null)[]) => T,
    isMiss: (value: T) => boolean,
  ): Promise<T>
  /** Reads one field, for the hot path. It may return a record whose life is over: the expiry inside the seal decides. */
  readOne(userKey: string, field: TokenField): Promise<Buffer | null>
  /** Reads all fields of the user: for `status`, not for the hot path. */
  readAll(userKey: string): Promise<ReadonlyMap<TokenField, Buffer>>
  /**
   * Writes in one step. Replacing an expected record also works on a full store, where the store can: a rotated refresh token has no copy.
   */
  write(userKey: string, change: TokenChange): Promise<TokenWritten>
  /**
   * Returns true if the claimant holds the lease now: it was free, its validity was over, or it was already the claimant's. Also returns
   * false for a moment after an outage, because the previous holder may first have to store an answer of the provider.
   */
  takeLease(userKey: string, claim: LeaseClaim): Promise<boolean>
  /** Extends the lease to `ttlMs` from now. Returns false if the claimant does not hold it (any more). */
  renewLease(userKey: string, claim: LeaseClaim): Promise<boolean>
  /** Releases the lease. Does nothing if the claimant does not hold it. Works on a full store. */
  releaseLease(userKey: string, claim: LeaseClaim): Promise<void>
  /** Calls the listener when a lease of the user was released, by a commit or after a failure. */
  watchLeases(userKey: string, listener: () => void): LeaseWatch
  /**
   * Deletes the selection, or all fields. Works on a full store, and waits for replicas where the store is configured so.
   * @param expect delete only if this field still has this nonce
   */
  delete(
    userKey: string,
    selection?: FieldSelection,
    expect?: { readonly field: TokenField; readonly nonce: Buffer },
  ): Promise<TokensDeleted>
  /**
   * Calls the listener each time the store answers again after an outage. It may then be another server, without the latest changes.
   * Only where changes can be durable.
   */
  whenBack?(listener: () => void): void
}
