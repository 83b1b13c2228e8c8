/**
 * The types that every origin shares: its name, its mode, its old keys, and the parts that a drop-in gives to it. Drop-ins import these types
 * only, so an application without an origin loads nothing of `src/migrate/`.
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
  /** Name in events, metrics and log lines. */
  readonly name: string
  /** What becomes of old keys. */
  readonly mode: MigrationMode
  /** The store that holds the old keys. Absent: the store of the drop-in. */
  readonly store?: StoreFactory
  /** Recognizes its old keys. Absent: their names do not identify them. */
  readonly keys?: OldKeys
}

/** The parts that a drop-in gives to its origin. */
export interface OriginDeps {
  /** The old keys. */
  readonly old: OldRecordDriver
  /** Their servers, as `placeOf` returns them. Default: those of the drop-in. */
  readonly place?: string
  /** Source of the current time. */
  readonly clock: Clock
  /** Where outcomes are reported. */
  readonly events: EventBus
  /** Registers a function that runs when the drop-in closes. */
  readonly closing: (end: () => Promise<void>) => void
}

/** Reports the outcome of a read of an old record. */
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
