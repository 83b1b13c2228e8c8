/**
 * Creates one Coatcheck session from one old session. A sealed document under the keyed hash of the old session's identity stores the state
 * (`adoption-entry.ts`): `planned` (with the session that will be stored), `adopted` (with the ticket of that session), or `ended`. So an old
 * cookie that is sent again never opens a second session.
 */
import { createPlannedSessions } from '../../session/planned-session.ts'
import type { DocumentRef } from '../../documents/document-driver.ts'
import type { Adopted, AdoptingRequest, BridgeContext, BridgeStores } from '../cookie-bridge.ts'
import { createLateRemovals } from '../late-removals.ts'
import { reportAdoption, reporter } from '../origin.ts'
import {
  type AdoptedFate,
  createAdoptionEntries,
  type Fate,
  isPlan,
  type PlannedFate,
  ticketOf,
} from './adoption-entry.ts'
import { type AdoptionOptions, createAdoptionPlans, writtenEndOf } from './adoption-plans.ts'
import { agreedCookie } from './agreement.ts'
import { createRevokedUsers } from './revoked-users.ts'
import type { VerifiedCookie } from './verified-cookie.ts'

export interface Adoption {
  /** Returns the cookie that counts, of several verified ones. `null`: they belong to different users. */
  agreed(cookies: readonly VerifiedCookie[]): Promise<VerifiedCookie | null>
  adopt(cookie: VerifiedCookie, request: AdoptingRequest): Promise<Adopted | null>
  end(cookie: VerifiedCookie): Promise<void>
  /** Called before all sessions of a user end. From then on, no old session that began earlier is adopted. */
  revoking(userKey: string): Promise<void>
}

/** Two reads of the same end differ by less than this: clocks differ, and a store measures remaining lives. */
const SAME_END_MS = 60_000

