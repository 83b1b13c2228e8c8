/**
 * What is kept of refreshes beside the tokens: how the last one went (for `status`), and, after a failure, the hold: while its
 * field stands, no process asks the provider for this target of this grant again.
 */
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import { backOffMs, outcomeActions, reasonInFacts, RefreshFailure, type RefreshOutcome } from './refresh-outcome.ts'
import type { Grant, HoldRecord, RefreshRecord, TokenCodec } from './token-codec.ts'
import type { TokenField, TokenRecord } from './token-driver.ts'
import { holdField, statusField } from './token-fields.ts'
import { describeTarget, flightKey, type Target } from './token-target.ts'

/** A longer `Retry-After` is a mistake or an outage, so the provider is asked again after this time. */
const LONGEST_RETRY_AFTER_MS = 5 * 60_000

export interface RefreshHistory {
  status(userKey: string, target: Target, failure: RefreshFailure | null, inARow: number, ttlMs: number): Entry
  hold(userKey: string, target: Target, grant: Pick<Grant, 'family'>, failure: RefreshFailure, ttlMs: number): Entry
  /** The failure that holds, if it is one of this sign-in. */
  failureOf(hold: HoldRecord | null, grant: Pick<Grant, 'family'>): RefreshFailure | null
  /** How long a failure holds; doubles with each in a row, and is at least what the provider wants. */
  holdMs(failure: RefreshFailure, inARow: number): number
}

type Entry = [TokenField, TokenRecord]

export function createRefreshHistory(codec: TokenCodec, clock: Clock, random: Random): RefreshHistory {
  return {
    status(userKey, target, failure, inARow, ttlMs) {
      const field = statusField(target.provider)
      const { providerCode } = failure ? reasonInFacts(failure.facts) : {}
      const status: RefreshRecord = {
        atMs: clock.now(),
        outcome: failure?.outcome ?? 'refreshed',
        target: describeTarget(target),
        error: failure?.facts.error ?? null,
        ...(providerCode !== undefined && { providerCode }),
        inARow,
      }
      return [field, { record: codec.sealStatus(userKey, field, status), ttlMs }]
    },

    hold(userKey, target, { family }, { outcome, facts }, ttlMs) {
      const field = holdField(target.provider, flightKey(target))
      const { error, claims } = facts
      const reason = reasonInFacts(facts)
      const hold: HoldRecord = { family, outcome, error: error ?? null, claims: claims ?? null, reason }
      return [field, { record: codec.sealHold(userKey, field, hold), ttlMs }]
    },

    failureOf(hold, { family }) {
      if (hold?.family !== family || !Object.hasOwn(outcomeActions, hold.outcome)) return null
      const { error, claims, reason } = hold
      const facts = { ...(error !== null && { error }), ...reason, ...(claims !== null && { claims }) }
      return new RefreshFailure(facts, { outcome: hold.outcome as RefreshOutcome, wasAsked: false })
    },

    holdMs({ outcome, facts }, inARow) {
      const { holdMs, maxHoldMs } = outcomeActions[outcome]
      const ownMs = backOffMs(inARow, holdMs, maxHoldMs, random)
      return Math.max(ownMs, Math.min(facts.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS))
    },
  }
}
