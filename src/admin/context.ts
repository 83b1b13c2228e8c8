/**
 * The context of an operator's use case: the Redis servers of a store, or everything that a configuration opens.
 * `src/app/operator-access.ts` creates both. A use case takes the parts that it needs and opens no connection itself.
 */
import type { ResolvedConfig } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { Seal } from '../keyring/seal.ts'
import type { SessionStore } from '../session/types.ts'
import type { StoreServer } from '../stores/redis/operator-view.ts'
import type { Store } from '../stores/store.ts'
import type { ProviderRevocations } from '../token/provider-revocations.ts'
import type { TokenCache } from '../token/types.ts'

/** Admin context without encryption keys, from `openServer()`: enough to count keys and to read the servers. Close it after use. */
export interface ServerContext {
  /** The Redis servers, and the names of the keys. */
  readonly server: StoreServer
  /** The opened store. */
  readonly store: Store
  /** Prefix of all key names. Empty: none. */
  readonly prefix: string
  /** Source of the current time. */
  readonly clock: Clock
  /** Closes the connection, at the latest at its deadline. A user-supplied client stays open. */
  close(): Promise<void>
}

/**
 * Marks that keep old sessions and tokens of other libraries from being adopted after an operator has ended those of a user. Without an
 * option `adopt` and without `tokens.adopt()` in the application, no process reads them.
 */
export interface RevocationMarks {
  /**
   * Called before all sessions of a user end: no old session that began before is adopted from then on.
   * @throws {RedisError} during an outage
   */
  sessions(userKey: string): Promise<void>
  /**
   * Called before the tokens of a user are deleted: no old tokens are adopted from then on.
   * @param provider name of the provider. `undefined`: all providers of the configuration
   * @throws {RedisError} during an outage
   */
  tokens(userKey: string, provider: string | undefined): Promise<void>
  /**
   * Called after sessions of a user have ended: if none is left, no old tokens of the user are adopted from then on.
   * @param mayBeAnonymous whether the session may be one without a user
   * @throws {RedisError} during an outage
   */
  signedOut(userKey: string, mayBeAnonymous: boolean): Promise<void>
}

/** Admin context with encryption keys, from `openAdmin()`: finds users by their id, and opens records. Close it after use. */
export interface AdminContext extends ServerContext {
  /** The validated configuration. */
  readonly config: ResolvedConfig<object>
  /** The encryption keys. */
  readonly keyring: Keyring
  /** Seals and opens records. */
  readonly seal: Seal
  /** Sessions of all users. */
  readonly sessions: SessionStore<Record<string, unknown>>
  /** Tokens of all users. */
  readonly tokens: TokenCache
  /** Keeps old sessions and tokens of users from being adopted again. */
  readonly revocationMarks: RevocationMarks
  /** Refresh tokens that are waiting for revocation at their provider (RFC 7009). */
  readonly revocations: ProviderRevocations
  /** The events of this context. */
  readonly events: EventBus
}
