/** The public shapes of sessions. The docstrings are the contract; `session-store.ts` implements it. */
import type { OutagePolicy } from '../config/session-settings.ts'
import type { Authentication, Device, SignInInput, User } from './sign-in-input.ts'

/** Makes the fields of a type read-only at every depth. */
export type DeepReadonly<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

/** Names the optional fields of `T`: only these can be deleted. An index signature makes every name optional. */
export type OptionalKeys<T extends object> = string extends keyof T
  ? string
  : { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T]

/**
 * The session of one visitor: a read-only snapshot, with methods that write. Each write is one compare-and-set on the server. A
 * write is stored when its promise resolves, and the snapshot then shows the stored data.
 */
export interface Session<D extends object> {
  /** Id of the session. `null`: nothing is stored yet, so the visitor costs no Redis command. */
  readonly id: string | null
  /** The signed-in user. `null`: an anonymous visitor. */
  readonly user: User | null
  /** How the user signed in. `null`: an anonymous visitor, or a session that no provider started. */
  readonly authentication: Authentication | null
  /**
   * The data of the application, read-only at every depth. An assignment throws `COATCHECK_SESSION_READ_ONLY`, in sloppy mode
   * too. To change data, use `set`, `delete` or `update`. For `structuredClone`, use `toJSON().data`.
   * @throws {SessionError} `COATCHECK_SESSION_SCHEMA` when a record of an older schema version does not fit `session.schema`
   */
  readonly data: DeepReadonly<D>
  /** When the session was created, epoch milliseconds. `null`: nothing is stored yet. */
  readonly createdAtMs: number | null
  /** When the session ends unless a request extends it, epoch milliseconds. `null`: nothing is stored yet. */
  readonly expiresAtMs: number | null
  /**
   * The policy that replaces the store during an outage. Such a session rejects every write with the error of the outage.
   * `null`: the store answered.
   */
  readonly outage: 'stale' | 'anonymous' | null
  /** Returns one field of `data`. `undefined`: the field is absent. Throws what `data` throws. */
  get<K extends keyof D>(key: K): DeepReadonly<D[K]>
  /**
   * Stores one field, in one atomic step. The value is copied when `set` is called. `undefined` deletes the field. The first
   * write of an anonymous visitor creates the session.
   * @throws {SessionError} `COATCHECK_SESSION_ENDED`, `COATCHECK_SESSION_CONFLICT` (lost 16 races), `COATCHECK_SESSION_SCHEMA`,
   *   `COATCHECK_SESSION_TOO_LARGE`; `COATCHECK_HEADERS_SENT` and `COATCHECK_COOKIES_READ_ONLY` only when it creates the session.
   *   Nothing is changed.
   * @throws {MisuseError} `COATCHECK_SESSION_VALUE` (not JSON), `COATCHECK_INVALID_ARGUMENT`. Nothing is changed.
   * @throws {RedisError} `COATCHECK_REDIS_TIMEOUT`, and `COATCHECK_REDIS_UNREACHABLE` when the connection broke during the write: the write may
   *   or may not have happened. Other codes: nothing is changed.
   */
  set<K extends keyof D>(key: K, value: D[K]): Promise<void>
  /** Deletes an optional field, in one atomic step. An absent field is no error. Throws what `set` throws. */
  delete(key: OptionalKeys<D>): Promise<void>
  /**
   * Changes several fields in one atomic step. `fn` changes the draft; its return value is ignored. `fn` must be synchronous and
   * without side effects: after a conflict it runs again, on the data that the other writer stored.
   * @throws {MisuseError} `COATCHECK_SESSION_UPDATE` when `fn` is no function, is asynchronous, or returns a changed copy
   * @throws {SessionError | MisuseError | RedisError} as `set`
   */
  update(fn: (draft: D) => void): Promise<void>
  /** Returns a copy of plain objects for `JSON.stringify`, `structuredClone` and worker threads. Changing it changes no session. */
  toJSON(): SessionCopy<D>
}

/** The result of `session.toJSON()`: a plain copy, which the caller may change. It holds no ticket and no token. */
export interface SessionCopy<D extends object> {
  /** Id of the session. `null`: nothing is stored yet. */
  readonly id: string | null
  /** The signed-in user. `null`: an anonymous visitor. */
  readonly user: User | null
  /** The data of the application. */
  readonly data: D
  /** When the session was created, epoch milliseconds. `null`: nothing is stored yet. */
  readonly createdAtMs: number | null
  /** When the session ends unless a request extends it, epoch milliseconds. `null`: nothing is stored yet. */
  readonly expiresAtMs: number | null
}

/**
 * Says why a ticket finds no session.
 *
 * - `none`: the request has no ticket.
 * - `malformed`: the text is no ticket, or no key of `COATCHECK_KEYS` signed it.
 * - `expired`: the idle timeout or the absolute timeout has passed.
 * - `revoked`: the session was ended, or its ticket was replaced.
 * - `lost`: the record is missing or does not open, and no revocation explains that.
 */
