/**
 * `coatcheck/better-auth`: `secondaryStorage` for better-auth 1.7: keys hashed, values sealed, single-use values and counters
 * atomic, a deleted session not brought back, and the list of a user's sessions kept by us, so that none is missing from it.
 * See docs/better-auth.md. better-auth itself is not loaded from here.
 */
import { createSecondaryStorage, type SecondaryStorage, type StoredText } from '../../drop-ins/secondary-storage.ts'
import { bulkAccess, withBulkAccess } from '../bulk-access.ts'
import { ownOptions } from '../../config/shape.ts'
import { systemClock } from '../../core/clock.ts'
import { EventBus, type Events } from '../../core/events.ts'
import { createDocuments } from '../../documents/documents.ts'
import { linkedJson } from '../../documents/linked-json.ts'
import { createHosted, documentDeps, type HostedOptions } from '../hosted.ts'
import { originDeps } from '../hosted-origin.ts'
import type { BetterAuthOrigin } from '../../migrate/better-auth.ts'

export type { SecondaryStorage } from '../../drop-ins/secondary-storage.ts'

/** Options of `secondaryStorage()`. */
export interface SecondaryStorageOptions extends HostedOptions {
  /** The keys of an earlier secondary storage: `betterAuthStorage()` of `coatcheck/migrate`. Default: none are read. */
  readonly migrateFrom?: BetterAuthOrigin
}

/** The storage for `betterAuth({ secondaryStorage })`. Its methods reject with a `RedisError` during an outage. */
export interface CoatcheckSecondaryStorage extends SecondaryStorage {
  /** The events of this storage. */
  readonly events: Events
  /** Closes the connection. Calls afterwards are refused with `COATCHECK_CLOSED`. */
  close(): Promise<void>
}

/**
 * Creates a secondary storage for better-auth 1.7. It checks the shapes of the options; environment, keys and connection wait for the
 * first use.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
 */
export function secondaryStorage(options: SecondaryStorageOptions = {}): CoatcheckSecondaryStorage {
  options = ownOptions('secondaryStorage()', options)
  const events = new EventBus()
  const { migrateFrom: origin } = options
  const hosted = createHosted(options, events, async (foundation, config, closing) => {
    const documents = createDocuments<StoredText>(documentDeps(foundation, config, events), 'better-auth', linkedJson())
    const make = (all: typeof documents): SecondaryStorage => createSecondaryStorage(all, systemClock)
    if (!origin) return make(documents)
    return origin.attach({ ...(await originDeps(origin, foundation, config, events, closing)), documents, make })
  })
  const { open, close } = hosted
  const storage: CoatcheckSecondaryStorage = {
    events,
    close,
    get: async (key) => (await open()).get(key),
    set: async (key, value, ttl) => (await open()).set(key, value, ttl),
    delete: async (key) => (await open()).delete(key),
    getAndDelete: async (key) => (await open()).getAndDelete(key),
    increment: async (key, ttl) => (await open()).increment(key, ttl),
  }
  return withBulkAccess(storage, bulkAccess(hosted, { origin, events, adopt: (made, key) => made.get(key) }))
}
