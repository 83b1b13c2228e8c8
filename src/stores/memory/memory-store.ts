/**
 * `coatcheck/memory`: the embedded store for development. It has the semantics, lifetimes and limits of Redis, in the bounded memory of one
 * process. It survives a module reload. It refuses to open if the base URL is not a loopback address.
 */
import { ownOptions } from '../../config/shape.ts'
import { ConfigError } from '../../core/errors.ts'
import { processState } from '../../core/process-state.ts'
import { systemRandom } from '../../core/random.ts'
import { createMemoryDocumentDriver } from './document-driver.ts'
import { DEFAULT_SPACE_BYTES, MemorySpace } from './space.ts'
import { createMemoryProviderSessionDriver } from './provider-session-driver.ts'
import { createMemoryTransactionDriver } from './transaction-driver.ts'
import { announcedPrefixes, redisKeys } from '../keys.ts'
import { createMemorySessionDriver } from './session-driver.ts'
import type { Store, StoreContext, StoreFactory } from '../store.ts'
import { createMemoryProviderGateDriver } from './provider-gate-driver.ts'
import { tokenRevocationsOf } from '../../token/revocation-driver.ts'
import { createMemoryRevocationDriver } from './revocation-driver.ts'
import { createMemoryTokenDriver } from './token-driver.ts'

/** Options of `memoryStore()`. */
export interface MemoryStoreOptions {
  /** Name of the store. Stores of one name share their content within the process. Default `default`. */
  readonly name?: string
  /** Maximum memory, bytes. Writes beyond it fail with `COATCHECK_REDIS_OOM`. Default 64 MiB, about 50,000 sessions of 1 KB. */
  readonly maxBytes?: number
}

export type { Store, StoreContext, StoreFactory } from '../store.ts'

/**
 * Creates a store in the memory of this process, for development and tests. It has the semantics, lifetimes and limits of Redis. Its
 * content ends with the process. It opens on a loopback base URL only (`COATCHECK_STORE_REQUIRED`).
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
 */
export function memoryStore(options: MemoryStoreOptions = {}): StoreFactory {
  const { name = 'default', maxBytes = DEFAULT_SPACE_BYTES } = ownOptions('memoryStore()', options)
  const identity = `memory:${name}:${maxBytes}`
  return {
    isLocal: true,
    identity,
    open: (context) => openMemoryStore(identity, maxBytes, context),
  }
}

/** @throws {ConfigError} `COATCHECK_STORE_REQUIRED` if the base URL is not a loopback address */
function openMemoryStore(
  identity: string,
  maxBytes: number,
  { prefix, clock, loopback, tokenRevocations: listener }: StoreContext,
): Store {
  if (!loopback) throw new ConfigError('COATCHECK_STORE_REQUIRED')
  // Uses the clock of the first opener. A reloaded module brings the same system clock in another object.
  const space = processState(identity, () => new MemorySpace({ clock, maxBytes }))
  const keys = redisKeys(prefix)
  const revocations = createMemoryRevocationDriver(space, keys)
  const tokenRevocations = tokenRevocationsOf(revocations, listener)
  return {
    isDurable: false,
    place: identity,
    revocations,
    sessions: createMemorySessionDriver(space, keys, systemRandom, tokenRevocations),
    tokens: createMemoryTokenDriver(space, keys, tokenRevocations),
    appTokens: createMemoryTokenDriver(space, { ...keys, tokens: keys.appTokens }),
    providerGate: createMemoryProviderGateDriver(space, keys),
    transactions: createMemoryTransactionDriver(space, keys),
    documents: createMemoryDocumentDriver(space, keys),
    migrationReads: async () => (await import('./read-counts-driver.ts')).createMemoryReadCountsDriver(space, keys),
    oldRecords: async () => (await import('./old-record-driver.ts')).createMemoryOldRecordDriver(space),
    providerSessions: createMemoryProviderSessionDriver(space, keys),
    estimateSessions: () => Promise.resolve(space.keys(announcedPrefixes(prefix)[0] ?? '').length),
    ready: () => Promise.resolve(),
    // The content stays for the next opening in this process. A reload in development needs that.
    close: () => Promise.resolve(),
  }
}
