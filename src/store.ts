/**
 * A store: the drivers of one technology behind one connection. `coatcheck/redis` and `coatcheck/memory` make them; only
 * entry files and the command line choose one.
 */
import type { Clock } from './core/clock.ts'
import type { EventBus } from './core/events.ts'
import type { DocumentDriver } from './documents/document-driver.ts'
import type { ProviderSessionDriver } from './oidc/provider-session-driver.ts'
import type { TransactionDriver } from './oidc/transaction-driver.ts'
import type { RedisClientPort } from './redis/client-port.ts'
import type { RedisKeys } from './redis/keys.ts'
import type { RedisSetup } from './redis/options.ts'
import type { SessionDriver } from './session/session-driver.ts'
import type { ProviderGateDriver } from './token/provider-gate-driver.ts'
import type { EndingsListener, RevocationDriver } from './token/revocation-driver.ts'
import type { TokenDriver } from './token/token-driver.ts'

/** What a store is opened with. */
export interface StoreContext {
  /** Stands before all keys. */
  readonly prefix: string
  /** Source of the current time. */
  readonly clock: Clock
  /** Where the store reports events. */
  readonly events: EventBus
  /** False for a base URL that is not loopback: the memory store refuses there. */
  readonly loopback: boolean
  /** Whose refresh tokens are revoked when a sign-in ends. Left out: nobody's. */
  readonly endings?: EndingsListener
}

/** For operators: the servers that a store lies on, and the names of its keys. */
export interface StoreServer {
  readonly client: RedisClientPort
  readonly keys: RedisKeys
}

/** An opened store: one driver for each kind of record. */
export interface Store {
  /** Where records are kept. */
  readonly kind: 'redis' | 'memory'
  /** `null` for a store that lies in the memory of this process. */
  readonly server: StoreServer | null
  /** Keeps sessions. */
  readonly sessions: SessionDriver
  /** Keeps tokens of users. */
  readonly tokens: TokenDriver
  /** Tokens of the application itself and on behalf of callers. */
  readonly appTokens: TokenDriver
  /** Counts failures of providers over all processes. */
  readonly providerGate: ProviderGateDriver
  /** Keeps token revocations until the provider has carried them out. */
  readonly revocations: RevocationDriver
  /** Keeps sign-ins under way. */
  readonly transactions: TransactionDriver
  /** Finds our sessions by the provider's session. */
  readonly providerSessions: ProviderSessionDriver
  /** What other session libraries keep with us. */
  readonly documents: DocumentDriver
  /** How many records of sessions there are, anonymous ones included; where there are many, an estimate by a sample. */
  estimateSessions(): Promise<number>
  /** Writes the lifecycle events of this instance where workers read them, if that is wanted. Returns how to stop. */
  follow?(events: EventBus): () => void
  /** Resolves when operations can be answered; rejects with a `CoatcheckError` that says why they cannot. */
  ready(): Promise<void>
  /** Ends within its deadline. What was handed in stays open. */
  close(): Promise<void>
}

/** Checked at once, opened at first use. `identity` keys the one instance per process; it holds no secret in the clear. */
export interface StoreFactory {
  /** Where records will be kept. */
  readonly kind: 'redis' | 'memory'
  /** Names the place where records are kept. Two factories of one identity share it. */
  readonly identity: string
  /**
   * For operators: where a store on Redis leads to, and what was asked of it. Holds secrets. `null` for one in memory.
   * @throws {ConfigError} as `open`
   */
  inspect(): RedisSetup | null
  /** Opens the store. Connects at first use. */
  open(context: StoreContext): Store
}
