/** Read counts on Redis: one hash, `RedisKeys.migrationReads`. scripts/read-counts.ts describes the fields. */
import type { MigrationOutcome } from '../../core/event-map.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../keys.ts'
import { createScriptRunner } from '../../redis/script-runner.ts'
import { ADD_READS } from './scripts/read-counts.ts'
import type { MigrationMode } from '../../migrate/migration-mode.ts'
import {
  COUNTS_KEPT_MS,
  hasUse,
  type HourCount,
  type KeyReport,
  type OriginReads,
  type ReadCountsDriver,
} from '../../migrate/read-counts-driver.ts'

export function createRedisReadCountsDriver(
  client: RedisClientPort,
  keys: Pick<RedisKeys, 'migrationReads'>,
  { timeOffsetMs = () => 0 }: { readonly timeOffsetMs?: () => number } = {},
): ReadCountsDriver {
  const run = createScriptRunner(client, timeOffsetMs)
  const key = keys.migrationReads()
  return {
    async add(batch) {
      const { origin, mode, keyPrefix, keyTags, counts } = batch
      const pairs = [...counts].flatMap(([outcome, count]) => [outcome, String(count)])
      const facts = [origin, mode, keyPrefix ?? '', hasUse(batch) ? '1' : '0', keyTags.join(',')]
      await run.inTime(ADD_READS, [key], [String(COUNTS_KEPT_MS), ...facts, ...pairs])
    },

    async read() {
      const flat = (await client.command(key, ['HGETALL', key])) as readonly Buffer[]
      const fields = new Map<string, string>()
      for (let i = 0; i + 1 < flat.length; i += 2) fields.set(String(flat[i]), String(flat[i + 1]))
      return originsIn(fields)
    },
  }
}

function originsIn(fields: ReadonlyMap<string, string>): readonly OriginReads[] {
  const time = (name: string): number | null => (fields.has(name) ? Number(fields.get(name)) : null)
  const names = [...fields.keys()].filter((name) => name.startsWith('since|')).map((name) => name.slice(6))
  return names.sort().map((origin) => {
    const prefix = fields.get(`prefix|${origin}`) ?? ''
    const seen = (mode: MigrationMode): number | null => time(`mode|${origin}|${mode}`)
    return {
      origin,
      keyPrefix: prefix === '' ? null : prefix,
      keyReports: keyReportsOf(fields, origin),
      sinceMs: Number(fields.get(`since|${origin}`)),
      modes: { read: seen('read'), move: seen('move') },
      lastReadAtMs: time(`read|${origin}`),
      hours: hoursOf(fields, origin),
    }
  })
}

function keyReportsOf(fields: ReadonlyMap<string, string>, origin: string): readonly KeyReport[] {
  const beginning = `keys|${origin}|`
  return [...fields]
    .filter(([name]) => name.startsWith(beginning))
    .map(([name, stamp]) => ({ keyTags: name.slice(beginning.length).split(','), lastMs: Number(stamp) }))
    .sort((one, other) => other.lastMs - one.lastMs)
}

function hoursOf(fields: ReadonlyMap<string, string>, origin: string): readonly HourCount[] {
  const beginning = `count|${origin}|`
  return [...fields]
    .filter(([name]) => name.startsWith(beginning))
    .map(([name, count]) => {
      const [outcome, hour] = name.slice(beginning.length).split('|')
      return { outcome: outcome as MigrationOutcome, hour: Number(hour), count: Number(count) }
    })
    .sort((one, other) => one.hour - other.hour || one.outcome.localeCompare(other.outcome))
}
