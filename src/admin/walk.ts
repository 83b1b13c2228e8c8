/**
 * Looking at all keys of all servers, without anybody noticing: SCAN in small steps, never `KEYS`, and after each step a pause
 * that is a multiple of what the step took, so that a server that is busy is asked less. What is done with the keys of a step
 * counts as part of it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import type { RedisArgument, RedisReply, ServerPort } from '../redis/client-port.ts'
import type { StoreServer } from '../store.ts'

/** An operator can wait longer than a visitor. */
export const ADMIN_DEADLINE_MS = 5000
/** Some 50 µs of the server's time for names, and as much for each question about all of them. */
const KEYS_PER_STEP = 100
/** The server belongs to the application: of each second at most a quarter is ours. */
const PAUSE_PER_WORK = 3
const LONGEST_PAUSE_MS = 1000

/** What walking needs of a ground. */
export interface WalkGround {
  readonly server: StoreServer
  readonly clock: Clock
}

export interface WalkOptions {
  /** Ends the walk before its next step. */
  readonly signal: AbortSignal
  /** Only names that match, in the syntax of `SCAN MATCH`. Default: all. */
  readonly match?: string
  /** Stops at each server after so many keys. Default: at the end. */
  readonly mostPerServer?: number
  /** Called after each step with the number of keys scanned so far and the estimated total. */
  readonly seen?: (progress: WalkProgress) => void
}

export interface WalkProgress {
  readonly scanned: number
  /** Keys of all servers when the walk began. */
  readonly total: number
}

/** Names of a step. SCAN may show one twice while a table is being resized; within a step it comes once. */
export type Step = readonly string[]

/**
 * Yields names step by step. What is there from the beginning to the end is seen; what comes or goes meanwhile may be.
 * @throws {RedisError}
 */
export async function* walkKeys({ server, clock }: WalkGround, options: WalkOptions): AsyncGenerator<Step> {
  const { signal, match, mostPerServer = Infinity, seen } = options
  const total = await keyCount(server)
  let scanned = 0
  for (const one of server.client.servers()) {
    let ofThis = 0
    let cursor = '0'
    do {
      if (signal.aborted) return
      const begunMs = clock.monotonic()
      const [next, names] = await scan(one, cursor, match)
      cursor = next
      ofThis += names.length
      scanned += names.length
      if (names.length > 0) yield names
      seen?.({ scanned, total })
      await pause(clock.monotonic() - begunMs, signal)
    } while (cursor !== '0' && ofThis < mostPerServer)
  }
}

/** Keys of all servers, whosever they are. */
export async function keyCount({ client }: StoreServer): Promise<number> {
  const counts = await Promise.all(client.servers().map((one) => ask(one, ['DBSIZE'])))
  return counts.reduce((sum: number, count) => sum + Number(count), 0)
}

/** One command with the patience of an operator, to whoever holds the key. */
export function askFor({ client }: StoreServer, key: string, args: readonly RedisArgument[]): Promise<RedisReply> {
  return client.command(key, args, { deadlineMs: ADMIN_DEADLINE_MS })
}

export function ask(one: ServerPort, args: readonly RedisArgument[]): Promise<RedisReply> {
  return one.command('', args, { deadlineMs: ADMIN_DEADLINE_MS })
}

async function scan(one: ServerPort, cursor: string, match: string | undefined): Promise<[string, string[]]> {
  const matching = match === undefined ? [] : ['MATCH', match]
  const reply = await ask(one, ['SCAN', cursor, ...matching, 'COUNT', String(KEYS_PER_STEP)])
  const [next, names] = reply as [Buffer, readonly Buffer[]]
  return [next.toString(), [...new Set(names.map((name) => name.toString()))]]
}

async function pause(workMs: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(LONGEST_PAUSE_MS, Math.max(1, workMs * PAUSE_PER_WORK))
  await sleep(ms, null, { signal }).catch(() => undefined)
}
