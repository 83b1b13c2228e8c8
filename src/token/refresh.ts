/**
 * Getting a new access token: the one place that asks the provider. It owns what happens between "no stored token is good
 * enough" and a token or an error.
 *
 * - One flight per user, provider and target; its result is for everybody who waits. Flights of one grant take turns, because
 *   each may rotate the refresh token that the next one needs.
 * - A flight first reads what is stored now: somebody else may have refreshed since the caller looked.
 * - The result is committed only onto the grant it was refreshed from. Refused: what is stored now decides. The store is
 *   gone: the grant is kept in this process (`unsaved-grants.ts`).
 * - A failure means what `refresh-outcome.ts` says. A token that is still valid is served through all of them but the end
 *   of the grant.
 * - Over processes, one at a time holds the lease of a grant and asks; the others wait for what it stores (`lease.ts`), be it
 *   a token or a failure that holds for all of them.
 * - Whether the provider is asked at all, and what becomes of a lost answer, stands in `provider-requests.ts`.
 */
import type { Clock } from '../core/clock.ts'
import { TokenError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { Random } from '../core/random.ts'
import { createFailedRefreshes } from './failed-refreshes.ts'
import { createGrantVault, type StoredTokens } from './grant-vault.ts'
import { afterFailure, type Circumstances, covers, type Landed, withoutRefresh } from './landing.ts'
import { outcomeActions, RefreshFailure, toRefreshFailure } from './refresh-outcome.ts'
import { createLeases, type Lease, type Waiting } from './lease.ts'
import type { ProviderRequests } from './provider-requests.ts'
import type { SignInUrl } from './sign-in-url.ts'
import { createSingleFlight, createTurns } from './single-flight.ts'
import type { AccessEntry, Grant, Opened, TokenCodec } from './token-codec.ts'
import type { TokenDriver } from './token-driver.ts'
import { leaseField } from './token-fields.ts'
import { isAlive, isGood, type Need } from './token-life.ts'
import { flightKey, type Target } from './token-target.ts'
import type { RefreshedTokens, TokenRefresher } from './types.ts'
import { createUnsavedGrants, type Schedule, type UnsavedGrants } from './unsaved-grants.ts'

/** Longer than any lease: a slow provider is one request, and its lease is renewed meanwhile. */
const PROVIDER_DEADLINE_MS = 30_000
/** As long as others refresh the same grant, one after the other. */
const LONGEST_WAIT_MS = 45_000
/** How long this process believes a failure that it has read of, without looking again. */
const HOLD_BELIEVED_MS = 250
/** Each further attempt means that others have changed the grant meanwhile. */
const ATTEMPTS = 4

export interface RefreshDeps {
  readonly driver: TokenDriver
  readonly codec: TokenCodec
  readonly refresher: TokenRefresher
  readonly requests: ProviderRequests
  /** Whether a provider of this name is configured: without one nothing can be refreshed. */
  readonly canRefresh: (provider: string) => boolean
  readonly grantLifetimeMs: number
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly schedule: Schedule
  readonly signInUrl?: SignInUrl | undefined
  /** For a refresh token that came too late to be stored. */
  readonly discard: (userKey: string, provider: string, refreshToken: string) => Promise<void>
}

export interface Refreshes {
  readonly unsaved: UnsavedGrants
  /** A token that meets the need, or a fresh one, or the best that is still valid. */
  obtain(userKey: string, target: Target, need: Need): Promise<AccessEntry>
  /** In the background, unless one is under way. Failures are events only. */
  refreshAhead(userKey: string, target: Target, seen: AccessEntry): void
  /** Resolves when what is under way has been committed. */
  landed(): Promise<void>
}

export function createRefreshes(deps: RefreshDeps): Refreshes {
  const { refresher, requests, clock, events } = deps
  const now = (): Circumstances => ({ nowMs: clock.now(), signInUrl: deps.signInUrl })
  const flights = createSingleFlight<Landed>()
  const turns = createTurns()
  const inTurn = <T>(userKey: string, provider: string, task: () => Promise<T>): Promise<T> =>
    turns(`${userKey} ${provider}`, task)
  const unsaved = createUnsavedGrants({
    driver: deps.driver,
    clock,
    schedule: deps.schedule,
    inTurn,
    settled(outcome, { userKey, provider, grant }) {
      events.emit(outcome === 'saved' ? 'token.grant-saved' : 'token.grant-discarded', { userKey, provider })
      if (outcome === 'refused') void discardUnlessLive(userKey, provider, grant)
    },
  })
  const vault = createGrantVault({ ...deps, unsaved })
  const failed = createFailedRefreshes(clock)
  const leases = createLeases(deps)
  const flightOf = (userKey: string, target: Target): string => `${userKey} ${target.provider} ${flightKey(target)}`

  const fly = async (userKey: string, target: Target, isEnough: (entry: AccessEntry) => boolean): Promise<Landed> => {
    const { provider } = target
    const waitUntilMs = clock.monotonic() + LONGEST_WAIT_MS
    let waiting: Waiting | null = null
    let waitingSinceMs = 0
    try {
      for (let attempt = 0; attempt < ATTEMPTS;) {
        const stored = await vault.read(userKey, target)
        if (stored.own && isEnough(stored.own)) return { entry: stored.own, final: false }
        if (stored.signIn && covers(stored.signIn, target) && isEnough(stored.signIn)) {
          return { entry: await vault.adopt(userKey, target, stored, stored.signIn), final: false }
        }
        const landed = await underLease(userKey, target, stored, isEnough)
        if (landed === 'held') {
          if (clock.monotonic() > waitUntilMs)
            throw new TokenError('COATCHECK_TOKEN_REFRESH_UNAVAILABLE', { details: { provider } })
          if (waiting === null) waitingSinceMs = clock.monotonic()
          waiting ??= leases.waiting(userKey)
          await waiting.next()
        } else if (landed) return landed
        else attempt++
      }
    } finally {
      if (waiting !== null) {
        waiting.close()
        const durationMs = clock.monotonic() - waitingSinceMs
        events.emit('token.waited', { userKey, provider, resource: target.key, durationMs })
      }
    }
    throw new TokenError('COATCHECK_TOKEN_CONFLICT', { details: { provider } })
  }

  /** `held`: another process is refreshing this grant. `null`: it has been changed meanwhile. Both: read again. */
  const underLease = async (
    userKey: string,
    target: Target,
    stored: StoredTokens,
    isEnough: (entry: AccessEntry) => boolean,
  ): Promise<Landed | 'held' | null> => {
    const { grant, own } = stored
    if (!grant?.value.refreshToken || !deps.canRefresh(target.provider)) {
      const hasEnded = grant === null && (await vault.hasEnded(userKey, target))
      return withoutRefresh(target, stored, hasEnded, now())
    }
    const known = heldBy(userKey, target, stored, grant)
    if (known) return afterFailure(target, stored, known, now())
    if (vault.isUnsaved(stored)) return refreshOnce(userKey, target, stored, grant, null)
    const lease = await leases.take(userKey, leaseField(target.provider))
    if (!lease) {
      // Nobody waits for a better token while there is a valid one.
      return own && target.claims === null && isAlive(own, clock.now()) ? { entry: own, final: true } : 'held'
    }
    try {
      // Between the look and the lease somebody may have refreshed, or failed to.
      const fresh = await vault.read(userKey, target)
      if (fresh.own && isEnough(fresh.own)) return { entry: fresh.own, final: false }
      if (!fresh.grant?.value.refreshToken) return null
      const failure = heldBy(userKey, target, fresh, fresh.grant)
      if (failure) return afterFailure(target, fresh, failure, now())
      return await refreshOnce(userKey, target, fresh, fresh.grant, lease)
    } finally {
      await lease.release()
    }
  }

  /** The failure for which nobody asks again yet, be it of this process or of another. */
  const heldBy = (
    userKey: string,
    target: Target,
    { hold }: StoredTokens,
    { value: { lineage } }: Opened<Grant>,
  ): RefreshFailure | null => {
    const name = flightOf(userKey, target)
    const known = failed.find(name, lineage)
    if (known || !hold) return known
    failed.remember(name, lineage, hold, HOLD_BELIEVED_MS)
    return hold
  }

  const refreshOnce = (
    userKey: string,
    target: Target,
    ...rest: [stored: StoredTokens, grant: Opened<Grant>, lease: Lease | null]
  ): Promise<Landed | null> => {
    const facts = { provider: target.provider, resource: target.key }
    return events.operation({ name: 'token.refresh', facts }, () => askAndCommit(userKey, target, ...rest))
  }

  const askAndCommit = async (
    userKey: string,
    target: Target,
    stored: StoredTokens,
    grant: Opened<Grant>,
    lease: Lease | null,
  ): Promise<Landed | null> => {
    const { provider } = target
    const name = flightOf(userKey, target)

    const startedMs = clock.monotonic()
    const askedAtMs = clock.now()
    let answer: RefreshedTokens
    try {
      const subject = { userKey, provider, resource: target.key }
      answer = await requests.send(subject, () => ask(target, grant.value.refreshToken ?? ''))
    } catch (error) {
      const failure = await settled(userKey, target, grant, toRefreshFailure(error), lease)
      failedEvent(userKey, target, startedMs, failure)
      if (failure.outcome === 'rotated-elsewhere') return null
      const forMs = failure.wasAsked
        ? await vault.recordFailure(userKey, target, stored, failure, lease?.claim ?? null)
        : Math.min(failure.facts.retryAfterMs ?? 0, HOLD_BELIEVED_MS)
      failed.remember(name, grant.value.lineage, failure, forMs)
      return afterFailure(target, stored, failure, now())
    }
    failed.forget(name)
    const entry = await vault.commit(userKey, target, grant, answer, askedAtMs, lease?.claim ?? null)
    if (entry) {
      const rotated = answer.refreshToken !== undefined && answer.refreshToken !== grant.value.refreshToken
      const durationMs = clock.monotonic() - startedMs
      events.emit('token.refreshed', { userKey, provider, resource: target.key, durationMs, rotated })
    } else {
      // What came is handed to nobody: the user has signed out, or in again, while the provider was thinking.
      const durationMs = clock.monotonic() - startedMs
      events.emit('token.refresh-failed', { userKey, provider, resource: target.key, durationMs, outcome: 'refused' })
      if (answer.refreshToken !== undefined) {
        await discardUnlessLive(userKey, provider, { ...grant.value, refreshToken: answer.refreshToken })
      }
    }
    return entry && { entry, final: true }
  }

  /**
   * The refresh token of a sign-in that is over is revoked. One of a sign-in that goes on is not: providers end the whole grant
   * with it, the successor that somebody else has stored included.
   */
  const discardUnlessLive = async (
    userKey: string,
    provider: string,
    { lineage, refreshToken }: Grant,
  ): Promise<void> => {
    const stored = await vault.lineageOf(userKey, provider).catch(() => lineage)
    if (refreshToken !== null && stored !== lineage) await deps.discard(userKey, provider, refreshToken)
  }

  const ask = (target: Target, refreshToken: string): Promise<RefreshedTokens> =>
    refresher.refresh(target.provider, {
      refreshToken,
      signal: AbortSignal.timeout(PROVIDER_DEADLINE_MS),
      ...(target.scopes.length > 0 ? { scopes: target.scopes } : {}),
      ...(target.resource === null ? {} : { resource: target.resource }),
      ...(target.claims === null ? {} : { claims: target.claims }),
    })

  /** `invalid_grant` is final only when the refused grant is still the stored one; the tokens then go. */
  const settled = async (
    userKey: string,
    target: Target,
    grant: Opened<Grant>,
    failure: RefreshFailure,
    lease: Lease | null,
  ): Promise<RefreshFailure> => {
    if (!outcomeActions[failure.outcome].dropsTokens) return failure
    if (await vault.drop(userKey, target, grant, failure, lease?.claim ?? null)) return failure
    return new RefreshFailure(failure.facts, { outcome: 'rotated-elsewhere', cause: failure })
  }

  const failedEvent = (userKey: string, target: Target, startedMs: number, failure: RefreshFailure): void => {
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
    })
  }

  const launch = (userKey: string, target: Target, isEnough: (entry: AccessEntry) => boolean): Promise<Landed> =>
    flights.join(flightOf(userKey, target), () =>
      inTurn(userKey, target.provider, () => fly(userKey, target, isEnough)),
    )

  return {
    unsaved,
    async obtain(userKey, target, need) {
      const isEnough = (entry: AccessEntry): boolean => isGood(entry, need, clock.now())
      const landed = await launch(userKey, target, isEnough)
      // The flight may have been started by somebody with smaller wishes; the second one has ours.
      if (landed.final || isEnough(landed.entry)) return landed.entry
      return (await launch(userKey, target, isEnough)).entry
    },
    refreshAhead(userKey, target, seen) {
      const name = flightOf(userKey, target)
      if (flights.isFlying(name) || failed.find(name, seen.lineage)) return
      launch(userKey, target, (entry) => entry.refreshAheadAtMs > clock.now()).catch(() => undefined)
    },
    landed: () => flights.landed(),
  }
}
