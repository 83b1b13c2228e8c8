/**
 * A store groups the drivers of one technology behind one connection. `coatcheck/redis` and `coatcheck/memory` create stores. The
 * application chooses one by an entry or by `REDIS_URL`.
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { DocumentDriver } from '../documents/document-driver.ts'
import type { OldRecordDriver } from '../migrate/old-record-driver.ts'
import type { ReadCountsDriver } from '../migrate/read-counts-driver.ts'
import type { ProviderSessionDriver } from '../oidc/provider-session-driver.ts'
import type { TransactionDriver } from '../oidc/transaction-driver.ts'
import type { SessionDriver } from '../session/session-driver.ts'
import type { ProviderGateDriver } from '../token/provider-gate-driver.ts'
import type { TokenRevocationListener, RevocationDriver } from '../token/revocation-driver.ts'
import type { TokenDriver } from '../token/token-driver.ts'

/** Context in which a store is opened. */
export interface StoreContext {
  /** Prefix of all key names. Empty: none. */
  readonly prefix: string
  /** Source of the current time. */
  readonly clock: Clock
  /** Where the store reports events. */
  readonly events: EventBus
  /** Whether the base URL is on a loopback address. If false, the memory store refuses to open. */
  readonly loopback: boolean
  /** Receives the refresh tokens to revoke when a sign-in ends (RFC 7009). Absent: none are revoked. */
  readonly tokenRevocations?: TokenRevocationListener
}

/** An opened store: one driver for each kind of record. */
export interface Store {
  /** Whether revocations wait until replicas have acknowledged them. */
  readonly isDurable: boolean
  /** Identifies the servers by their addresses, for all processes that write them in the same way. A hash, without secrets. */
  readonly place: string
  /** Keeps sessions. */
  readonly sessions: SessionDriver
  /** Keeps tokens of users. */
  readonly tokens: TokenDriver
  /** Keeps tokens of the application itself and on behalf of callers. */
  readonly appTokens: TokenDriver
  /** Counts failures of providers over all processes. */
  readonly providerGate: ProviderGateDriver
  /** Keeps token revocations until the provider has carried them out. */
  readonly revocations: RevocationDriver
  /** Remembers which sign-ins are used up. */
  readonly transactions: TransactionDriver
  /** Finds sessions by the session id of the provider. */
  readonly providerSessions: ProviderSessionDriver
  /** Keeps the records of other session libraries, such as express-session. */
  readonly documents: DocumentDriver
  /** Reads and changes the records of other libraries on the same servers. Loaded at the first call, because only a migration needs it. */
  oldRecords(): Promise<OldRecordDriver>
  /** Counts the reads of old records over all processes. Loaded at the first call, because only a migration needs it. */
  migrationReads(): Promise<ReadCountsDriver>
  /**
   * Estimates the number of session records, anonymous ones included: exact with few keys, from a sample with many.
   * @throws {RedisError} during an outage
   */
  estimateSessions(): Promise<number>
  /** Writes the lifecycle events to the streams that workers read. Returns the function that stops it. Absent: no stream is configured. */
  follow?(events: EventBus): () => void
  /**
   * Checks the store: resolves when every server has answered. A store in memory resolves at once.
   * @throws {RedisError} why the store does not answer
   */
  ready(): Promise<void>
  /** Closes the connection, at the latest at its deadline. A user-supplied client stays open. */
  close(): Promise<void>
}

/** Opens a store. `redisStore()` and `memoryStore()` create it. Options are checked at once; the store is opened at first use. */
export interface StoreFactory {
  /** Whether the records are in the memory of this process. Such a store is for development only. */
  readonly isLocal: boolean
  /** Identifies the store within the process: factories of one identity share a connection. A hash, without secrets. */
  readonly identity: string
  /**
   * Opens the store. A store on Redis connects in the background.
   * @throws {ConfigError} `COATCHECK_CONFIG_INVALID`, `COATCHECK_CONFIG_MISSING`; `COATCHECK_STORE_REQUIRED` for a store in memory
   *   without a loopback base URL
   */
  open(context: StoreContext): Store
}
