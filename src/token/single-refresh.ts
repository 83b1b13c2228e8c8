/**
 * One refresh: the request to the provider, and the change that its answer or failure makes in the store.
 *
 * - The result is committed only onto the grant that was refreshed. If the store refuses, the stored grant decides. If the store does not
 *   answer, this process keeps the grant (`uncommitted-grants.ts`).
 * - `refresh-outcome.ts` defines what a failure means. A token that is still valid is served despite any failure except the end of the
 *   grant.
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { FailedRefreshes } from './failed-refreshes.ts'
import type { GrantVault } from './grant-vault.ts'
import type { StoredTokens } from './stored-tokens.ts'
import { afterFailure, type RefreshConditions, type RefreshResult } from './refresh-result.ts'
import type { Lease } from './lease.ts'
import type { ProviderRequests } from './provider-requests.ts'
import { outcomeActions, reasonInFacts, RefreshFailure, toRefreshFailure } from './refresh-outcome.ts'
import { assertSameSubject, judged, successorOf } from './refused-answer.ts'
import type { Grant, Opened } from './token-codec.ts'
import { flightKey, type Target } from './token-target.ts'
import type { RefreshedTokens, TokenRefresher } from './token-requester.ts'

/** Longer than any lease: a slow provider gets one request, and the process renews its lease meanwhile. */
const PROVIDER_DEADLINE_MS = 30_000
/** How long this process trusts a known failure that it has read, before it reads again. */
export const KNOWN_FAILURE_TRUSTED_MS = 250

export interface SingleRefresh {
  /** `null`: the grant was replaced or deleted meanwhile; read again. */
  once(
    userKey: string,
    target: Target,
    stored: StoredTokens,
    grant: Opened<Grant>,
    lease: Lease | null,
  ): Promise<RefreshResult | null>
  revokeUnlessLive(userKey: string, provider: string, grant: Grant): Promise<void>
}

