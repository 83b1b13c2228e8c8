/**
 * `coatcheck/better-auth`: `secondaryStorage` for better-auth 1.7. It hashes keys and seals values. Single-use values and counters are atomic,
 * a deleted session stays deleted, and the list of a user's sessions is complete, because Coatcheck derives it. See docs/better-auth.md. This
 * module does not load better-auth.
 */
import { createSecondaryStorage, type SecondaryStorage, type StoredText } from '../../drop-ins/secondary-storage.ts'
import { bulkAccess, withBulkAccess } from '../bulk-access.ts'
import { ownOptions } from '../../config/shape.ts'
import { systemClock } from '../../core/clock.ts'
import { EventBus, type Events } from '../../core/events.ts'
import { createDocuments } from '../../documents/documents.ts'
import { linkedJson } from '../../documents/linked-json.ts'
import { createDropInRuntime, documentDeps, type DropInOptions } from '../drop-in-runtime.ts'
import { originDeps } from '../drop-in-origin.ts'
import type { BetterAuthOrigin } from '../../migrate/better-auth.ts'

export type { SecondaryStorage } from '../../drop-ins/secondary-storage.ts'

/** Options of `secondaryStorage()`. */
export interface SecondaryStorageOptions extends DropInOptions {
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
  const dropIn = createDropInRuntime(options, events, async (runtime, config, closing) => {
    const documents = createDocuments<StoredText>(documentDeps(runtime, config, events), 'better-auth', linkedJson())
    const make = (all: typeof documents): SecondaryStorage => createSecondaryStorage(all, systemClock)
    if (!origin) return make(documents)
    return origin.attach({ ...(await originDeps(origin, runtime, config, events, closing)), documents, make })
  })
  const { open, close } = dropIn
  const storage: CoatcheckSecondaryStorage = {
    events,
    close,
    get: async (key) => (await open()).get(key),
    set: async (key, value, ttl) => (await open()).set(key, value, ttl),
    delete: async (key) => (await open()).delete(key),
    getAndDelete: async (key) => (await open()).getAndDelete(key),
    increment: async (key, ttl) => (await open()).increment(key, ttl),
  }
  return withBulkAccess(storage, bulkAccess(dropIn, { origin, events, adopt: (made, key) => made.get(key) }))
}
