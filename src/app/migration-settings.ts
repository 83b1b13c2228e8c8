/**
 * The settings without which a migration would lose what it takes over. All origins and bridges pass here: `migrateFrom`, `adopt` and
 * `auth.tokens.adopt()`.
 */
import { missing } from '../config/refusal.ts'
import { settingOf } from '../config/settings.ts'
import type { ResolvedConfig } from '../config/types.ts'
import { ConfigError } from '../core/errors.ts'
import type { MigrationMode } from '../migrate/migration-mode.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { Store, StoreFactory } from '../stores/store.ts'
import type { SharedRuntime } from './shared-runtime.ts'

/**
 * Refuses keys that this process has generated, because its records do not open after a restart. Refuses to move records of an origin with a
 * store on a server into the memory of this process. A bridge on a store of the old library cannot be checked.
 * @param old the store of the old records; absent: the store of the new ones
 * @throws {ConfigError} `COATCHECK_CONFIG_MISSING` without keys on a server, `COATCHECK_STORE_REQUIRED`
 */
export function assertMigrationSettings(
  { keys }: Pick<ResolvedConfig<object>, 'keys'>,
  { isLocal }: Pick<SharedRuntime, 'isLocal'>,
  { mode, store: old }: { readonly mode: MigrationMode; readonly store?: StoreFactory | undefined },
): void {
  if (!isLocal && keys.length === 0) {
    throw missing(settingOf('', 'keys'), {
      why: 'A migration stores the sessions and tokens of users. With a key that this process generates, they would not open after a restart.',
      fix: 'Set COATCHECK_KEYS to the output of "openssl rand -base64 32", in development too, and to the same value in all processes.',
    })
  }
  if (isLocal && mode === 'move' && old !== undefined && !old.isLocal) {
    throw new ConfigError('COATCHECK_STORE_REQUIRED', {
      message:
        'The mode "move" would take records from Redis into the memory of this process, where a restart loses them.',
      fix: 'Set REDIS_URL, or the option "store", to the Redis that will keep the records.',
    })
  }
}

/** The store and the keys with which an operator's process moves records. */
export interface OwnParts {
  /** Keeps the moved records. */
  readonly store: Pick<Store, 'migrationReads'>
  /** Seals the moved records. */
  readonly keyring: Pick<Keyring, 'active'>
  /** Whether the store is in the memory of this process. */
  readonly isLocal: boolean
}

/**
 * Checks that the application opens what an operator's process moves. The processes of the application report the tags of their keys with the
 * reads of old records.
 * @param isConfirmed true: go on also if no process has reported within 8 days
 * @throws {ConfigError} `COATCHECK_STORE_REQUIRED`, `COATCHECK_CONFIG_INVALID`
 * @throws {RedisError} during an outage
 */
export async function assertApplicationOpens(
  { store, keyring, isLocal }: OwnParts,
  mode: MigrationMode,
  isConfirmed: boolean,
): Promise<void> {
  if (isLocal) {
    throw new ConfigError('COATCHECK_STORE_REQUIRED', {
      message: 'REDIS_URL is not set, so the records would go into the memory of this process, and end with it.',
    })
  }
  // In the mode `read` the old records stay, and the application replaces what it cannot open.
  if (mode === 'read') return
  const reports = (await (await store.migrationReads()).read()).flatMap(({ keyReports }) => keyReports)
  if (reports.length > 0) {
    const { PRESENT_MS } = await import('../migrate/read-counts-driver.ts')
    const own = keyring.active.tag.toString('hex')
    const newestMs = Math.max(...reports.map(({ lastMs }) => lastMs))
    const present = reports.filter(({ lastMs }) => lastMs > newestMs - PRESENT_MS)
    const openers = present.filter(({ keyTags }) => keyTags.includes(own))
    if (openers.length === present.length) return
    const isMixed = openers.length > 0
    throw new ConfigError('COATCHECK_CONFIG_INVALID', {
      message: isMixed
        ? 'Some processes of the application do not have the first key of COATCHECK_KEYS. Nothing was moved.'
        : 'The first key of COATCHECK_KEYS is not among the keys of the application. Nothing was moved.',
      why: 'A process without the key could not open what is moved, and the mode "move" removes the old records.',
      fix: isMixed
        ? 'Give COATCHECK_KEYS the same value in all processes, and try again 2 hours after the last process with other keys has ended.'
        : 'Set COATCHECK_KEYS to the value that the application has.',
      details: { variable: 'COATCHECK_KEYS' },
    })
  }
  if (isConfirmed) return
  throw new ConfigError('COATCHECK_CONFIG_INVALID', {
    message: 'No process of the application has reported its keys within 8 days. Nothing was moved.',
    why: 'With other keys than these, the application could not open what is moved, and the mode "move" removes the old records.',
    fix: 'Deploy the application with migrateFrom or adopt first. If it cannot run yet, compare COATCHECK_KEYS yourself and add --yes.',
    details: { variable: 'COATCHECK_KEYS' },
  })
}
