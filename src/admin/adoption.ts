/**
 * Adopts all records of another library at once, while the application runs. Each record is adopted in the same steps as by a request, so
 * requests and this run do not disturb each other. The run stores no progress: it recognizes adopted records. An interrupted run therefore
 * continues when it is run again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isCoatcheckError } from '../core/errors.ts'
import type { MigrationOutcome } from '../core/event-map.ts'
import type { Events } from '../core/events.ts'
import type { MigrationMode } from '../migrate/migration-mode.ts'
import type { OldRecord, OldRecordDriver } from '../migrate/old-record-driver.ts'
import { keyNameReader } from '../stores/key-names.ts'
import { Lanes } from './lanes.ts'
import { type ScanContext, scanKeys, type ScanOptions, type ScanProgress } from './scan.ts'

/** The parts of an origin that a run uses. */
export interface BulkOrigin {
  /** Name of the origin, such as `connect-redis`. */
  readonly name: string
  /** `move`: the run removes old keys. */
  readonly mode: MigrationMode
  /** Literal prefix of the old keys. Empty: any key may be one. */
  readonly keyPrefix: string
  /**
   * Returns the family of a key in readable form, such as `sess:*`. `null`: the key does not belong to this origin, or is an index of it.
   */
  familyOf(key: string): string | null
  /** Whether the value can be adopted. */
  isReadable(key: string, record: OldRecord): boolean
  /** Expiry time that the value contains, epoch milliseconds. `null`: it contains none. */
  endOf(key: string, record: OldRecord): number | null
  /**
   * Adopts the record, unless that already happened. Safe to repeat, and safe while requests run.
   * @returns whether a Coatcheck record exists now
   * @throws {RedisError}
   */
  adopt(key: string): Promise<boolean>
}

/** Old keys by their remaining life: their TTL, or an earlier expiry time in the value. */
export interface LifeCounts {
  /** Keys without a TTL, whose value contains no expiry time either. */
  readonly none: number
  /** Keys that end within an hour. */
  readonly underHour: number
  /** Keys that end within a day, and not within an hour. */
  readonly underDay: number
  /** Keys that end within 7 days, and not within a day. */
  readonly underWeek: number
  /** Keys that end later. */
  readonly longer: number
}

/** Old keys of one family. */
export interface FamilySurvey {
  /** Such as `sess:*`. */
  readonly family: string
  /** Number of keys. */
  readonly keys: number
  /** The keys by their remaining TTL. */
  readonly lives: LifeCounts
  /** Number of values that cannot be read as a record of the origin. They stay as they are. */
  readonly unreadable: number
}

/** The result of `surveyOldRecords()`. */
export interface OldRecordSurvey {
  /** Name of the origin. */
  readonly origin: string
  /** Old keys by family, sorted by name. Empty: there are none. */
  readonly families: readonly FamilySurvey[]
  /** Whether all keys were examined. False after an abort. */
  readonly isWhole: boolean
}

/** The result of `adoptOldRecords()`. */
export interface AdoptionReport {
  /** Name of the origin. */
  readonly origin: string
  /** Number of old keys that were examined. */
  readonly keys: number
  /** Number of keys by outcome, as in the event `migration.read`. Outcomes without a key are left out. */
  readonly outcomes: { readonly [Outcome in MigrationOutcome]?: number }
  /** Whether all keys were examined. False after an abort: run it again to continue. */
  readonly isDone: boolean
}

/** Progress of a run. */
export interface AdoptionProgress extends ScanProgress {
  /** Old keys so far. */
  readonly keys: number
}

/** Options of `surveyOldRecords()` and `adoptOldRecords()`. */
export interface AdoptionOptions extends Pick<ScanOptions, 'signal'> {
  /** Called after each step of the scan. */
  readonly seen?: (progress: AdoptionProgress) => void
}

/** The servers of the old keys. */
export interface OldContext extends ScanContext {
  /** Reads and removes old records. */
  readonly records: OldRecordDriver
  /** Prefix of Coatcheck's keys on these servers, which are not old keys. `null`: there are none. */
  readonly ownPrefix: string | null
}

const HOUR_MS = 3_600_000
const ATTEMPTS = 8
/** Longer than a request needs to adopt a record. */
const REMAINING_MS = 5000
const MAX_REMAINING = 10_000
const FIRST_RETRY_MS = 100

/**
 * Examines the old records and changes nothing: number of keys, their TTLs, unreadable values. Never shows a value.
 * @throws {RedisError} during an outage
 */
