/**
 * Obtains a new access token when no stored token is good enough. It returns a token or throws an error.
 * - Each user, provider and target has one flight at a time; all waiting callers get its result. Flights of one grant run one after the
 *   other, because each may rotate the refresh token that the next one needs.
 * - A flight first reads the stored tokens: another process may have refreshed them since the caller's read.
 * - `single-refresh.ts` sends the request to the provider and handles its answer or failure.
 * - Across processes, only the lease holder of a grant sends a request. The others wait for the token or the failure that it stores
 *   (`lease.ts`).
 * - `provider-requests.ts` decides whether to ask the provider at all, and repeats a request whose answer was lost.
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { Random } from '../core/random.ts'
import { createFailedRefreshes } from './failed-refreshes.ts'
import { createGrantVault } from './grant-vault.ts'
import type { StoredTokens } from './stored-tokens.ts'
import { afterFailure, type RefreshConditions, covers, type RefreshResult, withoutRefresh } from './refresh-result.ts'
import { createLeasedFlow } from './leased-flow.ts'
import { createLeases } from './lease.ts'
import { createUnreplicatedGrants, type UnreplicatedGrants } from './unreplicated-grants.ts'
import type { ProviderRequests } from './provider-requests.ts'
import type { RefreshFailure } from './refresh-outcome.ts'
import { createSingleRefresh, flightOf, KNOWN_FAILURE_TRUSTED_MS } from './single-refresh.ts'
import type { SignInUrl } from './sign-in-url.ts'
import { createSingleFlight, createSerialQueue } from './single-flight.ts'
import type { AccessEntry, Grant, Opened, TokenCodec } from './token-codec.ts'
import type { TokenDriver } from './token-driver.ts'
import { type GrantName, leaseField } from './token-fields.ts'
import { isAlive, isGood, type Need } from './token-life.ts'
import type { Target } from './token-target.ts'
import type { TokenRefresher } from './token-requester.ts'
import { createUncommittedGrants, type Schedule, type UncommittedGrants } from './uncommitted-grants.ts'

export interface RefreshDeps {
  readonly driver: TokenDriver
  readonly codec: TokenCodec
  readonly refresher: TokenRefresher
  readonly requests: ProviderRequests
  /** Whether a provider of this name is configured. Without it, no token can be refreshed. */
  readonly canRefresh: (provider: string) => boolean
  readonly grantLifetimeMs: number
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly schedule: Schedule
  readonly signInUrl?: SignInUrl | undefined
  /** Revokes a refresh token that arrived too late to be stored. */
  readonly revokeLateToken: (userKey: string, provider: string, refreshToken: string) => Promise<void>
}

export interface Refreshes {
  readonly uncommitted: UncommittedGrants
  readonly unreplicated: UnreplicatedGrants
  /** True if this process holds no newer state than the store. */
  isAsStored(name: GrantName): boolean
  /** Returns a token that meets the need, or a new one, or the best one that is still valid. */
  obtain(userKey: string, target: Target, need: Need): Promise<AccessEntry>
  /** Refreshes in the background, unless a refresh is under way. It reports failures only as events. */
  refreshAhead(userKey: string, target: Target, seen: AccessEntry): void
  /** Resolves when all refreshes under way are finished. */
  idle(): Promise<void>
}

