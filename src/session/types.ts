/** The public shapes of sessions. What they promise stands here; how it is kept, in `session-store.ts`. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** A type whose fields are read-only at every depth. */
export type DeepReadonly<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

/** Names of the fields that may be absent, so that they can be deleted. */
export type OptionalKeys<T extends object> = string extends keyof T
  ? string
  : { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T]

/** The signed-in user as the application shaped it (`signIn.profile`); `id` is the user id of `signIn.userId`. */
export interface User {
  /** Id of the user, from `signIn.userId`. */
  readonly id: string
  readonly [claim: string]: Json | undefined
}

/** How the user signed in. `sid` is the provider's session id, never ours. */
export interface Authentication {
  /** Name of the provider. */
  readonly provider: string
  /** Issuer of the ID token. */
  readonly issuer: string
  /** Subject of the ID token. */
  readonly subject: string
  /** Session id of the provider; absent when it names none. */
  readonly sid?: string
  /** When the user last proved who they are, epoch milliseconds. Never moved by a token refresh. */
  readonly authenticatedAtMs: number
  /** Authentication context class that the provider reported. */
  readonly acr?: string
  /** Authentication methods that the provider reported. */
  readonly amr?: readonly string[]
}

/** A line for people to recognise a device by; never part of a decision. The IP address is truncated. */
export interface Device {
  /** Name of the browser: `Firefox`. */
  readonly browser?: string
  /** Name of the operating system: `Linux`. */
  readonly system?: string
  /** Network of the client: the first 24 bits of IPv4, the first 48 of IPv6. */
  readonly ip?: string
}

/** `fail`: an error, 503 in every adapter. `stale`: the session as this process verified it last. `anonymous`: nobody. */
export type OutagePolicy = 'fail' | 'stale' | 'anonymous'

/** The session of one visitor. Changes are committed when their promise resolves. */
export interface Session<D extends object> {
  /** `null` until something is stored: a visitor without a session costs nothing. */
  readonly id: string | null
  /** The signed-in user; `null` for an anonymous visitor. */
  readonly user: User | null
  /** How the user signed in; `null` for an anonymous visitor. */
  readonly authentication: Authentication | null
  /**
   * Deeply read-only, at run time too: change it through `set`, `delete` or `update`. An assignment throws
   * `COATCHECK_SESSION_READ_ONLY`, in sloppy mode too. `structuredClone` needs `toJSON().data`.
   */
  readonly data: DeepReadonly<D>
  /** When the session was created, epoch milliseconds; `null` until something is stored. */
  readonly createdAtMs: number | null
  /** When it ends if nobody touches it, epoch milliseconds. */
  readonly expiresAtMs: number | null
  /** Set while the store could not be asked: what stands in for its answer. Such a session is read-only. */
  readonly outage: 'stale' | 'anonymous' | null
  /** Returns one field of `data`; `undefined` when it is absent. */
  get<K extends keyof D>(key: K): DeepReadonly<D[K]>
  /** Committed when it resolves. @throws `COATCHECK_SESSION_ENDED`, `…_CONFLICT`, `…_VALUE`, `…_SCHEMA`, `…_TOO_LARGE` */
  set<K extends keyof D>(key: K, value: D[K]): Promise<void>
  /** Deletes an optional field. Committed when it resolves. Throws what `set` throws. */
  delete(key: OptionalKeys<D>): Promise<void>
  /**
   * `fn` is synchronous and pure: on a conflict it is applied again to what others have written meanwhile.
   * @throws `COATCHECK_SESSION_UPDATE` for an asynchronous `fn`, and what `set` throws
   */
  update(fn: (draft: D) => void): Promise<void>
  /** A copy of plain objects that is yours: for `JSON.stringify(session)`, `structuredClone` and worker threads. */
  toJSON(): SessionCopy<D>
}

/** What `session.toJSON()` returns: a plain copy that belongs to the caller. Changing it changes no session. */
export interface SessionCopy<D extends object> {
  /** Id of the session; `null` until something is stored. */
  readonly id: string | null
  /** The signed-in user; `null` for an anonymous visitor. */
  readonly user: User | null
  /** The data of the application. */
  readonly data: D
  /** When the session was created, epoch milliseconds; `null` until something is stored. */
  readonly createdAtMs: number | null
  /** When the session ends if no request extends it, epoch milliseconds; `null` until something is stored. */
  readonly expiresAtMs: number | null
}

/** Why a ticket leads to no session. `lost`: the record is gone though nothing ended it. */
export type MissReason = 'none' | 'malformed' | 'expired' | 'revoked' | 'lost'
/** The result of `find()`: a session, or why there is none. */
export type Found<D extends object> =
  | {
      /** The session; `null` when the ticket leads to none. */
      readonly session: Session<D>
    }
  | {
      /** The session; `null` when the ticket leads to none. */
      readonly session: null
      /** Why there is no session. */
      readonly reason: MissReason
    }

/** `durable`: acknowledged by as many replicas as `durability` asks for; false when none were asked for. */
export interface Revoked {
  /** Sessions that were ended. */
  readonly count: number
  /** Whether enough replicas acknowledged it. */
  readonly durable: boolean
}