export async function surveyOldRecords(
  context: OldContext,
  origin: Omit<BulkOrigin, 'adopt'>,
  options: AdoptionOptions,
): Promise<OldRecordSurvey> {
  const families = new Map<string, FamilySurvey>()
  await forEachOldKey(context, origin, options, async (key, family) => {
    const record = await context.records.read(key)
    if (record === null) return
    const life = lifeOf(record, origin.endOf(key, record), context.clock.now())
    const before = families.get(family) ?? { family, keys: 0, lives: NO_LIVES, unreadable: 0 }
    families.set(family, {
      family,
      keys: before.keys + 1,
      lives: { ...before.lives, [life]: before.lives[life] + 1 },
      unreadable: before.unreadable + (origin.isReadable(key, record) ? 0 : 1),
    })
  })
  const sorted = [...families.values()].sort((one, other) => one.family.localeCompare(other.family))
  return { origin: origin.name, families: sorted, isWhole: !options.signal.aborted }
}

/**
 * Adopts every old record that was not adopted yet.
 * @param events receives `migration.read` of the origin
 * @throws {RedisError} during a lasting outage. Adopted records stay adopted.
 */
export async function adoptOldRecords(
  context: OldContext,
  origin: BulkOrigin,
  events: Pick<Events, 'on'>,
  options: AdoptionOptions,
): Promise<AdoptionReport> {
  const outcomes: { [Outcome in MigrationOutcome]?: number } = {}
  const stop = events.on('migration.read', ({ outcome }) => {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  })
  const remaining: string[] = []
  try {
    const keys = await forEachOldKey(context, origin, options, async (key) => {
      const isOurs = await origin.adopt(key)
      if (!isOurs || origin.mode !== 'move' || remaining.length === MAX_REMAINING) return
      if ((await context.records.read(key)) !== null) remaining.push(key)
    })
    if (remaining.length > 0) await removeRemaining(context, origin, remaining, options.signal)
    return { origin: origin.name, keys, outcomes, isDone: !options.signal.aborted }
  } finally {
    stop()
  }
}

/**
 * Removes old keys that still exist next to the complete Coatcheck record, because an old process wrote them late. A request that adopts
 * the same record merges such a write first. So the run waits as long as a request takes before it removes the keys.
 */
async function removeRemaining(
  { records }: OldContext,
  origin: BulkOrigin,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await sleep(REMAINING_MS, null, { signal }).catch(() => undefined)
  for (const key of keys) {
    if (signal.aborted) return
    await patiently(signal, async () => {
      const before = await records.read(key)
      if (before === null || !(await origin.adopt(key)) || !origin.isReadable(key, before)) return
      await records.remove(key, before.text)
    })
  }
}

/**
 * Does the work for every old key, on a few keys at once and with pauses. A key that Redis shows twice is worked on twice.
 * @returns the number of old keys
 */
export async function forEachOldKey(
  context: OldContext,
  origin: Omit<BulkOrigin, 'adopt'>,
  { signal, seen }: AdoptionOptions,
  work: (key: string, family: string) => Promise<void>,
): Promise<number> {
  const lanes = new Lanes(context.clock)
  const isOurs = context.ownPrefix === null ? () => false : ownKeys(context.ownPrefix)
  const match = origin.keyPrefix === '' ? {} : { match: `${origin.keyPrefix.replace(/[\\*?[\]]/g, '\\$&')}*` }
  let keys = 0
  const progress = (scan: ScanProgress): void => seen?.({ ...scan, keys })
  const pausePerWork = (): number => lanes.pausePerWork
  for await (const step of scanKeys(context, { signal, strings: true, ...match, pausePerWork, seen: progress })) {
    const found = step.flatMap((key) => {
      const family = isOurs(key) ? null : origin.familyOf(key)
      return family === null ? [] : [{ key, family }]
    })
    await lanes.run(found, ({ key, family }) => patiently(signal, () => work(key, family)))
    keys += found.length
  }
  return keys
}

/** A busy server may miss a deadline. Every step is safe to repeat. */
async function patiently(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work()
      return
    } catch (error) {
      if (!isCoatcheckError(error) || !error.retryable || attempt === ATTEMPTS || signal.aborted) throw error
      await sleep(FIRST_RETRY_MS * 2 ** (attempt - 1), null, { signal }).catch(() => undefined)
    }
  }
}

function ownKeys(prefix: string): (key: string) => boolean {
  const read = keyNameReader(prefix)
  return (key) => read(key) !== null
}

const NO_LIVES: LifeCounts = { none: 0, underHour: 0, underDay: 0, underWeek: 0, longer: 0 }

/** @param endMs expiry time that the value contains */
function lifeOf({ ttlMs }: OldRecord, endMs: number | null, nowMs: number): keyof LifeCounts {
  const lifeMs = Math.min(ttlMs ?? Number.POSITIVE_INFINITY, endMs === null ? Number.POSITIVE_INFINITY : endMs - nowMs)
  if (lifeMs === Number.POSITIVE_INFINITY) return 'none'
  if (lifeMs < HOUR_MS) return 'underHour'
  if (lifeMs < 24 * HOUR_MS) return 'underDay'
  return lifeMs < 7 * 24 * HOUR_MS ? 'underWeek' : 'longer'
}
