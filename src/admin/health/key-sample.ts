/**
 * Samples the keys on the servers: some thousand keys by `SCAN`, in small steps, limited in number and time. The key names are examined but
 * never shown, because they may belong to other applications.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../core/clock.ts'
import type { RedisReply, ServerPort } from '../../redis/client-port.ts'
import { CHECK_DEADLINE_MS } from './server-info.ts'

const SCANNED_PER_STEP = 250
const MAX_KEYS = 5000
const MAX_SCAN_MS = 5000
/** Pause between two steps, so that the server can serve other clients. */
const PAUSE_MS = 2

export interface SampledKey {
  /** As latin1 bytes if it is not text: names of other applications can be anything. */
  readonly name: string
  readonly port: ServerPort
}

export interface KeySample {
  readonly keys: readonly SampledKey[]
  /** Whether all keys were examined. */
  readonly isWhole: boolean
}

/** @throws {RedisError} */
export async function sampleKeys(
  port: ServerPort,
  clock: Clock,
  signal: AbortSignal,
  seen: (count: number) => void,
): Promise<KeySample> {
  const names = new Set<string>()
  const end = clock.monotonic() + MAX_SCAN_MS
  let cursor = '0'
  do {
    const args = ['SCAN', cursor, 'COUNT', String(SCANNED_PER_STEP)]
    const [next, found] = (await port.command('', args, { deadlineMs: CHECK_DEADLINE_MS })) as [
      Buffer,
      readonly RedisReply[],
    ]
    cursor = String(next)
    for (const name of found) names.add(String(name))
    seen(names.size)
    await sleep(PAUSE_MS)
  } while (cursor !== '0' && names.size < MAX_KEYS && clock.monotonic() < end && !signal.aborted)
  return { keys: [...names].map((name) => ({ name, port })), isWhole: cursor === '0' }
}

/** Runs the calls in portions, so that the connection stays free for other commands. Passes on the first rejection. */
export async function inPortions<Item, Answer>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (let at = 0; at < items.length; at += 100) {
    answers.push(...(await Promise.all(items.slice(at, at + 100).map(ask))))
  }
  return answers
}
