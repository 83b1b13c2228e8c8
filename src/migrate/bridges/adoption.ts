/**
 * Creates one Coatcheck session from one old session. A sealed document under the keyed hash of the old session's identity stores the state:
 * `planned` (with the session that will be stored), `adopted` (with the ticket of that session), or `ended`. The document lives at least as
 * long as a browser can send the old cookie. So an old cookie that is sent again never opens a second session.
 */
import { MAX_TTL_MS } from '../../core/time-to-live.ts'
import { createDocuments } from '../../documents/documents.ts'
import type { DocumentRef } from '../../documents/document-driver.ts'
import { createPlannedSessions, type PlannedSession } from '../../session/planned-session.ts'
import type { Adopted, AdoptingRequest, BridgeContext, BridgeStores } from '../cookie-bridge.ts'
import { createLateRemovals } from '../late-removals.ts'
import { reportAdoption, reporter } from '../origin.ts'
import type { OldSession, OldSessionRead } from './old-sessions.ts'
import { agreedCookie } from './agreement.ts'
import { type AdoptedUser, adoptedUser, type BridgeOptions } from './options.ts'
import { createRevokedUsers } from './revoked-users.ts'

/** An old cookie whose signature or seal was verified. */
export interface VerifiedCookie {
  /** Identifies the old session for its whole life. No visitor can produce another spelling of it. */
  readonly identity: string
  /** When the cookie ends by its own data, epoch milliseconds. `null`: it names no end. */
  readonly endsAtMs: number | null
  /** Reads the old session, from the server or from the cookie. */
  load(): Promise<OldSessionRead>
  /** Ends the old session on its server. Does nothing for a session that exists only in the cookie. */
  end(): Promise<void>
}

interface PlannedFate {
  readonly state: 'planned'
  readonly plan: PlannedSession
  /** When the user signed in, epoch milliseconds. `null`: unknown. */
  readonly beganAtMs: number | null
  readonly untilMs: number
  readonly cookieEndsAtMs: number
}

type Fate =
  | PlannedFate
  | {
      readonly state: 'adopted'
      readonly ticket: string
      readonly absoluteExpiresAtMs: number
      readonly cookieEndsAtMs: number
    }
  | {
      readonly state: 'ended'
      /** Ticket of the session that ended with it. A repeated sign-out ends that session again. */
      readonly ticket?: string
    }

export interface AdoptionOptions<S> extends Pick<BridgeOptions<S>, 'user' | 'mode' | 'extend'> {
  readonly origin: string
  /** For messages. */
  readonly caller: string
}

export interface Adoption {
  /** Returns the cookie that counts, of several verified ones. `null`: they belong to different users. */
  agreed(cookies: readonly VerifiedCookie[]): Promise<VerifiedCookie | null>
  adopt(cookie: VerifiedCookie, request: AdoptingRequest): Promise<Adopted | null>
  end(cookie: VerifiedCookie): Promise<void>
  /** Called before all sessions of a user end. From then on, no old session that began earlier is adopted. */
  revoking(userKey: string): Promise<void>
}

/**
 * After a crash between plan and record, another request may store the session within this time. It is far below the hour for which the store
 * remembers that a session has ended. So a plan never brings an ended session back.
 */
const PLAN_VALID_MS = 60_000
/** The old library may issue a cookie with a later end while the session is being ended, so the mark lives at least this long. */
const MIN_ENDED_MS = 7 * 24 * 3_600_000
/** Libraries accept a cookie for some time after its end, and clocks differ. */
const COOKIE_SLACK_MS = 5 * 60_000
/** How far the clock of the old application may be ahead. */
const CLOCK_SLACK_MS = 5 * 60_000