export function createRefreshes(deps: RefreshDeps): Refreshes {
  const { clock, events } = deps
  const now = (userKey: string): RefreshConditions => ({ nowMs: clock.now(), userKey, signInUrl: deps.signInUrl })
  const flights = createSingleFlight<RefreshResult>()
  const serialized = createSerialQueue()
  const inTurn = <T>(userKey: string, provider: string, task: () => Promise<T>): Promise<T> =>
    serialized(`${userKey} ${provider}`, task)
  const unreplicated = createUnreplicatedGrants({ ...deps, inTurn })
  const uncommitted = createUncommittedGrants({
    ...deps,
    inTurn,
    committed: (commit, durable) => unreplicated.committed(commit, commit.grant, commit.change.set, durable),
    reportOutcome(outcome, { userKey, provider, grant }) {
      events.emit(outcome === 'saved' ? 'token.grant-saved' : 'token.grant-discarded', { userKey, provider })
      if (outcome === 'refused') void refreshing.revokeIfSignInIsOver(userKey, provider, grant)
      if (outcome === 'ended' && grant.refreshToken !== null)
        void deps.revokeLateToken(userKey, provider, grant.refreshToken)
    },
  })
  const vault = createGrantVault({ ...deps, uncommitted, unreplicated })
  const failed = createFailedRefreshes(clock)
  const leasedFlow = createLeasedFlow({ leases: createLeases(deps), clock, events })
  const refreshing = createSingleRefresh({ ...deps, vault, failed, now })

  const fly = (userKey: string, target: Target, isEnough: (entry: AccessEntry) => boolean): Promise<RefreshResult> =>
    leasedFlow<StoredTokens, RefreshResult>(userKey, target, leaseField(target.provider), {
      read: () => vault.read(userKey, target),
      async resultOf(stored) {
        const { own, signIn, grant } = stored
        if (own && isEnough(own)) return { entry: own, final: false }
        if (signIn && covers(signIn, target) && isEnough(signIn)) {
          return { entry: await vault.adopt(userKey, target, stored, signIn), final: false }
        }
        if (!grant?.value.refreshToken || !deps.canRefresh(target.provider)) {
          const hasEnded = grant === null && (await vault.hasEnded(userKey, target))
          return withoutRefresh(target, stored, hasEnded, now(userKey))
        }
        return afterKnownFailure(userKey, target, stored, grant)
      },
      resultUnderLease(stored) {
        const { own, grant } = stored
        if (own && isEnough(own)) return { entry: own, final: false }
        return grant?.value.refreshToken ? afterKnownFailure(userKey, target, stored, grant) : 'retry'
      },
      // A caller with a valid token does not wait for a newer one.
      resultWhileLeaseTaken: ({ own }) =>
        own && target.claims === null && isAlive(own, clock.now()) ? { entry: own, final: true } : null,
      isPrivate: (stored) => vault.isUncommitted(stored),
      request: (stored, lease) =>
        stored.grant === null ? Promise.resolve(null) : refreshing.once(userKey, target, stored, stored.grant, lease),
    })

  const afterKnownFailure = (
    userKey: string,
    target: Target,
    stored: StoredTokens,
    grant: Opened<Grant>,
  ): RefreshResult | null => {
    const failure = knownFailureOf(userKey, target, stored, grant)
    return failure && afterFailure(target, stored, failure, now(userKey))
  }

  /** Returns the known failure, of this process or of another, that forbids a new request. */
  const knownFailureOf = (
    userKey: string,
    target: Target,
    { knownFailure }: StoredTokens,
    { value: { family } }: Opened<Grant>,
  ): RefreshFailure | null => {
    const name = flightOf(userKey, target)
    const known = failed.find(name, family)
    if (known || !knownFailure) return known
    failed.remember(name, family, knownFailure, KNOWN_FAILURE_TRUSTED_MS)
    return knownFailure
  }

  const launch = (userKey: string, target: Target, isEnough: (entry: AccessEntry) => boolean): Promise<RefreshResult> =>
    flights.join(flightOf(userKey, target), () =>
      inTurn(userKey, target.provider, () => fly(userKey, target, isEnough)),
    )

  return {
    uncommitted,
    unreplicated,
    isAsStored: (name) => !uncommitted.has(name.userKey, name.provider) && !unreplicated.isSuspect(name),
    async obtain(userKey, target, need) {
      const isEnough = (entry: AccessEntry): boolean => isGood(entry, need, clock.now())
      const result = await launch(userKey, target, isEnough)
      // Another caller may have started the flight with a lower requirement. The second flight has this caller's.
      if (result.final || isEnough(result.entry)) return result.entry
      return (await launch(userKey, target, isEnough)).entry
    },
    refreshAhead(userKey, target, seen) {
      const name = flightOf(userKey, target)
      if (flights.isFlying(name) || failed.find(name, seen.family)) return
      launch(userKey, target, (entry) => entry.refreshAheadAtMs > clock.now()).catch(() => undefined)
    },
    idle: () => flights.idle(),
  }
}
