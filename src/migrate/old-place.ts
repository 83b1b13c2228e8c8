/**
 * Where the old record of a copy is. A process with a mistyped `prefix` or another `store` looks at another place and finds nothing there. That
 * says nothing about the session, so such a process ends no copy.
 */
import { ConfigError } from '../core/errors.ts'
import type { Store } from '../stores/store.ts'

export interface OldPlace {
  /** The old key. */
  readonly key: string
  /** As `placeOf` returns it. Absent: a copy of an earlier version, which does not say. */
  readonly place?: string | undefined
}

/**
 * Identifies the servers of the old keys for all processes.
 * @param store the store of the new records
 * @param own the store that the origin names; `null`: none
 * @returns empty: the servers of the new records
 */
export function placeOf(store: Pick<Store, 'place'>, own: Pick<Store, 'place'> | null): string {
  return own === null || own.place === store.place ? '' : own.place
}

/**
 * Compares the place that a copy names with the place where this process found nothing.
 * @throws {ConfigError} `COATCHECK_CONFIG_INVALID` if they differ
 */
export function assertSamePlace(copyOf: OldPlace, here: OldPlace): void {
  const isOtherKey = copyOf.key !== here.key
  const isOtherPlace = copyOf.place !== undefined && copyOf.place !== here.place
  if (!isOtherKey && !isOtherPlace) return
  throw new ConfigError('COATCHECK_CONFIG_INVALID', {
    message: isOtherKey
      ? 'Another process read this session from an old key of another name than the one that this process built from "migrateFrom".'
      : 'Another process read this session from another Redis than the one in which this process looks for old keys.',
    why: 'Without this check, a wrong setting would end the sessions that other processes serve.',
    fix: isOtherKey
      ? 'Give the prefix of "migrateFrom" the same value in all processes.'
      : 'Give the option "store" of "migrateFrom" the same address in all processes. If the address has changed for all of them, reads of a session that had ended before reject until its copy ends.',
  })
}