export type MissReason = 'none' | 'malformed' | 'expired' | 'revoked' | 'lost'

/** The result of `sessions.find()`: a session, or `null` and the reason. */
export type Found<D extends object> =
  | {
      /** The session that the ticket opens. */
      readonly session: Session<D>
    }
  | {
      /** `null`: the ticket finds no session. */
      readonly session: null
      /** Why the ticket finds no session. */
      readonly reason: MissReason
    }

/** The result of a revocation. */
export interface Revoked {
  /** Number of live sessions that ended. 0: they had ended before. */
  readonly count: number
  /** True when as many replicas as `redisStore({ durability })` names have acknowledged it. False without `durability`. */
  readonly durable: boolean
}

/** One session in the list of a user's devices. It holds nothing that opens the session. */
export interface SessionInfo {
  /** Id of the session, for `sessions.revoke()`. It is no secret: it opens nothing. */
  readonly id: string
  /** Browser, system and network that created the session. Empty: unknown. */
  readonly device: Device
  /** When the session was created, epoch milliseconds. */
  readonly createdAtMs: number
  /** When the session was last used, epoch milliseconds. Exact to a tenth of the idle timeout. */
  readonly lastSeenAtMs: number
  /** When the session ends unless a request extends it, epoch milliseconds. */
  readonly expiresAtMs: number
  /** How the user signed in. `null`: no provider started the session. */
  readonly authentication: Authentication | null
}

/**
 * Sessions by ticket and by user. A ticket is the secret value of the cookie; a session id is no secret. During an outage methods
 * reject with a `RedisError`. They never report a missing session then.
 */
export interface SessionStore<D extends object> {
  /**
   * Creates a session in one atomic step, and returns its ticket. Without `userId` the session is anonymous.
   * @throws {SessionError} `COATCHECK_SESSION_LIMIT` (`session.maxPerUser` refuses), `COATCHECK_SESSION_SCHEMA`,
   *   `COATCHECK_SESSION_TOO_LARGE`
   * @throws {MisuseError} `COATCHECK_SESSION_VALUE`, `COATCHECK_INVALID_ARGUMENT`
   * @throws {RedisError} during an outage
   */
  create(options?: { userId?: string; data?: Partial<D>; device?: Device }): Promise<{
    /** The value for the cookie: a secret. */
    ticket: string
    /** The stored session. */
    session: Session<D>
  }>
  /**
   * Finds the session of a ticket. A hit costs one read command, or none with a near cache. `find` writes only when a tenth of
   * the idle timeout has passed since the last use, or when a rotated ticket is seen for the first time.
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when `ticket` is no text
   * @throws {RedisError} during an outage. An outage is never a missing session.
   */
  find(ticket: string): Promise<Found<D>>
  /**
   * Changes the session of a ticket in one atomic step; see `Session.update`. Returns the stored session.
   * @throws {SessionError} `COATCHECK_SESSION_ENDED` when the ticket finds no session; `details.reason` says why
   * @throws {SessionError | MisuseError | RedisError} as `Session.update`
   */
  update(ticket: string, fn: (draft: D) => void): Promise<Session<D>>
  /**
   * Gives the session a new ticket, in one atomic step. The previous ticket stays valid until the new one is first used, and for
   * 10 s after that: a response may be lost. With `immediate`, all previous tickets end at once; use it when privileges change.
   * @throws {SessionError} `COATCHECK_SESSION_ENDED`, `COATCHECK_SESSION_CONFLICT`
   * @throws {RedisError} during an outage
   */
  rotate(
    ticket: string,
    options?: { immediate?: boolean },
  ): Promise<{
    /** The new value for the cookie: a secret. */
    ticket: string
    /** The session. Its id stays the same. */
    session: Session<D>
  }>
  /**
   * Creates a session for the user under a new id and a new ticket, and ends the session of `ticket` last (session fixation: OWASP
   * ASVS 7.2.4). `ticket` is `null` for a visitor without one. If a step fails, the new session ends and the one of `ticket` stays.
   * Not one atomic step: a crash in between leaves the session of `ticket`, and a session whose ticket was never returned, which ends
   * at its idle timeout. If only the last step fails in the store, the sign-in stands, and the revocation is repeated as in `revoke`.
   * @throws {SessionError} `COATCHECK_SESSION_LIMIT`, `COATCHECK_SESSION_SCHEMA`, `COATCHECK_SESSION_TOO_LARGE`,
   *   `COATCHECK_SESSION_ENDED`, `COATCHECK_SESSION_CONFLICT`
   * @throws {MisuseError} `COATCHECK_SESSION_VALUE`, `COATCHECK_INVALID_ARGUMENT`
   * @throws {RedisError} during an outage
   */
  signIn(
    ticket: string | null,
    input: SignInInput<D>,
  ): Promise<{
    /** The new value for the cookie: a secret. */
    ticket: string
    /** The new session. */
    session: Session<D>
  }>
  /**
   * Ends one session by its id, in one atomic step. No write that is under way brings it back. The user's tokens are deleted
   * together with the user's last session. An id that does not exist gives `count` 0 and writes nothing.
   * @param reason one word for logs and `coatcheck sessions show`, remembered for at most an hour. Default `revoked`.
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for an empty id, or for a ticket in place of an id
   * @throws {RedisError} during an outage. This process refuses the session from then on, and repeats the revocation for up to
   *   24 hours, until Redis carries it out.
   */
  revoke(sessionId: string, reason?: string): Promise<Revoked>
  /**
   * Ends all sessions of a user in one atomic step, also those that are being created at the same time. `except` names a session
   * that stays. If no session stays, the tokens of the user are deleted in the same step.
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when `except` is no session id of this user
   * @throws {RedisError} during an outage, as `revoke`
   */
  revokeByUser(userId: string, options?: { except?: string; reason?: string }): Promise<Revoked>
  /**
   * Lists the live sessions of a user, the one that ends last first. At most `session.maxPerUser`, or 1,000 without a limit. Not
   * one atomic step: sessions that end meanwhile are left out. Empty: the user has no session.
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
   * @throws {RedisError} during an outage
   */
  listByUser(userId: string): Promise<SessionInfo[]>
  /**
   * For adapters: returns the read-only session that replaces the stored one during an outage.
   * @param outage the error of the store
   * @throws the same `outage` when `policy` is `fail`, when it is no outage, or when `stale` finds no verified session
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for `stale` without `session.staleFor`
   */
  duringOutage(ticket: string | null, policy: OutagePolicy, outage: unknown): Promise<Session<D>>
  /**
   * For adapters: reads the session of one request, and returns it with the methods that issue tickets. A `null` ticket costs no
   * command.
   * @param device called when a session is created; reading a session does not call it
   * @throws {RedisError} during an outage
   */
  visit(ticket: string | null, sink: TicketSink, device?: () => Device | undefined): Promise<Visit<D>>
}

