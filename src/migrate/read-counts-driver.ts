/**
 * The storage port for the counts of a migration, shared by all processes: reads of old records by origin, outcome and hour. Status and
 * doctor read them. Counts are statistics: they decide no request.
 */
import type { MigrationOutcome } from '../core/event-map.ts'
import type { MigrationMode } from './migration-mode.ts'

/** The report of one process about one origin. */
export interface ReadBatch {
  /** Name of the origin, such as `connect-redis`: letters, digits, `-`, `_` and `.`, at most 40. */
  readonly origin: string
  readonly mode: MigrationMode
  /** Literal beginning of the old keys. `null`: the origin has none. */
  readonly keyPrefix: string | null
  /** Tags of the encryption keys of the process, as each sealed record holds one: hexadecimal, without secrets. */
  readonly keyTags: readonly string[]
  /** Reads since the last report. Empty: the process only reports that it uses the origin. */
  readonly counts: ReadonlyMap<MigrationOutcome, number>
}

/** Reads of one outcome within one hour. */
export interface HourCount {
  /** Whole hours since 1970-01-01 UTC, by the clock of the store. */
  readonly hour: number
  readonly outcome: MigrationOutcome
  readonly count: number
}

/** The encryption keys of one or more processes. */
export interface KeyReport {
  /** Tags of the keys, not empty. */
  readonly keyTags: readonly string[]
  /** The last report with these tags, epoch milliseconds by the clock of the store. */
  readonly lastMs: number
}

/** The reports of all processes about one origin. Times are epoch milliseconds by the clock of the store. */
export interface OriginReads {
  readonly origin: string
  readonly keyPrefix: string | null
  /** Each list of tags that a process has reported within 8 days, the last reported list first. */
  readonly keyReports: readonly KeyReport[]
  /** The first report. */
  readonly sinceMs: number
  /** The last report of a process with this mode. `null`: none within 8 days. */
  readonly modes: { readonly [Mode in MigrationMode]: number | null }
  /** The last report that found an old record. `null`: none. */
  readonly lastReadAtMs: number | null
  readonly hours: readonly HourCount[]
}

/** Each method is one atomic step. */
export interface ReadCountsDriver {
  /** Adds a report, which is kept for 8 days. A report whose deadline was reported as missed is not added afterwards. */
  add(batch: ReadBatch): Promise<void>
  /** Returns all origins of the last 8 days, by name. Empty: no process uses an origin. */
  read(): Promise<readonly OriginReads[]>
}

/** Longer than the 7 days that the doctor looks back. */
export const COUNTS_KEPT_MS = 8 * 24 * 3_600_000
export const HOUR_MS = 3_600_000
/** A process that has not reported for this long has ended: each process reports at least once an hour. */
export const PRESENT_MS = 2 * HOUR_MS

/** Outcomes that show an old record in use. A missing, refused or unreadable record is not in use. */
export const USED_OUTCOMES: ReadonlySet<MigrationOutcome> = new Set([
  'adopted',
  'synced',
  'unchanged',
  'moved',
  'ended',
  'no_expiry',
])

/** Returns whether a report shows an old record in use. */
export function hasUse({ counts }: ReadBatch): boolean {
  return [...counts].some(([outcome, count]) => count > 0 && USED_OUTCOMES.has(outcome))
}
