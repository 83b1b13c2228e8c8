/**
 * The storage port for data of other session libraries (express-session, Auth.js, better-auth, …): sealed documents under names that these
 * libraries choose, and sets of names. Unlike the names of Coatcheck's own sessions, these names do not lead to a user's slot. So each
 * document is independent, and every method is one atomic step on one key.
 * Contract, checked on every driver by the conformance cases of `coatcheck/testing`:
 * - Absence is a value; a rejected promise means that the store did not answer.
 * - A write whose deadline was reported as missed is never executed afterwards. Ending and removing are exempt: a late end is safe.
 * - Each record that is passed in or returned is a separate Buffer. Neither side may change the other's copy through it.
 * - A driver may read the nonce of a record (`keyring/record-layout.ts`).
 */

/** The kind of the document (`express-session`, `authjs-user`, …), and the keyed hash of the name that the drop-in library gave it. */
export interface DocumentRef {
  readonly kind: string
  /** 22 characters base64url. */
  readonly name: string
}

/**
 * Returns whether a value is a document name. Names come back from applications (a form of "your devices") and are part of key names, so no
 * other text may pass.
 */
export function isDocumentName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9_-]{22}$/.test(name)
}

export interface DocumentWrite {
  /** `null`: no expiry; the document stays until it is removed. */
  readonly ttlMs: number | null
  /** A nonce: write only if the stored document has it. `absent`: only if no document is stored. Omitted: always. */
  readonly expect?: Buffer | 'absent'
}

export type DocumentWritten =
  /** Also when the stored document has the nonce of the one being written: this same write has already happened. */
  | { readonly status: 'done' }
  /** Another document is stored. */
  | { readonly status: 'conflict'; readonly current: Buffer }
  /** A nonce was expected, but no document is stored. */
  | { readonly status: 'gone' }
  /** A document of this name was ended and is not brought back. */
  | { readonly status: 'ended' }

export interface DocumentDriver {
  /** Costs one command. The reply is not verified. */
  read(ref: DocumentRef): Promise<Buffer | null>
  /** Reads, and verifies the connection before it trusts a miss: as `SessionDriver.readVerified`. */
  readVerified<T>(ref: DocumentRef, evaluate: (record: Buffer | null) => T, isMiss: (value: T) => boolean): Promise<T>
  write(ref: DocumentRef, record: Buffer, write: DocumentWrite): Promise<DocumentWritten>
  /** Reads and removes in one step: of any number of callers, exactly one gets the document. */
  take(ref: DocumentRef): Promise<Buffer | null>
  /**
   * Removes the document and, for `rememberMs`, refuses to store another one of this name. Works on a full store.
   * @param alsoUnstored refuse also when no document is stored, because one may be about to be stored
   */
  end(ref: DocumentRef, rememberMs: number, alsoUnstored?: boolean): Promise<boolean>
  /**
   * Removes the ended marker of this name, so that the drop-in library can create a new document under it. A stored document stays. A later
   * end leaves a marker as usual.
   */
  reopen(ref: DocumentRef): Promise<void>
  /** Removes the document and its ended marker. Works on a full store. */
  remove(ref: DocumentRef): Promise<boolean>
  /** Adds one and returns the result. A missing counter starts at 1 and lives for `ttlMs` from then on. */
  count(ref: DocumentRef, ttlMs: number): Promise<number>
  /** Returns the value of a counter; `null` when it does not exist. */
  counted(ref: DocumentRef): Promise<number | null>
  /** Adds a member to a set, for `ttlMs` (`null`: until it is removed). Adding it again moves its end. */
  enter(set: DocumentRef, member: string, ttlMs: number | null): Promise<void>
  leave(set: DocumentRef, members: readonly string[]): Promise<void>
  /** Returns members whose time is not over, the longest-living first. */
  members(set: DocumentRef): Promise<readonly string[]>
  /** Returns the names of all documents of a kind, including ended ones: for operators. Not one atomic step; a name may come twice. */
  names(kind: string): AsyncIterable<string>
}