/** Sends tickets to the browser. The adapters implement it with a `Set-Cookie` header (RFC 6265). */
export interface TicketSink {
  /**
   * Checks that a ticket can be sent. Called before anything is written to the store.
   * @throws {SessionError} `COATCHECK_HEADERS_SENT`, `COATCHECK_COOKIES_READ_ONLY`
   */
  assertWritable(): void
  /**
   * Checks that the visitor holds no session whose cookie would be replaced or removed without notice. Called for a visitor without a
   * session, before one is created and before a sign-out removes the cookie. Not called for a sign-in. Absent: no check.
   * @throws {SessionError} `COATCHECK_SESSION_CROSS_SITE`
   */
  assertReplacesNone?(): void
  /**
   * Sends a ticket to the browser.
   * @param absoluteExpiresAtMs when the session ends in any case, epoch milliseconds
   * @throws {SessionError} as `assertWritable`
   */
  issue(ticket: string, absoluteExpiresAtMs: number): void
  /** Removes the cookie from the browser. Without effect when the headers are sent; the cookie then opens an ended session. */
  clear(): void
  /**
   * True if the response may be sent without notice. The ticket of a new session is then issued before the store is
   * written, in the same turn as the call, and withdrawn if the write fails.
   */
  readonly mayLeaveUnnoticed?: boolean
  /** Takes back a ticket that was issued before its session was stored. Best effort, as `clear()`. */
  withdraw?(): void
}

/** One request and its session, with the methods that issue tickets. */
export interface Visit<D extends object> {
  /** The session of the request. `signIn`, `rotate` and `signOut` update this object. */
  readonly session: Session<D>
  /** Why the request has no stored session. `null`: it has one. */
  readonly reason: MissReason | null
  /**
   * Signs the user in under a new session id and ticket, sends the ticket, and ends the previous session. See
   * `SessionStore.signIn` for atomicity and errors. If it rejects, the browser keeps its previous ticket and session.
   * @throws {SessionError} also `COATCHECK_HEADERS_SENT`, `COATCHECK_COOKIES_READ_ONLY`. No session is left behind.
   */
  signIn(input: SignInInput<D>): Promise<Session<D>>
  /**
   * Gives the session a new ticket and sends it; see `SessionStore.rotate`. Without a stored session it does nothing.
   * @throws {SessionError} `COATCHECK_SESSION_ENDED`, `COATCHECK_SESSION_CONFLICT`, `COATCHECK_HEADERS_SENT`,
   *   `COATCHECK_COOKIES_READ_ONLY`
   */
  rotate(options?: { immediate?: boolean }): Promise<void>
  /**
   * Ends the session in one atomic step, and removes the cookie unless the headers are sent. Without a stored session it only
   * removes the cookie, and `count` is 0.
   * @param reason one word, as in `SessionStore.revoke`. Default `signed-out`.
   * @throws {SessionError} `COATCHECK_SESSION_CROSS_SITE`: another site sent the request, and the browser left the cookie out. The
   *   cookie stays.
   * @throws {RedisError} during an outage, as `SessionStore.revoke`. The cookie stays then.
   */
  signOut(reason?: string): Promise<Revoked>
}
