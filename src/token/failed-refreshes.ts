/**
 * Failed refreshes that this process knows of. They keep many callers from becoming many requests to the provider or many reads of the
 * store. The store holds the same known failures for all processes (`hold:` fields, `grant-vault.ts`). A failure belongs to one token
 * family; a new sign-in starts without it.
 */
import type { Clock } from '../core/clock.ts'
import type { RefreshFailure } from './refresh-outcome.ts'

const REMEMBERED_MAX = 10_000

interface Remembered {
  readonly failure: RefreshFailure
  readonly family: string
  readonly untilMs: number
}

export interface FailedRefreshes {
  /** Returns the failure that is still valid, or `null`. */
  find(key: string, family: string): RefreshFailure | null
  remember(key: string, family: string, failure: RefreshFailure, forMs: number): void
  forget(key: string): void
}

export function createFailedRefreshes(clock: Clock): FailedRefreshes {
  const remembered = new Map<string, Remembered>()
  return {
    find(key, family) {
      const known = remembered.get(key)
      return known?.family === family && known.untilMs > clock.monotonic() ? known.failure : null
    },

    remember(key, family, failure, forMs) {
      remembered.delete(key)
      remembered.set(key, { failure, family, untilMs: clock.monotonic() + forMs })
      const oldest = remembered.keys().next()
      if (remembered.size > REMEMBERED_MAX && oldest.done !== true) remembered.delete(oldest.value)
    },

    forget: (key) => void remembered.delete(key),
  }
}
