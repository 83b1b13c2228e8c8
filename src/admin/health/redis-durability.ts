/** Checks whether writes survive a failure: append-only file, snapshots, replicas, compared with the option `durability`. */
import type { Durability } from '../../redis/durable-writes.ts'
import type { HealthNotes } from './health-report.ts'
import type { ServerInfo, ServerReport } from './server-info.ts'

/** @returns false if the server cannot write to its disk */
export function checkDurability(
  notes: HealthNotes,
  { info, server }: ServerReport,
  wanted: Durability | null,
): boolean {
  if (info === null) return true
  const online = info.all('slave').filter(([name, value]) => /^slave\d+$/.test(name) && value.includes('state=online'))
  const replicas = `${online.length} ${online.length === 1 ? 'replica' : 'replicas'} online`
  if (wanted !== null && online.length < wanted.replicas) {
    notes.found('DOCTOR_REPLICAS_MISSING', 'Replicas', `${replicas}, durability wants ${wanted.replicas}`, server)
  } else if (wanted !== null) notes.ok('Replicas', `${replicas}, durability wants ${wanted.replicas}`, server)
  const isAppending = info.number('aof_enabled') === 1
  const failed = failedWrites(info)
  if (failed.length > 0) notes.found('DOCTOR_SAVE_FAILED', 'Persistence', failed.join(', '), server)
  else if (!isAppending && online.length === 0) {
    notes.found('DOCTOR_NO_PERSISTENCE', 'Persistence', 'appendonly no, no replica', server)
  } else notes.ok('Persistence', `appendonly ${isAppending ? 'yes' : 'no'}, ${replicas}`, server)
  return failed.length === 0
}

function failedWrites(info: ServerInfo): string[] {
  return ['rdb_last_bgsave_status', 'aof_last_write_status', 'aof_last_bgrewrite_status']
    .filter((name) => (info.text(name) ?? 'ok') !== 'ok')
    .map((name) => `${name} is ${info.text(name) ?? ''}`)
}
