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
import type { Revocations } from '../token/revocations.ts'
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
  /** Closes the connection, at the latest at its deadline. A client that the caller passed in stays open. */
  close(): Promise<void>
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
  /** Refresh tokens that wait to be revoked at their provider (RFC 7009). */
  readonly revocations: Revocations
  /** The events of this context. */
  readonly events: EventBus
}
