/**
 * Scans all keys of all servers without slowing the application down. Each step is one small `SCAN`, never `KEYS`. After each step the scan
 * pauses for a multiple of the time that the step took, so a busy server gets fewer steps. The caller's work on the keys of a step counts
 * as part of the step.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import type { RedisArgument, RedisReply, ServerPort } from '../redis/client-port.ts'
import type { StoreServer } from '../stores/redis/operator-view.ts'

/** An operator can wait longer than a visitor. */
export const ADMIN_DEADLINE_MS = 5000
/** Names take some 50 µs of the server's time, and each command about all of them takes as much. */
const KEYS_PER_STEP = 100
/** The server belongs to the application: a scan uses at most a quarter of each second. */
const PAUSE_PER_WORK = 3
const MAX_PAUSE_MS = 1000

/** The part of an admin context that a scan needs. */
export interface ScanContext {
  /** The servers. */
  readonly server: StoreServer
  /** Source of the current time. */
  readonly clock: Clock
}

export interface ScanOptions {
  /** Ends the scan before its next step. */
  readonly signal: AbortSignal
  /** Only names that match, in the syntax of `SCAN MATCH`. Default: all. */
  readonly match?: string
  /** Only strings. Default false: keys of every type. */
  readonly strings?: boolean
  /** Returns the pause after each step, as a multiple of the step's duration. Called before each pause. Default 3. */
  readonly pausePerWork?: () => number
  /** Stops at each server after this number of keys. Default: at the end. */
  readonly maxPerServer?: number
  /** Called after each step with the number of keys scanned so far and the estimated total. */
  readonly seen?: (progress: ScanProgress) => void
}

export interface ScanProgress {
  /** Keys so far. */
  readonly scanned: number
  /** Keys of all servers when the scan began. */
  readonly total: number
  /** Share of the scan that is done, 0 to 1; an estimate. */
  readonly share: number
}

/** Names of one step. SCAN may return a name twice while a table is being resized; within a step it appears once. */
export type Step = readonly string[]

/**
 * Yields names step by step. A key that exists during the whole scan is seen. A key that appears or disappears meanwhile may be seen.
 * @throws {RedisError}
 */
export async function* scanKeys({ server, clock }: ScanContext, options: ScanOptions): AsyncGenerator<Step> {
  const { signal, maxPerServer = Infinity, pausePerWork = () => PAUSE_PER_WORK, seen } = options
  const total = await keyCount(server)
  let scanned = 0
  const servers = server.client.servers()
  for (const [index, one] of servers.entries()) {
    let ofThis = 0
    let cursor = '0'
    do {
      if (signal.aborted) return
      const begunMs = clock.monotonic()
      const [next, names] = await scan(one, cursor, options)
      cursor = next
      ofThis += names.length
      scanned += names.length
      if (names.length > 0) yield names
      const within = server.client.isSharded ? Math.min(1, (scanned * servers.length) / total - index) : shareOf(cursor)
      seen?.({ scanned, total, share: Math.max(0, (index + within) / servers.length) })
      await pause((clock.monotonic() - begunMs) * pausePerWork(), signal)
    } while (cursor !== '0' && ofThis < maxPerServer)
  }
}

/** Number of keys on all servers, those of other applications included. */
export async function keyCount({ client }: StoreServer): Promise<number> {
  const counts = await Promise.all(client.servers().map((one) => ask(one, ['DBSIZE'])))
  return counts.reduce((sum: number, count) => sum + Number(count), 0)
}

/** Sends one command, with the deadline of an operator, to the server that holds the key. */
export function askFor({ client }: StoreServer, key: string, args: readonly RedisArgument[]): Promise<RedisReply> {
  return client.command(key, args, { deadlineMs: ADMIN_DEADLINE_MS })
}

export function ask(one: ServerPort, args: readonly RedisArgument[]): Promise<RedisReply> {
  return one.command('', args, { deadlineMs: ADMIN_DEADLINE_MS })
}

/**
 * The cursor of `SCAN` counts through the slots of the table with reversed bits: the lowest bit is the most significant one (dict.c,
 * dictScan). So it shows how much of the table was scanned. 0: all.
 */
function shareOf(cursor: string): number {
  if (cursor === '0') return 1
  let share = 0
  let weight = 0.5
  for (let bits = BigInt(cursor); bits > 0n; bits >>= 1n, weight /= 2) if ((bits & 1n) === 1n) share += weight
  return share
}

async function scan(
  one: ServerPort,
  cursor: string,
  { match, strings = false }: ScanOptions,
): Promise<[string, string[]]> {
  const matching = [...(match === undefined ? [] : ['MATCH', match]), ...(strings ? ['TYPE', 'string'] : [])]
  const reply = await ask(one, ['SCAN', cursor, ...matching, 'COUNT', String(KEYS_PER_STEP)])
  const [next, names] = reply as [Buffer, readonly Buffer[]]
  return [next.toString(), [...new Set(names.map((name) => name.toString()))]]
}

async function pause(wantedMs: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(MAX_PAUSE_MS, Math.max(1, wantedMs))
  await sleep(ms, null, { signal }).catch(() => undefined)
}
