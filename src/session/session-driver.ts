/**
 * The storage port for sessions. A driver moves sealed bytes and keeps the index. It knows no cookie, no secret and no encryption.
 * `session-store.ts` defines the semantics. The conformance cases of `coatcheck/testing` check the promises below on every driver.
 * Contract
 * - Each method is one atomic step for the user it names, except `list`, `absent` and the chunked unlinking of `endByUser`.
 * - Absence is a value. A rejected promise means that the store did not answer. The caller must never read it as "no session".
 * - A write whose deadline was reported as missed is never executed afterwards. Ending a session is exempt: a late end is safe.
 * - Each record that is passed in or returned is a separate Buffer. Neither side may change the other's copy through it.
 * - A driver may read the generation and the nonce of a record (`keyring/record-layout.ts`). It writes the stored generation.
 */
import type { SessionLimit } from '../config/session-settings.ts'
import { GENERATION_BYTES } from '../keyring/record-layout.ts'

/** The address of a session. `userKey` determines the hash slot; `id` is the random part of the session id. */
export interface SessionRef {
  readonly kind: SessionKind
  /** 16 characters base64url. */
  readonly userKey: string
  /** 22 characters base64url: 16 random bytes. */
  readonly id: string
}

/** An anonymous session has no generation, no index entry and no limit. */
export type SessionKind = 'anonymous' | 'user'

/**
 * Returns whether a record is anonymous. Only a user's record begins with a generation, eight random bytes; in an anonymous record they are
 * zero. @param record as it is stored, or its first bytes; an empty record counts as anonymous
 */
export function isAnonymousRecord(record: Buffer): boolean {
  return record.subarray(0, GENERATION_BYTES).every((byte) => byte === 0)
}

/** All times are relative, in milliseconds, so that a driver applies them to its own clock. */
export interface SessionLife {
  /** Time until the session ends without further use: the smaller of idle and absolute. The record's TTL is `ttlMs + slackMs`. */
  readonly ttlMs: number
  /** How much longer the store keeps the record itself, so that a late visitor gets "expired" and not "gone". */
  readonly slackMs: number
  /** Time until the absolute end. Generation, index and the reason of the end live at least this long. */
  readonly absoluteMs: number
}

export interface StoredSession {
  /** The driver returns the same object again while the store reports no change. No caller may change it. */
  readonly isKept?: true
  readonly record: Buffer | null
  /** Absent for an anonymous session, and when the user has no generation. */
  readonly generation: Buffer | null
}

/**
 * Why the record of a valid ticket is missing. `live`, `expired` and `missing` describe the index entry. `gone`: the whole index is
 * missing; while the generation exists, no end of a session removes it.
 */
export interface Absence {
  readonly ended: string | null
  readonly generation: 'present' | 'missing'
  readonly index: 'live' | 'expired' | 'missing' | 'gone'
}

export type Created =
  /** `endedIds`: the sessions that the limit ended, earliest deadline first. */
  | { readonly status: 'created'; readonly endedIds: readonly string[] }
  /** A session of this id was ended; it cannot be created again. */
  | { readonly status: 'ended' }
  /** The limit is reached and its action is `refuse`. */
  | { readonly status: 'refused' }

/** Another writer replaced the record since it was read. `record` is the current one. */
export interface Conflict {
  readonly status: 'conflict'
  readonly record: Buffer
}

export type Replaced =
  | { readonly status: 'done' }
  | Conflict
  /** Ended, expired, or of an older generation. The driver does not bring it back. */
  | { readonly status: 'gone' }

export interface Ended {
  readonly status: 'done'
  /** 0 if the session had ended before. */
  readonly count: number
  /** The user has no live session left, and the user's tokens were deleted too. */
  readonly lastOfUser: boolean
  /** As many replicas as required have acknowledged it. */
  readonly durable: boolean
}

export interface EndedByUser {
  /** Number of live sessions that ended. */
  readonly count: number
  readonly durable: boolean
}

