/**
 * The storage port for sessions. A driver moves sealed bytes and keeps the index; it knows no cookie, no secret, no
 * encryption. The semantics live in `session-store.ts`, and the promises below are checked on every driver by the
 * conformance cases of `coatcheck/testing`.
 *
 * Contract
 * - Each method is one atomic step for the user it names, but for `list`, `absent` and the chunked unlinking of `endByUser`.
 * - Absence is a value. A rejected promise means that the store could not answer, and is never to be read as "no session".
 * - A write whose deadline was reported as missed is never executed afterwards. Ending a session is exempt: late is fine.
 * - A record handed in or out is a Buffer of its own; neither side may change the other's copy through it.
 *
 * Record layout, as far as a driver may look at it (`keyring/seal.ts` writes it):
 * bytes 0..7 generation (in the clear; the driver writes the stored one) · 8 format · 9..12 key tag · 13..24 nonce · rest.
 */
import type { SessionLimit } from '../config/session-settings.ts'

/** Where a session lives. `userKey` leads to the hash slot, `id` is the random part of the session id. */
export interface SessionRef {
  readonly kind: SessionKind
  /** 16 characters base64url. */
  readonly userKey: string
  /** 22 characters base64url: 16 random bytes. */
  readonly id: string
}

/** An anonymous session has no generation, no index entry and no limit. */
export type SessionKind = 'anonymous' | 'user'

export const GENERATION_BYTES = 8

/**
 * Only a user's record begins with a generation, eight random bytes; an anonymous one leaves them at zero.
 * @param record as it is stored, or its first bytes; none at all count as anonymous
 */
export function isAnonymousRecord(record: Buffer): boolean {
  return record.subarray(0, GENERATION_BYTES).every((byte) => byte === 0)
}

export const NONCE_OFFSET = 13
export const NONCE_BYTES = 12

/** All relative, in milliseconds, so that a driver applies them to its own clock. */
export interface SessionLife {
  /** Until the session ends if nobody touches it: the smaller of idle and absolute. */
  readonly ttlMs: number
  /** How much longer the record itself is kept, so that a late visitor hears "expired" and not "gone". */
  readonly slackMs: number
  /** Until the absolute end. Generation and index live at least this long, and so does the memory of why it ended. */
  readonly absoluteMs: number
}

export interface StoredSession {
  /** The same object is handed out again while the store says that nothing has changed: nobody may change it. */
  readonly isKept?: true
  readonly record: Buffer | null
  /** Absent for an anonymous session, and when the user has none. */
  readonly generation: Buffer | null
}

/**
 * Why a record that a valid ticket points to is not there. `live`, `expired` and `missing` speak of the index entry; `gone`: the
 * index itself is not there, which no ending does to it while the generation stands.
 */
export interface Absence {
  readonly ended: string | null
  readonly generation: 'present' | 'missing'
  readonly index: 'live' | 'expired' | 'missing' | 'gone'
}

export type Created =
  /** `endedIds`: the sessions that the limit ended, oldest first. */
  | { readonly status: 'created'; readonly endedIds: readonly string[] }
  /** A session of this id has been ended; it cannot be created again. */
  | { readonly status: 'ended' }
  /** The limit is reached and its action is `refuse`. */
  | { readonly status: 'refused' }

export type Replaced =
  | { readonly status: 'done' }
  /** Somebody replaced it since it was read. `record` is the current one. */
  | { readonly status: 'conflict'; readonly record: Buffer }
  /** Ended, expired, or of an older generation. It is not brought back. */
  | { readonly status: 'gone' }

export type Ended =
  /** `durable`: as many replicas have acknowledged it as were asked for. `count` is 0 when it had ended before. `lastOfUser`: no live session of the user is left, its tokens went too. */
  | { readonly status: 'done'; readonly count: number; readonly lastOfUser: boolean; readonly durable: boolean }
  /** Only with `expectedNonce`: the record is not the one that was read. */
  | { readonly status: 'conflict'; readonly record: Buffer }

export interface EndedByUser {
  /** How many live sessions ended. */
  readonly count: number
  readonly durable: boolean
}

/** A short word for why a session ended (`signed-out`, `revoked`, `limit`, …), kept for `ttlMs`. */
export interface Ending {
  readonly reason: string
  readonly ttlMs: number
  /** True: the caller has read or created the session, so the store leaves a marker even if it has lost the record. Default false. */
  readonly existed?: boolean
  /**
   * True: the caller may have stored tokens after the session ended. If no live session of the user is left, the user's tokens go, also
   * when this session had ended before. Default false.
   */
  readonly takesTokens?: boolean
}

export interface SessionDriver {
  /** One Redis command: `MGET record generation`, or `GET record` for an anonymous session. */
  read(ref: SessionRef): Promise<StoredSession>

  /**
   * Asked after `read` found nothing that opens, and before that is believed. Rejects when what was read may be the answer to
   * another question, as the store rejects what it cannot answer; what is kept of the session is forgotten, so that the next
   * `read` asks the store. Left out: a driver whose answers cannot be confused.
   */
  confirm?(ref: SessionRef): Promise<void>

  /** Asked only after `read` found nothing, to tell expired from revoked from lost. */
  explain(ref: SessionRef): Promise<Absence>

  /**
   * Stores a new record. For a user: writes the stored generation into it (drawing one when there is none), enters it in
   * the index, forgets index entries that ended long ago, and keeps to the limit, all in one step. Creating the same
   * record again (same nonce) answers `created`.
   */
  create(ref: SessionRef, record: Buffer, life: SessionLife, limit?: SessionLimit): Promise<Created>

  /**
   * Compare and set on the nonce. Replaces the record only if the stored nonce is `expectedNonce`; a stored nonce equal to
   * the new record's means that this very write has happened already and answers `done`. For a user the record's
   * generation must be the stored one. Moves the index entry. Never creates a record.
   */
  replace(ref: SessionRef, expectedNonce: Buffer, record: Buffer, life: SessionLife): Promise<Replaced>

  /**
   * Ends one session: record first, then index entry, then the marker that keeps the id from coming back. Works on a full
   * store. With the user's last live session the user's tokens go in the same step. An id without record, index entry and marker
   * names no session: the driver writes nothing and remembers nothing, unless `Ending.existed` or `Ending.takesTokens` is true.
   */
  end(ref: SessionRef, ending: Ending, expectedNonce?: Buffer): Promise<Ended>

  /**
   * Ends all sessions of a user but `exceptId`, by a new generation: exact against sign-ins that happen at the same time.
   * Without `exceptId`, or when that session is not alive, the user's tokens go in the same step.
   */
  endByUser(userKey: string, ending: Ending, exceptId?: string): Promise<EndedByUser>

  /**
   * Those of the ids whose record the store does not hold: they have ended, since no write creates a record again. A session that lives is
   * never among them, whatever the index says.
   */
  absent(userKey: string, ids: readonly string[]): Promise<readonly string[]>

  /** Live sessions by deadline, latest first, at most `max`. Not one atomic step: records that end meanwhile are left out. */
  list(userKey: string, max: number): Promise<readonly { readonly id: string; readonly record: Buffer }[]>
}
