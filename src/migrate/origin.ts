/**
 * What every origin has in common: its name, its mode and the server of its records; and what a drop-in hands to an origin when both are
 * put together. Drop-ins name these types only.
 */
import type { Clock } from '../core/clock.ts'
import type { MigrationOutcome } from '../core/event-map.ts'
import type { EventBus } from '../core/events.ts'
import type { StoreFactory } from '../stores/store.ts'
import type { OldKeys } from './old-keys.ts'
import type { OldRecordDriver } from './old-record-driver.ts'
import type { MigrationMode } from './migration-mode.ts'

/** A library and format that data comes from. */
export interface Origin {
  /** Name in events, figures and log lines. */
  readonly name: string
  /** What becomes of old keys. */
  readonly mode: MigrationMode
  /** The store that holds the old keys. Absent: the store of the drop-in. */
  readonly store?: StoreFactory
  /** Its old keys. Absent: they cannot be told by their names. */
  readonly keys?: OldKeys
}

/** What a drop-in hands to its origin. */
export interface OriginDeps {
  /** The old keys. */
  readonly old: OldRecordDriver
  /** Source of the current time. */
  readonly clock: Clock
  /** Where outcomes are reported. */
  readonly events: EventBus
  /** Adds something that ends with the drop-in. */
  readonly closing: (end: () => Promise<void>) => void
}

/** Reports what came of an old record. */
export type Report = (outcome: MigrationOutcome) => void

export function reporter(origin: string, events: EventBus): Report {
  return (outcome) => {
    if (events.hasListeners('migration.read')) events.emit('migration.read', { origin, outcome })
  }
}

/** Reports that an old record was adopted. @param hasExpiry false: nothing in the old record or its key says when it ends */
export function reportAdoption(report: Report, hasExpiry: boolean): void {
  report('adopted')
  if (!hasExpiry) report('no_expiry')
}