export function createSingleRefresh(deps: {
  readonly vault: GrantVault
  readonly failed: FailedRefreshes
  readonly refresher: TokenRefresher
  readonly requests: ProviderRequests
  readonly clock: Clock
  readonly events: EventBus
  readonly now: (userKey: string) => RefreshConditions
  /** Revokes a refresh token that arrived too late to be stored. */
  readonly revokeLateToken: (userKey: string, provider: string, refreshToken: string) => Promise<void>
}): SingleRefresh {
  const { vault, failed, refresher, requests, clock, events, now } = deps

  const askAndCommit = async (
    userKey: string,
    target: Target,
    stored: StoredTokens,
    grant: Opened<Grant>,
    lease: Lease | null,
  ): Promise<RefreshResult | null> => {
    const { provider } = target
    const name = flightOf(userKey, target)

    const startedMs = clock.monotonic()
    const askedAtMs = clock.now()
    let answer: RefreshedTokens
    try {
      const subject = { userKey, provider, resource: target.key }
      answer = await requests.send(subject, () => ask(target, grant.value), target.claims !== null)
      assertSameSubject(grant.value, answer)
    } catch (error) {
      const failure = await dropIfFinal(userKey, target, grant, judged(grant.value, toRefreshFailure(error)), lease)
      emitFailure(userKey, target, startedMs, failure)
      if (failure.outcome === 'rotated-elsewhere') return null
      const forMs = await recordFailure(userKey, target, stored, grant, failure, lease)
      if (forMs === null) return null
      failed.remember(name, grant.value.family, failure, forMs)
      return afterFailure(target, stored, failure, now(userKey))
    }
    failed.forget(name)
    const entry = await vault.commit(userKey, target, grant, answer, askedAtMs, lease?.claim ?? null)
    if (entry) {
      const rotated = answer.refreshToken !== undefined && answer.refreshToken !== grant.value.refreshToken
      const durationMs = clock.monotonic() - startedMs
      events.emit('token.refreshed', { userKey, provider, resource: target.key, durationMs, rotated })
    } else {
      // No caller gets the new token: the user has signed out, or signed in again, during the request.
      const durationMs = clock.monotonic() - startedMs
      events.emit('token.refresh-failed', { userKey, provider, resource: target.key, durationMs, outcome: 'refused' })
      if (answer.refreshToken !== undefined) {
        await revokeUnlessLive(userKey, provider, { ...grant.value, refreshToken: answer.refreshToken })
      }
    }
    return entry && { entry, final: true }
  }

  /** @returns how long the known failure lasts; `null`: the grant was replaced or deleted meanwhile */
  const recordFailure = async (
    userKey: string,
    target: Target,
    stored: StoredTokens,
    grant: Opened<Grant>,
    failure: RefreshFailure,
    lease: Lease | null,
  ): Promise<number | null> => {
    const claim = lease?.claim ?? null
    if (!failure.wasAsked) return Math.min(failure.facts.retryAfterMs ?? 0, KNOWN_FAILURE_TRUSTED_MS)
    const successor = successorOf(grant.value, failure)
    if (successor === null) return vault.recordFailure(userKey, target, stored, failure, claim)
    const forMs = await vault.keepSuccessor(userKey, target, grant, successor, failure, claim)
    if (forMs === null) await revokeUnlessLive(userKey, target.provider, { ...grant.value, refreshToken: successor })
    return forMs
  }

  /**
   * Revokes the refresh token of a sign-in that is over. It does not revoke a token of a sign-in that goes on: providers then end the whole
   * grant, including the successor that another caller has stored.
   */
  const revokeUnlessLive = async (
    userKey: string,
    provider: string,
    { family, refreshToken }: Grant,
  ): Promise<void> => {
    const stored = await vault.familyOf(userKey, provider).catch(() => family)
    if (refreshToken !== null && stored !== family) await deps.revokeLateToken(userKey, provider, refreshToken)
  }

  const ask = (target: Target, { refreshToken, idToken }: Grant): Promise<RefreshedTokens> =>
    refresher.refresh(target.provider, {
      refreshToken: refreshToken ?? '',
      ...(idToken !== null && { idToken }),
      signal: AbortSignal.timeout(PROVIDER_DEADLINE_MS),
      ...(target.scopes.length > 0 ? { scopes: target.scopes } : {}),
      ...(target.resource === null ? {} : { resource: target.resource }),
      ...(target.claims === null ? {} : { claims: target.claims }),
    })

  /** The end of a grant is final only if that grant is still the stored one; its tokens are then deleted. */
  const dropIfFinal = async (
    userKey: string,
    target: Target,
    grant: Opened<Grant>,
    failure: RefreshFailure,
    lease: Lease | null,
  ): Promise<RefreshFailure> => {
    if (!outcomeActions[failure.outcome].dropsTokens) return failure
    if (await vault.drop(userKey, target, grant, failure, lease?.claim ?? null)) {
      if (failure.outcome === 'subject-mismatch') await revokeAfterMismatch(userKey, target, grant.value, failure)
      return failure
    }
    return new RefreshFailure(failure.facts, { outcome: 'rotated-elsewhere', cause: failure })
  }

  /** Revokes the grant, which the provider has not ended. Tokens of the answer may belong to another user and are not revoked. */
  const revokeAfterMismatch = async (
    userKey: string,
    target: Target,
    grant: Grant,
    { facts }: RefreshFailure,
  ): Promise<void> => {
    const { provider, key: resource } = target
    events.emit('token.subject-mismatch', { userKey, provider, resource, ...reasonInFacts(facts) })
    await revokeUnlessLive(userKey, provider, grant)
  }

  const emitFailure = (userKey: string, target: Target, startedMs: number, failure: RefreshFailure): void => {
    const durationMs = clock.monotonic() - startedMs
    const { outcome } = failure
    const { code } = outcomeActions[outcome]
    events.emit('token.refresh-failed', {
      userKey,
      provider: target.provider,
      resource: target.key,
      durationMs,
      outcome,
      code,
      ...reasonInFacts(failure.facts),
    })
  }

  return {
    once(userKey, target, ...rest) {
      const facts = { provider: target.provider, resource: target.key }
      return events.operation({ name: 'token.refresh', facts }, () => askAndCommit(userKey, target, ...rest))
    },
    revokeUnlessLive,
  }
}

/** The key of the work that runs once at a time in this process. */
export function flightOf(userKey: string, target: Target): string {
  return `${userKey} ${target.provider} ${flightKey(target)}`
}
