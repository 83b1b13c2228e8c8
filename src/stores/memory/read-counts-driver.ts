/** Read counts in the memory of the process, with the semantics of the Redis driver. */
import type { MemorySpace } from './space.ts'
import { type RedisKeys, redisKeys } from '../keys.ts'
import {
  COUNTS_KEPT_MS,
  hasUse,
  HOUR_MS,
  type HourCount,
  type KeyReport,
  type OriginReads,
  type ReadCountsDriver,
} from '../../migrate/read-counts-driver.ts'

const COUNT_BYTES = 64

export function createMemoryReadCountsDriver(
  space: MemorySpace,
  keys: Pick<RedisKeys, 'migrationReads'> = redisKeys(''),
): ReadCountsDriver {
  const key = keys.migrationReads()
  const stored = (): readonly OriginReads[] => space.get<readonly OriginReads[]>(key) ?? []

  // All methods are async, so that an error rejects as in the Redis driver.
  return {
    async add(batch) {
      const nowMs = space.clock.now()
      const before = stored().find(({ origin }) => origin === batch.origin)
      const hour = Math.floor(nowMs / HOUR_MS)
      const hours = [...(before?.hours ?? [])]
      for (const [outcome, count] of batch.counts) {
        const at = hours.findIndex((one) => one.hour === hour && one.outcome === outcome)
        const added: HourCount = { hour, outcome, count: (hours[at]?.count ?? 0) + count }
        hours.splice(at < 0 ? hours.length : at, at < 0 ? 0 : 1, added)
      }
      const after: OriginReads = {
        origin: batch.origin,
        keyPrefix: batch.keyPrefix,
        keyReports: withReport(before?.keyReports ?? [], batch.keyTags, nowMs),
        sinceMs: before?.sinceMs ?? nowMs,
        modes: { ...(before?.modes ?? { read: null, move: null }), [batch.mode]: nowMs },
        lastReadAtMs: hasUse(batch) ? nowMs : (before?.lastReadAtMs ?? null),
        hours: hours.sort((one, other) => one.hour - other.hour || one.outcome.localeCompare(other.outcome)),
      }
      const others = stored().filter(({ origin }) => origin !== batch.origin)
      const kept = [...others, after].flatMap((origin) => withinKept(origin, nowMs))
      const bytes = kept.reduce(
        (sum, { hours, keyReports }) => sum + (1 + hours.length + keyReports.length) * COUNT_BYTES,
        0,
      )
      space.put(
        key,
        kept.sort((one, other) => one.origin.localeCompare(other.origin)),
        bytes,
        COUNTS_KEPT_MS,
      )
      return Promise.resolve()
    },

    read: async () => Promise.resolve(stored()),
  }
}

/** Removes counts that are too old. Returns an empty list for an origin without recent reports. */
function withinKept(origin: OriginReads, nowMs: number): readonly OriginReads[] {
  const firstMs = nowMs - COUNTS_KEPT_MS
  const within = (atMs: number | null): number | null => (atMs !== null && atMs >= firstMs ? atMs : null)
  const modes = { read: within(origin.modes.read), move: within(origin.modes.move) }
  if (modes.read === null && modes.move === null) return []
  const hours = origin.hours.filter(({ hour }) => hour >= Math.floor(nowMs / HOUR_MS) - COUNTS_KEPT_MS / HOUR_MS)
  const keyReports = origin.keyReports.filter(({ lastMs }) => lastMs >= firstMs)
  return [{ ...origin, modes, keyReports, hours }]
}

/** Returns the reports with this one first. */
function withReport(reports: readonly KeyReport[], keyTags: readonly string[], lastMs: number): readonly KeyReport[] {
  if (keyTags.length === 0) return reports
  const others = reports.filter((report) => report.keyTags.join() !== keyTags.join())
  return [{ keyTags, lastMs }, ...others]
}