export function createAdoption<S>(
  context: BridgeStores & Pick<BridgeContext, 'clock' | 'events'>,
  { origin, caller, user, mode = 'read', extend = true }: AdoptionOptions<S>,
): Adoption {
  const { clock, events } = context
  const documents = createDocuments<Fate>(context.documents, 'adopted')
  const sessions = createPlannedSessions(context.planned)
  const revoked = createRevokedUsers(context.documents, clock)
  const report = reporter(origin, events)
  // An old process that answers a request at the time of a sign-out may write the old session again.
  const late = createLateRemovals(context.closing)
  const refOf = ({ identity }: VerifiedCookie): DocumentRef => documents.refOf(`${origin}\n${identity}`)
  const lifeUntil = (endsAtMs: number): number => Math.max(1, endsAtMs - clock.now()) + COOKIE_SLACK_MS
  /** A browser can send a seal or a JWT without an end forever, so its document gets the longest TTL of a store. */
  const lastShownAtMs = (cookie: VerifiedCookie, old: OldSession): number =>
    cookie.endsAtMs ?? old.endsAtMs ?? clock.now() + MAX_TTL_MS

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
    const fate = await plannedFate(old, cookie, request)
    if (!fate) return null
    const saved = await documents.put(ref, fate, { ttlMs: lifeUntil(fate.cookieEndsAtMs), isNew: true })
    // Another process was first: its plan counts.
    if (saved.status !== 'saved') return (await documents.read(ref))?.value ?? null
    reportAdoption(report, old.endsAtMs !== null || cookie.endsAtMs !== null)
    return fate
  }

  const plannedFate = async (
    old: OldSession,
    cookie: VerifiedCookie,
    request: AdoptingRequest,
  ): Promise<PlannedFate | null> => {
    const found = adoptedUser(await user(old.data as S), caller)
    if (!found) return null
    const beganAtMs = timeKnown(signedInAtMs(found)) ?? timeKnown(old.beganAtMs)
    if (await revoked.covers(context.planned.keyring.userKey(found.userId), beganAtMs)) {
      report('ended')
      return null
    }
    const plan = planFor(found, old, cookie, request)
    if (await isEndedAtProvider(plan)) {
      report('ended')
      return null
    }
    const cookieEndsAtMs = Math.max(lastShownAtMs(cookie, old), plan.absoluteExpiresAtMs)
    return { state: 'planned', plan, beganAtMs, cookieEndsAtMs, untilMs: clock.now() + PLAN_VALID_MS }
  }

  const isEndedAtProvider = async (plan: PlannedSession): Promise<boolean> => {
    const { authentication } = JSON.parse(plan.profile) as Pick<AdoptedUser, 'authentication'>
    const id = authentication ? sessions.idOf(plan.ticket) : null
    return authentication !== undefined && id !== null && !(await context.register(authentication, id))
  }

  const planFor = (
    found: FoundUser,
    { endsAtMs }: OldSession,
    cookie: VerifiedCookie,
    { device, carried }: AdoptingRequest,
  ): PlannedSession => {
    const ends = [endsAtMs, cookie.endsAtMs].filter((end) => end !== null)
    return sessions.plan({
      ...{ userId: found.userId, profile: found.profile, authentication: found.authentication, device: device() },
      data: { ...carried, ...found.data },
      endsAtMs: ends.length === 0 ? null : Math.min(...ends),
      isExtended: extend,
    })
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
    const fate = await plannedFate(old, cookie, request)
    if (!fate) return null
    const changed = await documents.change(
      ref,
      (stored) => (isPlan(stored, late.plan.ticket) ? fate : null),
      () => lifeUntil(fate.cookieEndsAtMs),
    )
    const stored = changed.status === 'saved' ? changed.document.value : null
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
    const { plan, beganAtMs, cookieEndsAtMs } = fate
    await sessions.store(plan)
    const { ticket, absoluteExpiresAtMs } = plan
    const userKey = sessions.userKeyOf(ticket)
    // A revocation since the plan may have ended the sessions of the user before this one was stored, and a logout may have missed it.
    const isRevoked =
      (userKey !== null && (await revoked.covers(userKey, beganAtMs))) || (await isEndedAtProvider(plan))
    const next: Fate = isRevoked
      ? { state: 'ended' }
      : { state: 'adopted', ticket, absoluteExpiresAtMs, cookieEndsAtMs }
    const changed = await documents.change(
      ref,
      (stored) => (isPlan(stored, ticket) ? next : null),
      () => lifeUntil(cookieEndsAtMs),
    )
    if (changed.status === 'gone' && !isRevoked) return next
    const stored = changed.status === 'saved' ? changed.document.value : ({ state: 'ended' } as const)
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
   * Marks the old session as ended. From then on no request adopts it.
   * @param shownUntilMs until when a browser can send the old cookie, epoch milliseconds, as the cookie and the old session state it
   * @param known the state that was read before
   * @returns the state that the mark replaced: another request may have adopted the session in between
   */
  const refuseFromNowOn = async (ref: DocumentRef, shownUntilMs: number, known: Fate | null): Promise<Fate | null> => {
    let before = known
    const ttlMs = (): number => {
      const adoptedEndsAtMs = before === null || before.state === 'ended' ? 0 : before.cookieEndsAtMs
      return Math.max(lifeUntil(Math.max(shownUntilMs, adoptedEndsAtMs)), MIN_ENDED_MS)
    }
    const ended = (stored: Fate): Fate | null => {
      before = stored
      const ticket = ticketOf(stored)
      return stored.state === 'ended' ? null : { state: 'ended', ...(ticket !== undefined && { ticket }) }
    }
    try {
      // The last attempt replaces a document that does not open, such as one of a lost key.
      for (const isNew of [true, true, false]) {
        const put = await documents.put(ref, { state: 'ended' }, { ttlMs: ttlMs(), isNew })
        if (put.status !== 'taken') break
        const changed = await documents.change(ref, ended, ttlMs)
        if (changed.status !== 'gone') break
      }
    } catch {
      // A full store still accepts the ended marker.
      await documents.driver.end(ref, ttlMs(), true)
    }
    return before
  }

  /** Accepts only a time that is not in the future: `user` may return any value, and a future time would escape every revocation. */
  const timeKnown = (ms: number | null | undefined): number | null =>
    Number.isFinite(ms) && (ms as number) <= clock.now() + CLOCK_SLACK_MS ? (ms as number) : null

  const userIdOf = async (cookie: VerifiedCookie): Promise<string | null> => {
    const old = await cookie.load()
    if (old === null || old === 'unreadable') return null
    return adoptedUser(await user(old.data as S), caller)?.userId ?? null
  }

  return {
    agreed: (cookies) => agreedCookie(cookies, userIdOf),

    async adopt(cookie, request) {
      const ref = refOf(cookie)
      const known = (await documents.read(ref))?.value ?? (await beginOnce(ref, cookie, request))
      const fate = known && (await carryOut(ref, known, cookie, request))
      if (!fate || fate.state !== 'adopted') return null
      return {
        ticket: fate.ticket,
        absoluteExpiresAtMs: fate.absoluteExpiresAtMs,
        async leaveOld() {
          if (mode === 'read') return false
          await cookie.end()
          report('moved')
          return true
        },
      }
    },

    revoking: (userKey) => revoked.mark(userKey),

    async end(cookie) {
      const ref = refOf(cookie)
      const known = (await documents.read(ref))?.value ?? null
      // A token without a session leaves no mark, because any visitor can invent one.
      const old = known ? null : await cookie.load()
      if (old === 'unreadable' || (!known && !old)) return
      // The mark first, then our session, then the old one: a repeated sign-out completes one that crashed.
      const knownEndMs = old ? lastShownAtMs(cookie, old) : (cookie.endsAtMs ?? 0)
      const before = await refuseFromNowOn(ref, knownEndMs, known)
      if (before) await endAdopted(before)
      late.add(ref.name, { isStored: () => Promise.resolve(false), remove: () => cookie.end() })
      await cookie.end()
      report('ended')
    },
  }
}

type FoundUser = NonNullable<ReturnType<typeof adoptedUser>>

/** Returns the time of the sign-in that `user` states. It is more exact than the cookie, which the old application may have issued again. */
function signedInAtMs({ authentication }: AdoptedUser): number | undefined {
  return authentication?.isAuthTimeUnknown ? undefined : authentication?.authenticatedAtMs
}

function ticketOf(fate: Fate): string | undefined {
  return fate.state === 'planned' ? fate.plan.ticket : fate.ticket
}

function isPlan(fate: Fate, ticket: string): boolean {
  return fate.state === 'planned' && fate.plan.ticket === ticket
}
