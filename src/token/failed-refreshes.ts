/**
 * Failed refreshes, remembered briefly in this process: a storm of callers must not become a storm of requests, and a
 * provider's `Retry-After` holds for all of them. A failure belongs to one lineage; a new sign-in starts without it.
 */
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import { outcomeActions, type RefreshFailure } from './refresh-outcome.ts'

const REMEMBERED_MAX = 10_000
const RETRY_AFTER_MAX_MS = 5 * 60_000 // a provider's longer wish is a mistake or an outage that deserves a new look
const JITTER = 0.2

interface Remembered {
  readonly failure: RefreshFailure
  readonly lineage: string
  readonly inARow: number
  readonly untilMs: number
}

export interface FailedRefreshes {
  /** The failure that still holds, or `null`. */
  find(key: string, lineage: string): RefreshFailure | null
  remember(key: string, lineage: string, failure: RefreshFailure): void
  forget(key: string): void
}

export function createFailedRefreshes(clock: Clock, random: Random): FailedRefreshes {
  const remembered = new Map<string, Remembered>()
  return {
    find(key, lineage) {
      const known = remembered.get(key)
      return known?.lineage === lineage && known.untilMs > clock.monotonic() ? known.failure : null
    },

    remember(key, lineage, failure) {
      const known = remembered.get(key)
      const inARow = known?.lineage === lineage ? known.inARow + 1 : 0
      const { holdMs, maxHoldMs } = outcomeActions[failure.outcome]
      const chance = random.bytes(1).readUInt8(0) / 255
      const backOffMs = Math.min(maxHoldMs, holdMs * 2 ** Math.min(inARow, 16)) * (1 + JITTER * (2 * chance - 1))
      const waitMs = Math.max(backOffMs, Math.min(failure.facts.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS))
      remembered.delete(key)
      remembered.set(key, { failure, lineage, inARow, untilMs: clock.monotonic() + waitMs })
      const oldest = remembered.keys().next()
      if (remembered.size > REMEMBERED_MAX && oldest.done !== true) remembered.delete(oldest.value)
    },

    forget: (key) => void remembered.delete(key),
  }
}
