/** Status of a migration: what the processes report for each origin, how many old keys are left, and the next step. */
import type { MigrationOutcome } from '../core/event-map.ts'
import type { MigrationMode } from '../migrate/migration-mode.ts'
import {
  HOUR_MS,
  type OriginReads,
  PRESENT_MS,
  type ReadCountsDriver,
  USED_OUTCOMES,
} from '../migrate/read-counts-driver.ts'
import { keyCount, scanKeys, type ScanContext, type ScanOptions } from './scan.ts'

/** Number of reads by outcome; outcomes without a read are left out. */
export type ReadsByOutcome = { readonly [Outcome in MigrationOutcome]?: number }

/**
 * The next step. `stay`: old processes still write, or were watched for less than a day, so keep `read`. `move`: switch to `move` when no old process is left. `finish`:
 * processes of both modes run. `wait`: old records are still in use. `check`: no old record was ever found, so compare the prefix and the Redis
 * with those of the old application. `remove`: remove `migrateFrom`.
 */
export type NextStep = 'stay' | 'move' | 'finish' | 'wait' | 'check' | 'remove'

/** How many old keys are left. */
export interface OldKeyCount {
  /** Number of old keys. */
  readonly count: number
  /** Whether all key names were counted. False: an estimate from a sample. */
  readonly isExact: boolean
}

/** Status of one origin. Times are epoch milliseconds. */
export interface OriginStatus {
  /** Name of the origin, such as `connect-redis`. */
  readonly origin: string
  /** Mode of the last process that reported. */
  readonly mode: MigrationMode
  /** Last report of a process, by its mode. `null`: none within 8 days. */
  readonly modes: { readonly [Mode in MigrationMode]: number | null }
  /** First report of a process. */
  readonly sinceMs: number
  /** Last report that found an old record in use. `null`: none. */
  readonly lastReadAtMs: number | null
  /** Reads by outcome. */
  readonly reads: {
    /** Reads of the last hour. */
    readonly hour: ReadsByOutcome
    /** Reads of the last 24 hours. */
    readonly day: ReadsByOutcome
    /** Reads of the last 7 days. */
    readonly week: ReadsByOutcome
  }
  /** Literal prefix of the old keys. `null`: the origin has none. */
  readonly keyPrefix: string | null
  /** Number of old keys. `null`: not counted, because the origin has no key prefix. */
  readonly oldKeys: OldKeyCount | null
  /** The next step. */
  readonly next: NextStep
}

/** The result of `migrationStatus()`. */
export interface MigrationStatus {
  /** Origins that a process has reported within 8 days. Empty: no process uses an origin. */
  readonly origins: readonly OriginStatus[]
}

/** Options of `migrationStatus()`. */
export interface MigrationStatusOptions extends Pick<ScanOptions, 'signal' | 'seen'> {
  /** The servers of the old keys. Default: those of the store. */
  readonly old?: ScanContext
  /** Whether to scan all key names instead of a sample. Default false. */
  readonly exact?: boolean
}

type Context = ScanContext & { readonly store: { migrationReads(): Promise<ReadCountsDriver> } }

const SAMPLE = 20_000
const DAY_HOURS = 24
const WEEK_HOURS = 7 * DAY_HOURS

/**
 * Reads the counts of all processes, and counts the old keys with `SCAN`: all, or a sample, scaled up. Only reads.
 * @throws {RedisError} during an outage; `COATCHECK_REDIS_NOPERM` without the right to a command
 */
export async function migrationStatus(context: Context, options: MigrationStatusOptions): Promise<MigrationStatus> {
  const origins = await (await context.store.migrationReads()).read()
  const prefixes = origins.flatMap(({ keyPrefix }) => (keyPrefix === null ? [] : [keyPrefix]))
  const left = await countOldKeys(options.old ?? context, prefixes, options)
  const nowMs = context.clock.now()
  return {
    origins: origins.map((reads) => {
      const { origin, keyPrefix, modes, sinceMs, lastReadAtMs } = reads
      const oldKeys = keyPrefix === null ? null : (left.get(keyPrefix) ?? null)
      const mode = (modes.move ?? 0) > (modes.read ?? 0) ? 'move' : 'read'
      const windows = { hour: readsWithin(reads, 1, nowMs), day: readsWithin(reads, DAY_HOURS, nowMs) }
      return {
        ...{ origin, mode, modes, sinceMs, lastReadAtMs, keyPrefix, oldKeys },
        reads: { ...windows, week: readsWithin(reads, WEEK_HOURS, nowMs) },
        next: nextStep(reads, nowMs, oldKeys?.isExact === true && oldKeys.count === 0),
      }
    }),
  }
}

/** Counts are stored by the hour. For the first hour of the window, only the share within the window counts, rounded up. */
export function readsWithin({ hours }: OriginReads, windowHours: number, nowMs: number): ReadsByOutcome {
  const first = nowMs / HOUR_MS - windowHours
  const sums: { [Outcome in MigrationOutcome]?: number } = {}
  for (const { hour, outcome, count } of hours) {
    const share = Math.min(1, hour + 1 - first)
    if (share > 0) sums[outcome] = (sums[outcome] ?? 0) + Math.ceil(count * share)
  }
  return sums
}

/** Reads that found an old record in use. */
export function usedReads(reads: ReadsByOutcome): number {
  return [...USED_OUTCOMES].reduce((sum, outcome) => sum + (reads[outcome] ?? 0), 0)
}

/** @param hasNoKeys true if all old keys were counted and none exists */
export function nextStep(reads: OriginReads, nowMs: number, hasNoKeys = false): NextStep {
  const { modes, sinceMs, lastReadAtMs } = reads
  const isSeen = (atMs: number | null): boolean => atMs !== null && nowMs - atMs < PRESENT_MS
  if (isSeen(modes.read) && isSeen(modes.move)) return 'finish'
  const isQuiet = nowMs - Math.max(sinceMs, lastReadAtMs ?? 0) >= WEEK_HOURS * HOUR_MS
  if ((modes.move ?? 0) < (modes.read ?? 0)) {
    if (isQuiet) return 'remove'
    const isWatchedForADay = nowMs - sinceMs >= DAY_HOURS * HOUR_MS
    if (!isWatchedForADay || (readsWithin(reads, DAY_HOURS, nowMs).synced ?? 0) > 0) return 'stay'
    return lastReadAtMs === null ? 'check' : 'move'
  }
  if (isQuiet) return 'remove'
  if (lastReadAtMs === null) return 'check'
  return hasNoKeys ? 'remove' : 'wait'
}

async function countOldKeys(
  old: ScanContext,
  prefixes: readonly string[],
  { signal, seen, exact = false }: MigrationStatusOptions,
): Promise<ReadonlyMap<string, OldKeyCount>> {
  if (prefixes.length === 0) return new Map()
  const servers = Math.max(1, old.server.client.servers().length)
  const found = new Map(prefixes.map((prefix) => [prefix, 0]))
  const total = await keyCount(old.server)
  let scanned = 0
  const scan = { signal, ...(seen && { seen }), ...(!exact && { maxPerServer: Math.ceil(SAMPLE / servers) }) }
  for await (const step of scanKeys(old, scan)) {
    scanned += step.length
    for (const [prefix, count] of found) {
      const more = step.filter((name) => name.startsWith(prefix)).length
      found.set(prefix, count + more)
    }
  }
  const isExact = !signal.aborted && (exact || scanned >= total)
  const scale = isExact || scanned === 0 ? 1 : total / scanned
  return new Map([...found].map(([prefix, count]) => [prefix, { count: Math.round(count * scale), isExact }]))
}
