/**
 * Getting a new access token: what happens between "no stored token is good enough" and a token or an error.
 *
 * - One flight per user, provider and target; its result is for everybody who waits. Flights of one grant take turns, because
 *   each may rotate the refresh token that the next one needs.
 * - A flight first reads what is stored now: somebody else may have refreshed since the caller looked.
 * - One request to the provider, and what becomes of its answer or failure: `refreshing.ts`.
 * - Over processes, one at a time holds the lease of a grant and asks; the others wait for what it stores (`lease.ts`), be it
 *   a token or a failure that holds for all of them.
 * - Whether the provider is asked at all, and what becomes of a lost answer, stands in `provider-requests.ts`.
 */
import type { Clock } from '../core/clock.ts'
import { TokenError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { Random } from '../core/random.ts'
import { createFailedRefreshes } from './failed-refreshes.ts'
import { createGrantVault } from './grant-vault.ts'
import type { StoredTokens } from './stored-tokens.ts'
import { afterFailure, type Circumstances, covers, type Landed, withoutRefresh } from './landing.ts'
import { createLeases, type Waiting } from './lease.ts'
import { createLooseGrants, type LooseGrants } from './loose-grants.ts'
import type { ProviderRequests } from './provider-requests.ts'
import type { RefreshFailure } from './refresh-outcome.ts'
import { createRefreshing, flightOf, HOLD_BELIEVED_MS } from './refreshing.ts'
import type { SignInUrl } from './sign-in-url.ts'
import { createSingleFlight, createTurns } from './single-flight.ts'
import type { AccessEntry, Grant, Opened, TokenCodec } from './token-codec.ts'
import type { TokenDriver } from './token-driver.ts'
import { type GrantName, leaseField } from './token-fields.ts'
import { isAlive, isGood, type Need } from './token-life.ts'
import type { Target } from './token-target.ts'
import type { TokenRefresher } from './types.ts'
import { createUnsavedGrants, type Schedule, type UnsavedGrants } from './unsaved-grants.ts'

/** As long as others refresh the same grant, one after the other. */
const LONGEST_WAIT_MS = 45_000
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
  readonly loose: LooseGrants
  /** Nothing that this process knows better lies over what is stored. */
  isAsStored(name: GrantName): boolean
  /** A token that meets the need, or a fresh one, or the best that is still valid. */
  obtain(userKey: string, target: Target, need: Need): Promise<AccessEntry>
  /** In the background, unless one is under way. Failures are events only. */
  refreshAhead(userKey: string, target: Target, seen: AccessEntry): void
  /** Resolves when what is under way has been committed. */
  landed(): Promise<void>
}

export function createRefreshes(deps: RefreshDeps): Refreshes {
  const { clock, events } = deps
  const now = (userKey: string): Circumstances => ({ nowMs: clock.now(), userKey, signInUrl: deps.signInUrl })
  const flights = createSingleFlight<Landed>()
  const turns = createTurns()
  const inTurn = <T>(userKey: string, provider: string, task: () => Promise<T>): Promise<T> =>
    turns(`${userKey} ${provider}`, task)
  const loose = createLooseGrants({ ...deps, inTurn })
  const unsaved = createUnsavedGrants({
    ...deps,
    inTurn,
    committed: (commit, durable) => loose.committed(commit, commit.grant, commit.change.set, durable),
    settled(outcome, { userKey, provider, grant }) {
      events.emit(outcome === 'saved' ? 'token.grant-saved' : 'token.grant-discarded', { userKey, provider })
      if (outcome === 'refused') void refreshing.discardUnlessLive(userKey, provider, grant)
      if (outcome === 'ended' && grant.refreshToken !== null) void deps.discard(userKey, provider, grant.refreshToken)
    },
  })
  const vault = createGrantVault({ ...deps, unsaved, loose })
  const failed = createFailedRefreshes(clock)
  const leases = createLeases(deps)
  const refreshing = createRefreshing({ ...deps, vault, failed, now })

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
      return withoutRefresh(target, stored, hasEnded, now(userKey))
    }
    const known = heldBy(userKey, target, stored, grant)
    if (known) return afterFailure(target, stored, known, now(userKey))
    if (vault.isUnsaved(stored)) return refreshing.once(userKey, target, stored, grant, null)
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
      if (failure) return afterFailure(target, fresh, failure, now(userKey))
      return await refreshing.once(userKey, target, fresh, fresh.grant, lease)
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

  const launch = (userKey: string, target: Target, isEnough: (entry: AccessEntry) => boolean): Promise<Landed> =>
    flights.join(flightOf(userKey, target), () =>
      inTurn(userKey, target.provider, () => fly(userKey, target, isEnough)),
    )

  return {
    unsaved,
    loose,
    isAsStored: (name) => !unsaved.has(name.userKey, name.provider) && !loose.isSuspect(name),
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