/** One row of "your devices". */
export interface SessionInfo {
  /** Id of the session. It opens nothing. */
  readonly id: string
  /** Browser, system and network that the session was created from. */
  readonly device: Device
  /** When the session was created, epoch milliseconds. */
  readonly createdAtMs: number
  /** When the session was used last, epoch milliseconds. Exact to a tenth of the idle timeout. */
  readonly lastSeenAtMs: number
  /** When the session ends if it is not used, epoch milliseconds. */
  readonly expiresAtMs: number
  /** How the user signed in; `null` for sessions that no provider began. */
  readonly authentication: Authentication | null
}

/** What a sign-in puts into the new session. */
export interface SignInInput<D extends object> {
  /** Id of the user. */
  readonly userId: string
  /** Without `id`, which is `userId`. */
  readonly profile?: { readonly [claim: string]: Json | undefined }
  /** How the user signed in. */
  readonly authentication?: Authentication
  /** Fields of the anonymous session that move over. All others end with it. */
  readonly carry?: readonly (keyof D & string)[]
  /** First data of the session, over what `carry` brings. */
  readonly data?: Partial<D>
  /** Where the user signed in from. */
  readonly device?: Device
}

/** Sessions by ticket and by user. Rejects with a `RedisError` during an outage. */
export interface SessionStore<D extends object> {
  /** Creates a session, anonymous without `userId`. */
  create(options?: { userId?: string; data?: Partial<D>; device?: Device }): Promise<{
    /** The cookie's value: a secret. */
    ticket: string
    /** The stored session. */
    session: Session<D>
  }>
  /** An outage is an error, never a missing session. */
  find(ticket: string): Promise<Found<D>>
  /** @throws `COATCHECK_SESSION_ENDED` when the ticket leads to no session. */
  update(ticket: string, fn: (draft: D) => void): Promise<Session<D>>
  /**
   * A new ticket for the same session. The old one stays valid until the new one is first seen, and 10 s beyond.
   * `immediate` (privilege change): the old one is dead at once.
   */
  rotate(
    ticket: string,
    options?: { immediate?: boolean },
  ): Promise<{
    /** The cookie's new value: a secret. */
    ticket: string
    /** The session. */
    session: Session<D>
  }>
  /**
   * A session for the user under a new id and ticket; `ticket` (the anonymous session, if any) is dead before this resolves.
   * A crash in between leaves a session that nobody holds a ticket of.
   */
  signIn(
    ticket: string | null,
    input: SignInInput<D>,
  ): Promise<{
    /** The cookie's new value: a secret. */
    ticket: string
    /** The new session. */
    session: Session<D>
  }>
  /** Ends one session by its id. No write that is under way brings it back. `count` is 0 when it had ended already. */
  revoke(sessionId: string, reason?: string): Promise<Revoked>
  /** Ends all sessions of a user, but `except`, in one atomic step. */
  revokeByUser(userId: string, options?: { except?: string; reason?: string }): Promise<Revoked>
  /** Lists the live sessions of a user. */
  listByUser(userId: string): Promise<SessionInfo[]>
  /**
   * For HTTP: what stands in for the session while the store cannot be asked, by policy.
   * Rejects with what was thrown before, when the policy has nothing better
   */
  duringOutage(ticket: string | null, policy: OutagePolicy, outage: unknown): Promise<Session<D>>
  /**
   * For HTTP: the session of one request, able to issue tickets.
   * @param device called when a session is created, so that a request which only reads does not pay for it
   */
  visit(ticket: string | null, sink: TicketSink, device?: () => Device | undefined): Promise<Visit<D>>
}

/** Where tickets go: `http/exchange.ts` writes cookies. */
export interface TicketSink {
  /** @throws `COATCHECK_HEADERS_SENT` or `COATCHECK_COOKIES_READ_ONLY`, before anything is written to the store. */
  assertWritable(): void
  /** Sends a ticket to the browser. */
  issue(ticket: string, absoluteExpiresAtMs: number): void
  /** Best effort: without effect when the headers have left. The cookie then leads to an ended session. */
  clear(): void
  /**
   * True where the response may leave without notice. The ticket of a new session is then issued before the store is
   * written, in the same turn as the call, and withdrawn if the write fails.
   */
  readonly mayLeaveUnnoticed?: boolean
  /** Takes back a ticket that was issued before its session was stored. Best effort, as `clear()`. */
  withdraw?(): void
}

/** One request and its session, able to sign in and out. */
export interface Visit<D extends object> {
  /** The session of the request. */
  readonly session: Session<D>
  /** Why there is no stored session; `null` when there is one. */
  readonly reason: MissReason | null
  /** Signs the user in under a new session id and ticket, and ends the session before. */
  signIn(input: SignInInput<D>): Promise<Session<D>>
  /** Gives the session a new ticket. */
  rotate(options?: { immediate?: boolean }): Promise<void>
  /** Ends the session and clears the cookie, if the headers have not left. Without a session: clears the cookie only. */
  signOut(reason?: string): Promise<Revoked>
}