/** The reason of an end as a short word (`signed-out`, `revoked`, `limit`, …), kept for `ttlMs`. */
export interface Ending {
  readonly reason: string
  readonly ttlMs: number
  /** True: the caller has read or created the session, so the store leaves a marker even if it has lost the record. Default false. */
  readonly existed?: boolean
  /**
   * True: the caller may have stored tokens after the session ended. If the user has no live session left, the user's tokens are deleted,
   * also when this session had ended before. Default false.
   */
  readonly takesTokens?: boolean
}

export interface SessionDriver {
  /** One Redis command: `MGET record generation`, or `GET record` for an anonymous session. The reply is not verified. */
  read(ref: SessionRef): Promise<StoredSession>

  /**
   * Reads as `read` does, and evaluates the reply. A driver whose replies can be misaligned never trusts a single miss: it verifies its
   * connection and reads again, and the second reply counts.
   * @param evaluate may run for several replies
   * @param isMiss whether the caller would treat the value as a missing session
   * @throws {RedisError} as `read`, and `COATCHECK_REDIS_MISALIGNED_REPLIES` if a miss could not be verified
   */
  readVerified<T>(ref: SessionRef, evaluate: (stored: StoredSession) => T, isMiss: (value: T) => boolean): Promise<T>

  /** Called only after `read` found no record, to distinguish expired, revoked and lost. */
  explain(ref: SessionRef): Promise<Absence>

  /**
   * Stores a new record, in one step. For a user, the driver writes the stored generation into it (a new one if none is stored), adds it to
   * the index, removes index entries that ended long ago, and applies the limit. A second call with the same record (same nonce) returns
   * `created`.
   */
  create(ref: SessionRef, record: Buffer, life: SessionLife, limit?: SessionLimit): Promise<Created>

  /**
   * A compare-and-set on the nonce: replaces the record only if the stored nonce is `expectedNonce`. If the stored nonce is that of the new
   * record, this same write has already happened, and the result is `done`. For a user, the record's generation must be the stored one.
   * Moves the index entry. Never creates a record. If the store's replies can be misaligned, the driver verifies `gone`, and a conflict
   * whose record the caller cannot open.
   * @param opens whether a record of a conflict opens. Default: every conflict is verified
   */
  replace(
    ref: SessionRef,
    expectedNonce: Buffer,
    record: Buffer,
    life: SessionLife,
    opens?: (record: Buffer) => boolean,
  ): Promise<Replaced>

  /**
   * Ends one session: record first, then index entry, then the marker that prevents another session of this id. Works on a full store. With
   * the user's last live session, the user's tokens are deleted in the same step. An id without record, index entry and marker names no
   * session: the driver then writes nothing, unless `Ending.existed` or `Ending.takesTokens` is true.
   */
  end(ref: SessionRef, ending: Ending): Promise<Ended>

  /**
   * Ends one session as `end` does, in the same step, unless its record has another nonce than `expectedNonce`. A failure is not repeated
   * later, because this is one step of a larger change.
   * @param opens as in `replace`
   */
  endUnchanged(
    ref: SessionRef,
    expectedNonce: Buffer,
    ending: Ending,
    opens?: (record: Buffer) => boolean,
  ): Promise<Ended | Conflict>

  /**
   * Ends all sessions of a user except `exceptId`, with a new generation. This is exact even for sign-ins that happen at the same time.
   * Without `exceptId`, or if that session is not live, the user's tokens are deleted in the same step.
   */
  endByUser(userKey: string, ending: Ending, exceptId?: string): Promise<EndedByUser>

  /**
   * Returns those ids whose record the store does not hold. These sessions have ended, since no write creates a record again. A live
   * session is never among them, whatever the index says.
   */
  absent(userKey: string, ids: readonly string[]): Promise<readonly string[]>

  /** Returns live sessions by deadline, latest first, at most `max`. Not one atomic step: records that end meanwhile are left out. */
  list(userKey: string, max: number): Promise<readonly { readonly id: string; readonly record: Buffer }[]>
}
