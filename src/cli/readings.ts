/** Reads the servers repeatedly, for `stats --watch` and `top`. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Activity,
  activityBetween,
  readServers,
  type ServerContext,
  type ServerReadings,
} from '../entries/admin.ts'

export interface Reading {
  readonly before: ServerReadings
  readonly now: ServerReadings
  readonly activity: Activity
}

/**
 * Yields one reading per interval until the signal, or until `count` readings.
 * @throws {RedisError}
 */
export async function* readings(
  { server, clock }: ServerContext,
  { signal, interval, count }: { readonly signal: AbortSignal; readonly interval: number; readonly count: number },
): AsyncGenerator<Reading> {
  let before = await readServers(server, clock.now())
  for (let done = 0; done < count && !signal.aborted; done++) {
    const isUndisturbed = await sleep(interval * 1000, true, { signal }).catch(() => false)
    if (!isUndisturbed) return
    const now = await readServers(server, clock.now())
    yield { before, now, activity: activityBetween(before, now) }
    before = now
  }
}
