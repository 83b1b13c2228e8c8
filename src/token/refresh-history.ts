/**
 * Records that a refresh writes beside the tokens: the last refresh (for `status`), and, after a failure, the known failure. While the
 * field of the known failure exists, no process asks the provider again for this target of this grant.
 */
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import { backOffMs, outcomeActions, reasonInFacts, RefreshFailure, type RefreshOutcome } from './refresh-outcome.ts'
import type { Grant, KnownFailureRecord, RefreshRecord, TokenCodec } from './token-codec.ts'
import type { TokenField, TokenRecord } from './token-driver.ts'
import { knownFailureField, statusField } from './token-fields.ts'
import { describeTarget, flightKey, type Target } from './token-target.ts'

/** A longer `Retry-After` is a mistake or an outage, so Coatcheck asks the provider again after this time. */
const MAX_RETRY_AFTER_MS = 5 * 60_000

export interface RefreshHistory {
  status(userKey: string, target: Target, failure: RefreshFailure | null, inARow: number, ttlMs: number): Entry
  knownFailure(
    userKey: string,
    target: Target,
    grant: Pick<Grant, 'family'>,
    failure: RefreshFailure,
    ttlMs: number,
  ): Entry
  /** Returns the known failure, if it belongs to this sign-in. */
  failureOf(knownFailure: KnownFailureRecord | null, grant: Pick<Grant, 'family'>): RefreshFailure | null
  /** Returns how long a known failure lasts. It doubles with each failure in a row, and is at least the provider's `Retry-After`. */
  knownFailureMs(failure: RefreshFailure, inARow: number): number
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

    knownFailure(userKey, target, { family }, { outcome, facts }, ttlMs) {
      const field = knownFailureField(target.provider, flightKey(target))
      const { error, claims } = facts
      const reason = reasonInFacts(facts)
      const knownFailure: KnownFailureRecord = { family, outcome, error: error ?? null, claims: claims ?? null, reason }
      return [field, { record: codec.sealKnownFailure(userKey, field, knownFailure), ttlMs }]
    },

    failureOf(knownFailure, { family }) {
      if (knownFailure?.family !== family || !Object.hasOwn(outcomeActions, knownFailure.outcome)) return null
      const { error, claims, reason } = knownFailure
      const facts = { ...(error !== null && { error }), ...reason, ...(claims !== null && { claims }) }
      return new RefreshFailure(facts, { outcome: knownFailure.outcome as RefreshOutcome, wasAsked: false })
    },

    knownFailureMs({ outcome, facts }, inARow) {
      const { knownFailureMs, maxKnownFailureMs } = outcomeActions[outcome]
      const ownMs = backOffMs(inARow, knownFailureMs, maxKnownFailureMs, random)
      return Math.max(ownMs, Math.min(facts.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS))
    },
  }
}
