/** Adopts the tokens of all users of another library, one user after the other, while the application runs. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import type { AdoptionOutcome, TokenAdoption } from '../migrate/tokens/token-origin.ts'

/** The result of `adoptAllTokens()`. */
export interface TokenAdoptionReport {
  /** Number of users that were examined. */
  readonly users: number
  /** Number of users by outcome. Outcomes without a user are left out. */
  readonly outcomes: { readonly [Outcome in AdoptionOutcome]?: number }
  /** Whether all users were examined. False after an abort: run it again to continue. */
  readonly isDone: boolean
}

/** Options of `adoptAllTokens()`. */
export interface TokenAdoptionOptions {
  /** Ends the run before the next user. */
  readonly signal: AbortSignal
  /** Source of the current time. */
  readonly clock: Clock
  /** Called after each user with the number of users so far. */
  readonly seen?: (users: number) => void
}

/** After this number of users the run pauses for as long as they took, because the server belongs to the application. */
const PER_PAUSE = 50
const MAX_PAUSE_MS = 1000

/**
 * Adopts the tokens of each user that the origin lists, at most once over all processes.
 * @throws {RedisError} during an outage. Adopted tokens stay adopted.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for an origin that cannot list its users
 */
export async function adoptAllTokens(
  adoption: TokenAdoption,
  { signal, clock, seen }: TokenAdoptionOptions,
): Promise<TokenAdoptionReport> {
  const outcomes: { [Outcome in AdoptionOutcome]?: number } = {}
  let users = 0
  let begunMs = clock.monotonic()
  for await (const { outcome } of adoption.all()) {
    users++
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    seen?.(users)
    if (signal.aborted) return { users, outcomes, isDone: false }
    if (users % PER_PAUSE !== 0) continue
    await sleep(Math.min(MAX_PAUSE_MS, clock.monotonic() - begunMs), null, { signal }).catch(() => undefined)
    begunMs = clock.monotonic()
  }
  return { users, outcomes, isDone: true }
}
