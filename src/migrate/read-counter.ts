/**
 * Counts the reads of one origin in this process, and adds them to the shared counts once a minute. A request never waits for a report. After
 * a failed report, the next report includes its counts. If the process ends before that, they are lost.
 */
import type { MigrationOutcome } from '../core/event-map.ts'
import type { EventBus } from '../core/events.ts'
import { isCoatcheckError } from '../core/errors.ts'
import type { MigrationMode } from './migration-mode.ts'
import type { ReadCountsDriver } from './read-counts-driver.ts'

export interface CountedOrigin {
  readonly name: string
  readonly mode: MigrationMode
  /** Literal beginning of the old keys. `null`: the origin has none. */
  readonly keyPrefix: string | null
  /** Tags of the encryption keys of this process. */
  readonly keyTags: readonly string[]
  /** Further names in events. */
  readonly variants?: readonly string[]
  /** Which outcomes are counted. Absent: all. */
  readonly outcomes?: ReadonlySet<MigrationOutcome>
}

export interface ReadCounter {
  /** Stops counting and reports once more. Never rejects. */
  close(): Promise<void>
}

/** The first report comes soon after the start, so that operators see the origin. */
const FIRST_REPORT_MS = 5000
const REPORT_MS = 60_000
/** Without reads, the origin is still reported as in use: its counts are kept for 8 days after the last report. */
const QUIET_REPORTS = 60
const ORIGIN_LETTERS = /[^\w.-]/g
const ORIGIN_LENGTH = 40

/**
 * Starts counting. The timer keeps no process alive.
 * @param open the driver; called at the first report
 */
export function startReadCounter(
  origin: CountedOrigin,
  events: EventBus,
  open: () => Promise<ReadCountsDriver>,
  schedule: (run: () => void, delayMs: number) => () => void = later,
): ReadCounter {
  const name = nameInCounts(origin.name)
  const names = new Set([origin.name, ...(origin.variants ?? [])])
  let counts = new Map<MigrationOutcome, number>()
  let quiet = QUIET_REPORTS
  let reporting: Promise<void> = Promise.resolve()
  const stop = events.on('migration.read', (event) => {
    if (!names.has(event.origin) || origin.outcomes?.has(event.outcome) === false) return
    counts.set(event.outcome, (counts.get(event.outcome) ?? 0) + 1)
  })

  const report = async (): Promise<void> => {
    if (counts.size === 0 && ++quiet < QUIET_REPORTS) return
    const sent = counts
    counts = new Map()
    try {
      const { mode, keyPrefix, keyTags } = origin
      await (await open()).add({ origin: name, mode, keyPrefix, keyTags, counts: sent })
      quiet = 0
    } catch (error) {
      // One entry for each outcome, so an outage of any length needs no more memory.
      for (const [outcome, count] of sent) counts.set(outcome, (counts.get(outcome) ?? 0) + count)
      quiet = QUIET_REPORTS
      const code = isCoatcheckError(error) ? error.code : 'unknown'
      events.emit('error', { code, operation: 'migration.count' })
    }
  }
  const reportNext = (): void => {
    reporting = reporting.then(report)
    cancel = schedule(reportNext, REPORT_MS)
  }
  let cancel = schedule(reportNext, FIRST_REPORT_MS)

  return {
    async close() {
      cancel()
      stop()
      await reporting
      await report()
    },
  }
}

/** Returns the name of an origin as the counts store it. The application configures the name, so it may contain any character. */
function nameInCounts(name: string): string {
  return name.replace(ORIGIN_LETTERS, '_').slice(0, ORIGIN_LENGTH)
}

function later(run: () => void, delayMs: number): () => void {
  const timer = setTimeout(run, delayMs).unref()
  return () => clearTimeout(timer)
}
