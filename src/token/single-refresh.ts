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
  revokeIfSignInIsOver(userKey: string, provider: string, grant: Grant): Promise<void>
}

/** One request for one grant, and the state that it began from. */
interface Attempt {
  readonly userKey: string
  readonly target: Target
  readonly stored: StoredTokens
  readonly grant: Opened<Grant>
  readonly lease: Lease | null
  /** Monotonic milliseconds. */
  readonly startedMs: number
  /** Epoch milliseconds. The life of the new token counts from here. */
  readonly askedAtMs: number
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

  const refreshGrant = async (attempt: Attempt): Promise<RefreshResult | null> => {
    const answer = await requestTokens(attempt)
    return answer instanceof RefreshFailure ? handleFailure(attempt, answer) : commitAnswer(attempt, answer)
  }

  /** Returns an answer that belongs to the owner of the grant, or the failure. */
  const requestTokens = async ({ userKey, target, grant }: Attempt): Promise<RefreshedTokens | RefreshFailure> => {
    try {
      const subject = { userKey, provider: target.provider, resource: target.key }
      const answer = await requests.send(subject, () => ask(target, grant.value), target.claims !== null)
      assertSameSubject(grant.value, answer)
      return answer
    } catch (error) {
      return judged(grant.value, toRefreshFailure(error))
    }
  }

  const handleFailure = async (attempt: Attempt, reported: RefreshFailure): Promise<RefreshResult | null> => {
    const { userKey, target, stored, grant } = attempt
    const failure = await dropIfFinal(attempt, reported)
    emitFailure(attempt, failure)
    if (failure.outcome === 'rotated-elsewhere') return null
    const forMs = await recordFailure(attempt, failure)
    if (forMs === null) return null
    failed.remember(flightOf(userKey, target), grant.value.family, failure, forMs)
    return afterFailure(target, stored, failure, now(userKey))
  }

  const commitAnswer = async (attempt: Attempt, answer: RefreshedTokens): Promise<RefreshResult | null> => {
    const { userKey, target, grant, lease, askedAtMs, startedMs } = attempt
    const facts = { userKey, provider: target.provider, resource: target.key }
    failed.forget(flightOf(userKey, target))
    const entry = await vault.commit(userKey, target, grant, answer, askedAtMs, lease?.claim ?? null)
    const durationMs = clock.monotonic() - startedMs
    if (entry) {
      const rotated = answer.refreshToken !== undefined && answer.refreshToken !== grant.value.refreshToken
      events.emit('token.refreshed', { ...facts, durationMs, rotated })
      return { entry, final: true }
    }
    // No caller gets the new token: the user has signed out, or signed in again, during the request.
    events.emit('token.refresh-failed', { ...facts, durationMs, outcome: 'refused' })
    if (answer.refreshToken !== undefined) {
      await revokeIfSignInIsOver(userKey, target.provider, { ...grant.value, refreshToken: answer.refreshToken })
    }
    return null
  }

  /** @returns how long the known failure lasts; `null`: the grant was replaced or deleted meanwhile */
  const recordFailure = async (attempt: Attempt, failure: RefreshFailure): Promise<number | null> => {
    const { userKey, target, stored, grant, lease } = attempt
    const claim = lease?.claim ?? null
    if (!failure.wasAsked) return Math.min(failure.facts.retryAfterMs ?? 0, KNOWN_FAILURE_TRUSTED_MS)
    const successor = successorOf(grant.value, failure)
    if (successor === null) return vault.recordFailure(userKey, target, stored, failure, claim)
    const forMs = await vault.keepSuccessor(userKey, target, grant, successor, failure, claim)
    if (forMs === null)
      await revokeIfSignInIsOver(userKey, target.provider, { ...grant.value, refreshToken: successor })
    return forMs
  }

  /**
   * Revokes the refresh token of a sign-in that is over. It leaves the token of a live sign-in alone: a provider that revokes one refresh
   * token ends the whole grant, including the newer token that another caller has stored.
   */
  const revokeIfSignInIsOver = async (
    userKey: string,
    provider: string,
    { family, refreshToken }: Grant,
  ): Promise<void> => {
    // If the store does not answer, the sign-in may still be live, so nothing is revoked.
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

  /** Deletes the tokens after a failure that ends the grant, if that grant is still the stored one. Otherwise the failure is not final. */
  const dropIfFinal = async (attempt: Attempt, failure: RefreshFailure): Promise<RefreshFailure> => {
    const { userKey, target, grant, lease } = attempt
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
    await revokeIfSignInIsOver(userKey, provider, grant)
  }

  const emitFailure = ({ userKey, target, startedMs }: Attempt, failure: RefreshFailure): void => {
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
    once(userKey, target, stored, grant, lease) {
      const facts = { provider: target.provider, resource: target.key }
      return events.operation({ name: 'token.refresh', facts }, () =>
        refreshGrant({ userKey, target, stored, grant, lease, startedMs: clock.monotonic(), askedAtMs: clock.now() }),
      )
    },
    revokeIfSignInIsOver,
  }
}

/** The key of the work that runs once at a time in this process. */
export function flightOf(userKey: string, target: Target): string {
  return `${userKey} ${target.provider} ${flightKey(target)}`
}
