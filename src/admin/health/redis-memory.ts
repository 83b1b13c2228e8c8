/**
 * Checks whether Redis keeps its data: eviction policy, evictions so far, refused writes, free memory and the time until it is full. It
 * only uses `INFO`, which managed services allow even if they forbid `CONFIG`.
 */
import { counted } from '../../core/counted.ts'
import type { HealthNotes } from './health-report.ts'
import type { ServerInfo, ServerReport } from './server-info.ts'

const LOW = 0.75
const FULL = 0.95
const HOUR_MS = 3_600_000
const LOW_MS = 24 * HOUR_MS
const FULL_MS = 2 * HOUR_MS
/** A shorter measurement says more about the last minute than about the next day. */
const SHORTEST_BASE_MS = 10 * 60_000
const REFUSALS = ['OOM', 'MISCONF', 'NOREPLICAS', 'BUSY'] as const

/** Used memory at an earlier examination; see `canaries.ts`. */
export interface EarlierMemory {
  readonly atMs: number
  readonly usedBytes: number
}

/** @returns false if the memory is full */
export function checkMemory(
  notes: HealthNotes,
  { info, server }: ServerReport,
  earlier: EarlierMemory | null,
  nowMs: number,
): boolean {
  if (info === null) return true
  checkEviction(notes, info, server)
  const hasRoom = checkRoom(notes, info, server, earlier, nowMs)
  const refused = REFUSALS.flatMap((name) => {
    const count = Number(/count=(\d+)/.exec(info.text(`errorstat_${name}`) ?? '')?.[1] ?? 0)
    return count > 0 ? [`${name} ${count.toLocaleString('en')}`] : []
  })
  if (refused.length > 0) notes.found('DOCTOR_WRITES_REFUSED', 'Refused writes', refused.join(', '), server)
  return hasRoom
}

function checkEviction(notes: HealthNotes, info: ServerInfo, server: string | null): void {
  const policy = info.text('maxmemory_policy')
  if (policy === null) {
    notes.skipped('Eviction policy', 'the server does not say it', server)
    return
  }
  const evicted = info.number('evicted_keys') ?? 0
  if (policy.startsWith('allkeys')) notes.found('DOCTOR_EVICTION_POLICY', 'Eviction policy', policy, server)
  else if (policy.startsWith('volatile')) notes.found('DOCTOR_EVICTION_VOLATILE', 'Eviction policy', policy, server)
  else notes.ok('Eviction policy', policy, server)
  if (evicted === 0) return
  const uptimeMs = (info.number('uptime_in_seconds') ?? 0) * 1000
  const says = `${counted(evicted, 'key')} in the ${inTime(uptimeMs)} since it was started`
  notes.found(policy === 'noeviction' ? 'DOCTOR_EVICTION_PAST' : 'DOCTOR_EVICTION_BEGUN', 'Evicted', says, server)
}

function checkRoom(
  notes: HealthNotes,
  info: ServerInfo,
  server: string | null,
  earlier: EarlierMemory | null,
  nowMs: number,
): boolean {
  const used = info.number('used_memory')
  const limit = info.number('maxmemory')
  if (used === null || limit === null) {
    notes.skipped('Memory', 'the server does not say it', server)
    return true
  }
  if (limit === 0) {
    notes.found('DOCTOR_MEMORY_UNLIMITED', 'Memory', `${inUnits(used)} used, maxmemory is 0`, server)
    return true
  }
  const share = used / limit
  const fullInMs = timeUntilFull(used, limit, earlier, nowMs)
  const forecast = fullInMs === null ? '' : `; at the rate since the last look full in ${inTime(fullInMs)}`
  const says = `${Math.round(share * 100)} % of ${inUnits(limit)}${forecast}`
  const isFull = share >= FULL || (fullInMs !== null && fullInMs < FULL_MS)
  if (isFull) notes.found('DOCTOR_MEMORY_FULL', 'Memory', says, server)
  else if (share >= LOW || (fullInMs !== null && fullInMs < LOW_MS))
    notes.found('DOCTOR_MEMORY_LOW', 'Memory', says, server)
  else notes.ok('Memory', says, server)
  return !isFull
}

/** `null` if the memory does not grow, or the growth is unknown. */
function timeUntilFull(used: number, limit: number, earlier: EarlierMemory | null, nowMs: number): number | null {
  if (earlier === null || nowMs - earlier.atMs < SHORTEST_BASE_MS || used <= earlier.usedBytes) return null
  return ((limit - used) * (nowMs - earlier.atMs)) / (used - earlier.usedBytes)
}

function inUnits(bytes: number): string {
  const gibibytes = bytes / 2 ** 30
  return gibibytes >= 1 ? `${gibibytes.toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

function inTime(ms: number): string {
  const hours = Math.max(0, ms) / HOUR_MS
  return hours < 48 ? `${hours.toFixed(1)} hours` : counted(hours / 24, 'day')
}
