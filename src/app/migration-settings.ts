/**
 * The settings without which a migration would lose what it takes over. All origins and bridges pass here: `migrateFrom`, `adopt` and
 * `auth.tokens.adopt()`.
 */
import { missing } from '../config/refusal.ts'
import { settingOf } from '../config/settings.ts'
import type { ResolvedConfig } from '../config/types.ts'
import { ConfigError } from '../core/errors.ts'
import type { MigrationMode } from '../migrate/migration-mode.ts'
import type { StoreFactory } from '../stores/store.ts'
import type { SharedRuntime } from './shared-runtime.ts'

/**
 * Refuses keys that this process has generated, because its records do not open after a restart. Refuses to move records from a server into
 * the memory of this process.
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
