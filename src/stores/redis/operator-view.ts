/** What operators see of a store on Redis: its servers and its resolved options. Other stores have neither. */
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../keys.ts'
import type { Store, StoreFactory } from '../store.ts'
import type { RedisSetup } from './options.ts'

/** For operators: the Redis servers of a store, and the names of its keys. */
export interface StoreServer {
  /** Sends commands to the servers. */
  readonly client: RedisClientPort
  /** Builds key names. */
  readonly keys: RedisKeys
}

/** An opened store on Redis. */
export interface RedisStore extends Store {
  readonly server: StoreServer
}

/** Opens a store on Redis. */
export interface RedisStoreFactory extends StoreFactory {
  /**
   * For operators: returns the destination and the limits. The result holds secrets.
   * @throws {ConfigError} as `open`
   */
  inspect(): RedisSetup
  open(...context: Parameters<StoreFactory['open']>): RedisStore
}

/** @returns `null` for a store that is not on Redis */
export function serverOf(store: Store): StoreServer | null {
  return Object.hasOwn(store, 'server') ? (store as RedisStore).server : null
}

/** @returns whether the factory opens a store on Redis */
export function isOnRedis(factory: StoreFactory): factory is RedisStoreFactory {
  return Object.hasOwn(factory, 'inspect')
}
