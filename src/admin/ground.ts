/**
 * What the use cases of operators stand on: the server that a store lies on, or the whole of what a configuration opens.
 * `src/admin.ts` makes both; use cases take the parts that they need and open nothing themselves.
 */
import type { ResolvedConfig } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { Seal } from '../keyring/seal.ts'
import type { SessionStore } from '../session/types.ts'
import type { Store, StoreServer } from '../store.ts'
import type { Revocations } from '../token/revocations.ts'
import type { TokenCache } from '../token/types.ts'

/** Enough for what needs no key: connection, counts, families of keys. */
export interface ServerGround {
  /** Connection to the servers. */
  readonly server: StoreServer
  /** The opened store. */
  readonly store: Store
  /** Stands before all keys. */
  readonly prefix: string
  /** Source of the current time. */
  readonly clock: Clock
  /** Ends the connection within its deadline. */
  close(): Promise<void>
}

/** With keys: users can be found by their id, and records opened. */
export interface AdminGround extends ServerGround {
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
  /** Token revocations that wait for the provider. */
  readonly revocations: Revocations
  /** Events of this context. */
  readonly events: EventBus
}
