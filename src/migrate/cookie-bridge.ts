/**
 * The port between the middlewares and the cookies of another library. An adapter imports this type and nothing of `bridges/`, so an
 * application without a bridge loads none.
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { DocumentDeps } from '../documents/documents.ts'
import type { PlannedSessionDeps } from '../session/planned-session.ts'
import type { Authentication, Device } from '../session/sign-in-input.ts'
import type { StoreFactory } from '../stores/store.ts'
import type { MigrationMode } from './migration-mode.ts'
import type { OldRecordDriver } from './old-record-driver.ts'

/** The parts with which a bridge writes, once the store of the instance is open. */
export interface BridgeStores {
  /** Stores sealed documents. */
  readonly documents: DocumentDeps
  /** Creates sessions of Coatcheck. */
  readonly planned: PlannedSessionDeps<object>
  /** Registers a function that runs when the instance closes. */
  readonly closing: (end: () => Promise<void>) => void
  /** Ends a session of ours by its id. */
  revoke(sessionId: string, reason: string): Promise<unknown>
  /**
   * Records the sign-in at the provider that a session comes from, so that a logout at the provider ends the session. Repeatable.
   * @returns false: the provider has ended that sign-in
   * @throws {RedisError} during an outage
   */
  register(authentication: Authentication, sessionId: string): Promise<boolean>
}

/** The parts of one instance of Coatcheck that a bridge uses. */
export interface BridgeContext {
  /** Opens the store of the instance. Called only for a verified cookie, so a forged one costs no connection. */
  open(): Promise<BridgeStores>
  /** Opens old records. @param store where they are; absent: on the servers of this instance */
  oldRecords(store?: StoreFactory): Promise<OldRecordDriver>
  /** Source of the current time. */
  readonly clock: Clock
  /** Where migration reads are reported. */
  readonly events: EventBus
}

/** The parts of an adopted session that come from the request. */
export interface AdoptingRequest {
  /** Browser, system and network of the request. */
  readonly device: () => Device | undefined
  /** Fields of the anonymous session that the adopted one takes over, as `signIn.carry` names them. */
  readonly carried: Readonly<Record<string, unknown>>
}

/** The Coatcheck session that replaces the old one. */
export interface Adopted {
  /** A secret: the value for our cookie. */
  readonly ticket: string
  /** When the session ends in any case, epoch milliseconds. */
  readonly absoluteExpiresAtMs: number
  /**
   * Called when the response sets our cookie. In mode `move` it ends the old session. Returns true if the old cookie may be removed.
   * @throws {RedisError} and what the old store throws
   */
  leaveOld(): Promise<boolean>
  /**
   * Called when the session of the ticket has expired, and was not revoked. It adopts the old session once more if old processes have extended
   * it meanwhile. `null`: they have not, or the old session has ended.
   * @throws as `adopt`
   */
  adoptAgain(): Promise<Adopted | null>
}

/** A bridge on one instance of Coatcheck. */
export interface AttachedBridge {
  /**
   * Returns our session for the old cookie of a request. It verifies the cookie first, so a forged one costs no command.
   * `null`: no old cookie, one that does not verify, or an old session that has ended or has no user.
   * @throws what `user` and the old store throw, and {RedisError} during an outage
   */
  adopt(cookieHeader: string, request: AdoptingRequest): Promise<Adopted | null>
  /**
   * Ends the old session of a verified cookie, and the session that was adopted from it. The cookie is never adopted again.
   * @throws what the old store throws, and {RedisError} during an outage
   */
  end(cookieHeader: string): Promise<void>
  /**
   * Called before all sessions of a user end. From then on, Coatcheck adopts no old session of the user that began earlier.
   * @param userKey the keyed hash of the user id
   * @throws {RedisError} during an outage
   */
  revoking(userKey: string): Promise<void>
}

/**
 * Reads the sessions of another library from its cookies, for the option `adopt` of our middlewares. `coatcheck/migrate` makes bridges:
 * `fromExpressSession()`, `fromFastifySession()`, `fromAuthJs()`, `fromBetterAuth()`, `fromAuth0()`, `fromIronSession()`.
 */
export interface CookieBridge {
  /** The library and format, as the event `migration.read` names it. */
  readonly origin: string
  /** `read`: the old session stays. `move`: it ends once ours replaces it. */
  readonly mode: MigrationMode
  /** Returns whether a `Cookie` header has an old cookie by its name. It verifies nothing. */
  mayHold(cookieHeader: string): boolean
  /** For adapters: returns the `Set-Cookie` lines that remove the old cookies of a request. */
  clearing(cookieHeader: string): readonly string[]
  /** For adapters: connects the bridge to one instance. */
  attach(context: BridgeContext): AttachedBridge
}
