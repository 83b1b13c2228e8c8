/** The public shapes of sessions. What they promise stands here; how it is kept, in `session-store.ts`. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export type DeepReadonly<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

export type OptionalKeys<T extends object> = string extends keyof T
  ? string
  : { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T]

/** The signed-in user as the application shaped it (`signIn.profile`); `id` is the user id of `signIn.userId`. */
export interface User {
  readonly id: string
  readonly [claim: string]: Json | undefined
}

/** How the user signed in. `sid` is the provider's session id, never ours. */
export interface Authentication {
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  readonly sid?: string
  /** When the user last proved who they are, epoch milliseconds. Never moved by a token refresh. */
  readonly authenticatedAtMs: number
  readonly acr?: string
  readonly amr?: readonly string[]
}

/** A line for people to recognise a device by; never part of a decision. The IP address is truncated. */
export interface Device {
  readonly browser?: string
  readonly system?: string
  readonly ip?: string
}

/** `fail`: an error, 503 in every adapter. `stale`: the session as this process verified it last. `anonymous`: nobody. */
export type OutagePolicy = 'fail' | 'stale' | 'anonymous'

export interface Session<D extends object> {
  /** `null` until something is stored: a visitor without a session costs nothing. */
  readonly id: string | null
  readonly user: User | null
  readonly authentication: Authentication | null
  /**
   * Deeply read-only, at run time too: change it through `set`, `delete` or `update`. An assignment throws
   * `COATCHECK_SESSION_READ_ONLY`, in sloppy mode too. `structuredClone` needs `toJSON().data`.
   */
  readonly data: DeepReadonly<D>
  readonly createdAtMs: number | null
  /** When it ends if nobody touches it, epoch milliseconds. */
  readonly expiresAtMs: number | null
  /** Set while the store could not be asked: what stands in for its answer. Such a session is read-only. */
  readonly outage: 'stale' | 'anonymous' | null
  get<K extends keyof D>(key: K): DeepReadonly<D[K]>
  /** Committed when it resolves. @throws `COATCHECK_SESSION_ENDED`, `…_CONFLICT`, `…_VALUE`, `…_SCHEMA`, `…_TOO_LARGE` */
  set<K extends keyof D>(key: K, value: D[K]): Promise<void>
  delete(key: OptionalKeys<D>): Promise<void>
  /**
   * `fn` is synchronous and pure: on a conflict it is applied again to what others have written meanwhile.
   * @throws `COATCHECK_SESSION_UPDATE` for an asynchronous `fn`, and what `set` throws
   */
  update(fn: (draft: D) => void): Promise<void>
  /** A copy of plain objects that is yours: for `JSON.stringify(session)`, `structuredClone` and worker threads. */
  toJSON(): SessionCopy<D>
}

export interface SessionCopy<D extends object> {
  readonly id: string | null
  readonly user: User | null
  readonly data: D
  readonly createdAtMs: number | null
  readonly expiresAtMs: number | null
}

export type MissReason = 'none' | 'malformed' | 'expired' | 'revoked' | 'lost'
export type Found<D extends object> =
  { readonly session: Session<D> } | { readonly session: null; readonly reason: MissReason }

/** `durable`: acknowledged by as many replicas as `durability` asks for; false when none were asked for. */
export interface Revoked {
  readonly count: number
  readonly durable: boolean
}

/** One row of "your devices". */
export interface SessionInfo {
  readonly id: string
  readonly device: Device
  readonly createdAtMs: number
  readonly lastSeenAtMs: number
  readonly expiresAtMs: number
  readonly authentication: Authentication | null
}

export interface SignInInput<D extends object> {
  readonly userId: string
  /** Without `id`, which is `userId`. */
  readonly profile?: { readonly [claim: string]: Json | undefined }
  readonly authentication?: Authentication
  /** Fields of the anonymous session that move over. All others end with it. */
  readonly carry?: readonly (keyof D & string)[]
  readonly data?: Partial<D>
  readonly device?: Device
}

export interface SessionStore<D extends object> {
  create(options?: {
    userId?: string
    data?: Partial<D>
    device?: Device
  }): Promise<{ ticket: string; session: Session<D> }>
  /** An outage is an error, never a missing session. */
  find(ticket: string): Promise<Found<D>>
  /** @throws `COATCHECK_SESSION_ENDED` when the ticket leads to no session. */
  update(ticket: string, fn: (draft: D) => void): Promise<Session<D>>
  /**
   * A new ticket for the same session. The old one stays valid until the new one is first seen, and 10 s beyond.
   * `immediate` (privilege change): the old one is dead at once.
   */
  rotate(ticket: string, options?: { immediate?: boolean }): Promise<{ ticket: string; session: Session<D> }>
  /**
   * A session for the user under a new id and ticket; `ticket` (the anonymous session, if any) is dead before this resolves.
   * A crash in between leaves a session that nobody holds a ticket of.
   */
  signIn(ticket: string | null, input: SignInInput<D>): Promise<{ ticket: string; session: Session<D> }>
  revoke(sessionId: string, reason?: string): Promise<Revoked>
  revokeByUser(userId: string, options?: { except?: string; reason?: string }): Promise<Revoked>
  listByUser(userId: string): Promise<SessionInfo[]>
  /**
   * For HTTP: what stands in for the session while the store cannot be asked, by policy.
   * Rejects with what was thrown before, when the policy has nothing better
   */
  duringOutage(ticket: string | null, policy: OutagePolicy, outage: unknown): Promise<Session<D>>
  /** For HTTP: the session of one request, able to issue tickets. */
  /** @param device asked for when a session is created, so that a request which only reads does not pay for it */
  visit(ticket: string | null, sink: TicketSink, device?: () => Device | undefined): Promise<Visit<D>>
}

/** Where tickets go: `http/exchange.ts` writes cookies. */
export interface TicketSink {
  /** @throws `COATCHECK_HEADERS_SENT` or `COATCHECK_COOKIES_READ_ONLY`, before anything is written to the store. */
  assertWritable(): void
  issue(ticket: string, absoluteExpiresAtMs: number): void
  /** Best effort: without effect when the headers have left. The cookie then leads to an ended session. */
  clear(): void
}

export interface Visit<D extends object> {
  readonly session: Session<D>
  /** Why there is no stored session; `null` when there is one. */
  readonly reason: MissReason | null
  signIn(input: SignInInput<D>): Promise<Session<D>>
  rotate(options?: { immediate?: boolean }): Promise<void>
  /** Ends the session and clears the cookie, if the headers have not left. Without a session: clears the cookie only. */
  signOut(reason?: string): Promise<Revoked>
}
