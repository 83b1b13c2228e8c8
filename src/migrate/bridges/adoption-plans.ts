/**
 * Plans the Coatcheck session for an old session: asks the application for the user, and checks that neither a revocation nor a logout at the
 * provider covers the old session.
 */
import { MAX_TTL_MS } from '../../core/time-to-live.ts'
import type { PlannedSession, PlannedSessions } from '../../session/planned-session.ts'
import type { AdoptingRequest, BridgeContext, BridgeStores } from '../cookie-bridge.ts'
import type { Report } from '../origin.ts'
import type { PlannedFate } from './adoption-entry.ts'
import type { OldSession } from './old-sessions.ts'
import { type AdoptedUser, adoptedUser, type BridgeOptions } from './options.ts'
import type { RevokedUsers } from './revoked-users.ts'
import type { VerifiedCookie } from './verified-cookie.ts'

export interface AdoptionOptions<S> extends Pick<BridgeOptions<S>, 'user' | 'mode' | 'extend'> {
  readonly origin: string
  /** For messages. */
  readonly caller: string
}

export interface AdoptionPlans {
  /** `null`: the old session has no user, or it began before a revocation or a logout that covers it. */
  plan(old: OldSession, cookie: VerifiedCookie, request: AdoptingRequest): Promise<PlannedFate | null>
  /** Returns whether a revocation or a logout at the provider covers the old session of a plan by now. */
  isRevoked(fate: PlannedFate): Promise<boolean>
  /** `null`: the old session has ended, or has no user. */
  userIdOf(cookie: VerifiedCookie): Promise<string | null>
  /** Until when a browser can send the cookie, epoch milliseconds. */
  lastShownAtMs(cookie: VerifiedCookie, old: OldSession): number
}

/**
 * How long a stored plan may become a session: after a crash between plan and record, another request stores the session from the plan.
 * The store remembers for an hour that a session has ended (`ENDED_REMEMBERED_MS`). This time is far shorter, so a plan never brings an
 * ended session back.
 */
const PLAN_VALID_MS = 60_000
/** The longest life that browsers give a cookie (RFC 6265bis section 5.5). */
const BROWSER_COOKIE_MS = 400 * 24 * 3_600_000
/** How far the clock of the old application may be ahead. */
const CLOCK_SLACK_MS = 5 * 60_000

export function createAdoptionPlans<S>(
  { planned, register, clock }: BridgeStores & Pick<BridgeContext, 'clock'>,
  { caller, user, extend = true }: Pick<AdoptionOptions<S>, 'caller' | 'user' | 'extend'>,
  parts: { readonly sessions: PlannedSessions; readonly revoked: RevokedUsers; readonly report: Report },
): AdoptionPlans {
  const { sessions, revoked, report } = parts

  const isEndedAtProvider = async (plan: PlannedSession): Promise<boolean> => {
    const { authentication } = JSON.parse(plan.profile) as Pick<AdoptedUser, 'authentication'>
    const id = authentication ? sessions.idOf(plan.ticket) : null
    return authentication !== undefined && id !== null && !(await register(authentication, id))
  }

  /** A browser can send a seal or a JWT without an end forever, so its document gets the longest TTL of a store. */
  const lastShownAtMs = (cookie: VerifiedCookie, old: OldSession): number =>
    cookie.endsAtMs ?? old.endsAtMs ?? clock.now() + MAX_TTL_MS

  /** Accepts only a time that is not in the future: `user` may return any value, and a future time would escape every revocation. */
  const timeKnown = (ms: number | null | undefined): number | null =>
    Number.isFinite(ms) && (ms as number) <= clock.now() + CLOCK_SLACK_MS ? (ms as number) : null

  const sessionFor = (
    { userId, profile, authentication, data }: FoundUser,
    { endsAtMs }: OldSession,
    cookie: VerifiedCookie,
    { device, carried }: AdoptingRequest,
  ): PlannedSession => {
    const ends = [endsAtMs, cookie.endsAtMs].filter((end) => end !== null)
    return sessions.plan({
      ...{ userId, profile, authentication, device: device() },
      data: { ...carried, ...data },
      endsAtMs: ends.length === 0 ? null : Math.min(...ends),
      isExtended: extend,
    })
  }

  return {
    lastShownAtMs,

    async plan(old, cookie, request) {
      const found = adoptedUser(await user(old.data as S), caller)
      if (!found) return null
      const beganAtMs = timeKnown(signedInAtMs(found)) ?? timeKnown(old.beganAtMs)
      if (await revoked.covers(planned.keyring.userKey(found.userId), beganAtMs)) {
        report('ended')
        return null
      }
      const plan = sessionFor(found, old, cookie, request)
      if (await isEndedAtProvider(plan)) {
        report('ended')
        return null
      }
      // A cookie without an end of its own names a session that old processes may extend again and again.
      const shownAtLeastMs = cookie.endsAtMs === null ? clock.now() + BROWSER_COOKIE_MS : 0
      const cookieEndsAtMs = Math.max(lastShownAtMs(cookie, old), plan.absoluteExpiresAtMs, shownAtLeastMs)
      const untilMs = clock.now() + PLAN_VALID_MS
      return { state: 'planned', plan, beganAtMs, cookieEndsAtMs, untilMs, oldEndsAtMs: writtenEndOf(old, cookie) }
    },

    async isRevoked({ plan, beganAtMs }) {
      const userKey = sessions.userKeyOf(plan.ticket)
      return (userKey !== null && (await revoked.covers(userKey, beganAtMs))) || (await isEndedAtProvider(plan))
    },

    async userIdOf(cookie) {
      const old = await cookie.load()
      if (old === null || old === 'unreadable') return null
      return adoptedUser(await user(old.data as S), caller)?.userId ?? null
    },
  }
}

/** Returns the end that the old library has written, epoch milliseconds. `null`: it has written none. */
export function writtenEndOf(old: OldSession, cookie: VerifiedCookie): number | null {
  return old.writtenEndMs === undefined ? (old.endsAtMs ?? cookie.endsAtMs) : old.writtenEndMs
}

type FoundUser = NonNullable<ReturnType<typeof adoptedUser>>

/** Returns the time of the sign-in that `user` states. It is more exact than the cookie, which the old application may have issued again. */
function signedInAtMs({ authentication }: AdoptedUser): number | undefined {
  return authentication?.isAuthTimeUnknown ? undefined : authentication?.authenticatedAtMs
}