export function createAdoption<S>(
  context: BridgeStores & Pick<BridgeContext, 'clock' | 'events'>,
  options: AdoptionOptions<S>,
): Adoption {
  const { origin, mode = 'read' } = options
  const { clock, events } = context
  const entries = createAdoptionEntries(context.documents, clock, origin)
  const sessions = createPlannedSessions(context.planned)
  const revoked = createRevokedUsers(context.documents, clock)
  const report = reporter(origin, events)
  const plans = createAdoptionPlans(context, options, { sessions, revoked, report })
  // An old process that answers a request at the time of a sign-out may write the old session again.
  const late = createLateRemovals(context.closing)

  /** Parallel requests of this process share one read of the old session. */
  const beginning = new Map<string, Promise<Fate | null>>()
  const beginOnce = (ref: DocumentRef, cookie: VerifiedCookie, request: AdoptingRequest): Promise<Fate | null> => {
    const known = beginning.get(ref.name)
    if (known) return known
    const begun = begin(ref, cookie, request).finally(() => beginning.delete(ref.name))
    beginning.set(ref.name, begun)
    return begun
  }

  const begin = async (ref: DocumentRef, cookie: VerifiedCookie, request: AdoptingRequest): Promise<Fate | null> => {
    const old = await cookie.load()
    if (old === null || old === 'unreadable') {
      report(old ?? 'missing')
      return null
    }
    const fate = await plans.plan(old, cookie, request)
    if (!fate) return null
    // If another process was first, its plan counts.
    if (!(await entries.create(ref, fate))) return entries.read(ref)
    reportAdoption(report, old.endsAtMs !== null || cookie.endsAtMs !== null)
    return fate
  }

  /**
   * Replaces an expired plan. No request got its ticket, because a ticket is handed out only after the document says `adopted`. The old
   * session still decides, so it is read again.
   */
  const planAgain = async (
    ref: DocumentRef,
    late: PlannedFate,
    cookie: VerifiedCookie,
    request: AdoptingRequest,
  ): Promise<Fate | null> => {
    const old = await cookie.load()
    if (old === null || old === 'unreadable') return null
    const fate = await plans.plan(old, cookie, request)
    if (!fate) return null
    const isLate = (now: Fate): boolean => isPlan(now, late.plan.ticket)
    const replaced = await entries.replace(ref, isLate, fate, fate.cookieEndsAtMs)
    const stored = typeof replaced === 'string' ? null : replaced
    // The session of the plan may be stored: a process crashed, or lost the reply, after that step. A slow request that has carried the plan
    // out meanwhile has handed its session out, so that session stays.
    if (stored?.state !== 'adopted' || stored.ticket !== late.plan.ticket) await revoke(late.plan.ticket)
    return stored
  }

  /** Stores the session of a plan, then replaces the plan in the document by the ticket. */
  const carryOut = async (
    ref: DocumentRef,
    fate: Fate,
    cookie: VerifiedCookie,
    request: AdoptingRequest,
  ): Promise<Fate | null> => {
    if (fate.state !== 'planned') return fate
    if (clock.now() >= fate.untilMs) {
      const next = await planAgain(ref, fate, cookie, request)
      return next?.state === 'planned' && clock.now() >= next.untilMs
        ? null
        : next && carryOut(ref, next, cookie, request)
    }
    const { plan, cookieEndsAtMs, oldEndsAtMs } = fate
    await sessions.store(plan)
    const { ticket, absoluteExpiresAtMs } = plan
    // A revocation since the plan may have ended the sessions of the user before this one was stored, and a logout may have missed it.
    const isRevoked = await plans.isRevoked(fate)
    const next: Fate = isRevoked
      ? { state: 'ended' }
      : { state: 'adopted', ticket, absoluteExpiresAtMs, cookieEndsAtMs, oldEndsAtMs }
    const replaced = await entries.replace(ref, (now) => isPlan(now, ticket), next, cookieEndsAtMs)
    if (replaced === 'gone' && !isRevoked) return next
    const stored: Fate = typeof replaced === 'string' ? { state: 'ended' } : replaced
    if (stored.state === 'adopted' && stored.ticket === ticket) return stored
    // A sign-out or a later plan came in between, so nothing else refers to this session.
    await revoke(ticket)
    return stored.state === 'planned' ? carryOut(ref, stored, cookie, request) : stored
  }

  const revoke = async (ticket: string): Promise<void> => {
    const id = sessions.idOf(ticket)
    if (id !== null) await context.revoke(id, 'signed-out')
  }

  const endAdopted = async (fate: Fate): Promise<void> => {
    // Another request may be storing this plan. Stores its session first, so that ending it leaves a marker.
    if (fate.state === 'planned' && clock.now() < fate.untilMs) await sessions.store(fate.plan)
    const ticket = ticketOf(fate)
    if (ticket !== undefined) await revoke(ticket)
  }

  /**
   * Adopts the old session once more, after the adopted one has expired: the users of old processes have extended the old session meanwhile,
   * as they do after a rollback. Each extension allows one more adoption, so a session that no process extends stays expired.
   */
  const adoptAgain = async (
    ref: DocumentRef,
    before: AdoptedFate,
    cookie: VerifiedCookie,
    request: AdoptingRequest,
  ): Promise<Adopted | null> => {
    const { oldEndsAtMs: knownEndMs = null, ticket } = before
    // After the absolute end, the store no longer knows whether the session was revoked.
    if (knownEndMs === null || clock.now() >= before.absoluteExpiresAtMs) return null
    const old = await cookie.load()
    if (old === null || old === 'unreadable') return null
    const endMs = writtenEndOf(old, cookie)
    if (endMs === null || endMs < knownEndMs + SAME_END_MS) return null
    const plan = await plans.plan(old, cookie, request)
    if (!plan) return null
    const isBefore = (now: Fate): boolean => now.state === 'adopted' && now.ticket === ticket
    const stored = await entries.replace(ref, isBefore, plan, plan.cookieEndsAtMs)
    if (typeof stored === 'string') return null
    // A touch that was under way may have extended the expired session.
    if (stored === plan) await revoke(ticket)
    if (stored === plan) reportAdoption(report, true)
    return handOut(ref, await carryOut(ref, stored, cookie, request), cookie, request)
  }

  const handOut = (
    ref: DocumentRef,
    fate: Fate | null,
    cookie: VerifiedCookie,
    request: AdoptingRequest,
  ): Adopted | null => {
    if (fate?.state !== 'adopted') return null
    return {
      ticket: fate.ticket,
      absoluteExpiresAtMs: fate.absoluteExpiresAtMs,
      adoptAgain: () => adoptAgain(ref, fate, cookie, request),
      async leaveOld() {
        if (mode === 'read') return false
        await cookie.end()
        report('moved')
        return true
      },
    }
  }

  return {
    agreed: (cookies) => agreedCookie(cookies, plans.userIdOf),

    async adopt(cookie, request) {
      const ref = entries.refOf(cookie)
      const known = (await entries.read(ref)) ?? (await beginOnce(ref, cookie, request))
      return handOut(ref, known && (await carryOut(ref, known, cookie, request)), cookie, request)
    },

    revoking: (userKey) => revoked.mark(userKey),

    async end(cookie) {
      const ref = entries.refOf(cookie)
      const known = await entries.read(ref)
      // A token without a session leaves no mark, because any visitor can invent one.
      const old = known ? null : await cookie.load()
      if (old === 'unreadable' || (!known && !old)) return
      // The mark first, then our session, then the old one: a repeated sign-out completes one that crashed.
      const knownEndMs = old ? plans.lastShownAtMs(cookie, old) : (cookie.endsAtMs ?? 0)
      const before = await entries.end(ref, knownEndMs, known)
      if (before) await endAdopted(before)
      late.add(ref.name, { isStored: () => Promise.resolve(false), remove: () => cookie.end() })
      await cookie.end()
      report('ended')
    },
  }
}
