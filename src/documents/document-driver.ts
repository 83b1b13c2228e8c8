/**
 * The storage port for what other session libraries keep with us (express-session, Auth.js, better-auth, …): sealed documents
 * under names that they choose, and sets of names. Unlike sessions of our own their names do not lead to a user's slot, so each
 * document stands alone, and every method is one atomic step on one key.
 *
 * Contract, checked on every driver by the conformance cases of `coatcheck/testing`
 * - Absence is a value; a rejected promise means that the store could not answer.
 * - A write whose deadline was reported as missed is never executed afterwards. Ending and removing are exempt: late is fine.
 * - A record handed in or out is a Buffer of its own; neither side may change the other's copy through it.
 *
 * Record layout, as far as a driver may look at it (`keyring/seal.ts` writes it): 0 format · 1..4 key tag · 5..16 nonce · rest.
 */
export const DOCUMENT_NONCE_OFFSET = 5
export const DOCUMENT_NONCE_BYTES = 12

/** Which documents these are (`express-session`, `authjs-user`, …), and the keyed hash of the name that the host gave. */
export interface DocumentRef {
  readonly kind: string
  /** 22 characters base64url. */
  readonly name: string
}

/** Names come back from applications (a form of "your devices"), and stand in key names: nothing else may pass for one. */
export function isDocumentName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9_-]{22}$/.test(name)
}

export interface DocumentWrite {
  /** `null`: until it is removed. */
  readonly ttlMs: number | null
  /** A nonce: only if the stored document has it. `absent`: only if there is none. Left out: in any case. */
  readonly expect?: Buffer | 'absent'
}

export type DocumentWritten =
  /** Also when the stored document has the nonce of the one being written: this very write has happened already. */
  | { readonly status: 'done' }
  /** Something else is stored. */
  | { readonly status: 'conflict'; readonly current: Buffer }
  /** A nonce was expected and nothing is stored. */
  | { readonly status: 'gone' }
  /** A document of this name has been ended, and is not brought back. */
  | { readonly status: 'ended' }

export interface DocumentDriver {
  /** One command. */
  read(ref: DocumentRef): Promise<Buffer | null>
  /**
   * Asked when nothing was read that opens, and before that is believed. Rejects when the reply may have been the answer to another
   * question, as the store rejects what it cannot answer. Left out: a driver whose answers cannot be confused.
   */
  confirm?(ref: DocumentRef): Promise<void>
  write(ref: DocumentRef, record: Buffer, write: DocumentWrite): Promise<DocumentWritten>
  /** Reads and removes in one step: of any number of callers exactly one gets it. */
  take(ref: DocumentRef): Promise<Buffer | null>
  /**
   * Removes it and, for `rememberMs`, refuses to store another one of this name. Works on a full store.
   * @param alsoUnstored refuse also when none is stored: one that is about to be
   */
  end(ref: DocumentRef, rememberMs: number, alsoUnstored?: boolean): Promise<boolean>
  /**
   * Removes the ended marker of this name, so that the host can create a new document under it. A stored document stays. A later
   * ending leaves a marker as usual.
   */
  reopen(ref: DocumentRef): Promise<void>
  /** Removes it, and the memory that one was ended. Works on a full store. */
  remove(ref: DocumentRef): Promise<boolean>
  /** Adds one and gives the result; a counter that was not there begins at 1 and lives for `ttlMs` from then on. */
  count(ref: DocumentRef, ttlMs: number): Promise<number>
  /** What a counter has come to; `null` when it has not begun. */
  counted(ref: DocumentRef): Promise<number | null>
  /** Enters a member into a set, for `ttlMs` (`null`: until it is removed). Entering it again moves its end. */
  enter(set: DocumentRef, member: string, ttlMs: number | null): Promise<void>
  leave(set: DocumentRef, members: readonly string[]): Promise<void>
  /** Members whose time is not over, the longest-living first. */
  members(set: DocumentRef): Promise<readonly string[]>
  /** Names of all documents of a kind, ended ones among them: for operators. Not one atomic step; a name may come twice. */
  names(kind: string): AsyncIterable<string>
}
