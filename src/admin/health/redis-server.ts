/** Checks a server: version, role, single server or cluster node, latency, and clock. */
import type { Clock } from '../../core/clock.ts'
import { RedisError } from '../../core/errors.ts'
import type { RedisReply } from '../../redis/client-port.ts'
import { measureLatency } from '../latency.ts'
import type { HealthNotes } from './health-report.ts'
import { ifAllowed, type ServerInfo, type ServerReport } from './server-info.ts'

const PINGS = 25
const OLDEST = [6, 2] as const
/** The patch number of a release candidate starts here (7.0.240 before 7.2.0). Unstable builds are 255.255.255. */
const PRERELEASE_FROM = 200
const SKEW_MS = 2000
const WRONG_MS = 30_000

interface Given {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** True for a client that connects to each node of a cluster. */
  readonly isSharded: boolean
}

/** @returns whether the server accepts writes */
export async function checkServer(notes: HealthNotes, report: ServerReport, given: Given): Promise<boolean> {
  const { port, server, info } = report
  if ((await ifAllowed(port, ['PING'])) !== null) {
    const { p50Ms, p99Ms, count } = await measureLatency(port, given.clock, { count: PINGS, signal: given.signal })
    if (count > 0)
      notes.ok('Reachable', `PING ${p50Ms.toFixed(1)} ms (p99 of ${count}: ${p99Ms.toFixed(1)} ms)`, server)
  }
  await checkClock(notes, report, given.clock)
  if (info === null) {
    notes.skipped('INFO', 'not allowed: version, memory, persistence and replicas cannot be looked at (+info)', server)
    return true
  }
  checkVersion(notes, info, server)
  return checkRole(notes, info, server, given.isSharded)
}

function checkVersion(notes: HealthNotes, info: ServerInfo, server: string | null): void {
  const valkey = info.text('valkey_version')
  const version = info.text('redis_version')
  if (version === null) {
    notes.skipped('Version', 'the server does not say it', server)
    return
  }
  const says = `${valkey === null ? `Redis ${version}` : `Valkey ${valkey}`}, ${info.text('redis_mode') ?? 'standalone'}`
  const code = findingOfVersion(version)
  if (code === null) notes.ok('Version', says, server)
  else notes.found(code, 'Version', says, server)
}

/** @param version `redis_version`. Valkey reports the compatible Redis version there */
export function findingOfVersion(version: string): 'DOCTOR_REDIS_VERSION' | 'DOCTOR_REDIS_PRERELEASE' | null {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) return 'DOCTOR_REDIS_VERSION'
  return patch >= PRERELEASE_FROM ? 'DOCTOR_REDIS_PRERELEASE' : null
}

function checkRole(notes: HealthNotes, info: ServerInfo, server: string | null, isSharded: boolean): boolean {
  if (info.text('role') === 'slave') {
    notes.failed(
      'Role',
      new RedisError('COATCHECK_REDIS_READONLY', { message: 'The server is a replica: INFO says role:slave.' }),
      server,
    )
    return false
  }
  if (info.number('loading') === 1) {
    notes.failed('Role', new RedisError('COATCHECK_REDIS_LOADING'), server)
    return false
  }
  if (info.number('cluster_enabled') === 1 && !isSharded) {
    notes.found('DOCTOR_CLUSTER_AS_SINGLE', 'Role', 'cluster_enabled is 1', server)
    return false
  }
  return true
}

async function checkClock(notes: HealthNotes, { port, server }: ServerReport, clock: Clock): Promise<void> {
  const before = clock.now()
  const reply = await ifAllowed(port, ['TIME'])
  if (reply === null) {
    notes.skipped('Clock', 'TIME is not allowed', server)
    return
  }
  const aheadMs = timeOf(reply) - (before + clock.now()) / 2
  const says = `Redis is ${durationText(Math.abs(aheadMs))} ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine`
  if (Math.abs(aheadMs) > WRONG_MS) notes.found('DOCTOR_CLOCK_WRONG', 'Clock', says, server)
  else if (Math.abs(aheadMs) > SKEW_MS) notes.found('DOCTOR_CLOCK_SKEW', 'Clock', says, server)
  else notes.ok('Clock', says, server)
}

function timeOf(reply: RedisReply): number {
  const [seconds, microseconds] = reply as readonly Buffer[]
  return Number(String(seconds)) * 1000 + Number(String(microseconds)) / 1000
}

function durationText(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** Checks whether the near cache would receive changes from this server. */
export async function checkTracking(notes: HealthNotes, { port, server }: ServerReport): Promise<void> {
  // Tests the right and the command, and changes nothing.
  const reply = await ifAllowed(port, ['CLIENT', 'TRACKING', 'OFF'])
  if (reply === null) notes.found('DOCTOR_TRACKING_REFUSED', 'Near cache', 'CLIENT TRACKING is refused', server)
  else notes.ok('Near cache', 'CLIENT TRACKING is allowed', server)
}
