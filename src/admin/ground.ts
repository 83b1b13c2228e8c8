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
  readonly server: StoreServer
  readonly store: Store
  /** Stands before all keys. */
  readonly prefix: string
  readonly clock: Clock
  /** Ends the connection within its deadline. */
  close(): Promise<void>
}

/** With keys: users can be found by their id, and records opened. */
export interface AdminGround extends ServerGround {
  readonly config: ResolvedConfig<object>
  readonly keyring: Keyring
  readonly seal: Seal
  readonly sessions: SessionStore<Record<string, unknown>>
  readonly tokens: TokenCache
  readonly revocations: Revocations
  readonly events: EventBus
}
