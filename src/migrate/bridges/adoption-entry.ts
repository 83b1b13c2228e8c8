/**
 * The sealed documents in which adoptions store the fate of old sessions, each under the keyed hash of the identity of one old session. A
 * document lives at least as long as a browser can send the old cookie.
 */
import type { Clock } from '../../core/clock.ts'
import { createDocuments, type DocumentDeps } from '../../documents/documents.ts'
import type { DocumentRef } from '../../documents/document-driver.ts'
import type { PlannedSession } from '../../session/planned-session.ts'
import type { VerifiedCookie } from './verified-cookie.ts'

export interface PlannedFate {
  readonly state: 'planned'
  readonly plan: PlannedSession
  /** When the user signed in, epoch milliseconds. `null`: unknown. */
  readonly beganAtMs: number | null
  /** Until when a request may store the session of the plan, epoch milliseconds. */
  readonly untilMs: number
  readonly cookieEndsAtMs: number
  /** The end of the old session at the adoption, as the old library had written it, epoch milliseconds. `null`: it had written none. */
  readonly oldEndsAtMs: number | null
}

export interface AdoptedFate extends Pick<PlannedFate, 'cookieEndsAtMs'> {
  readonly state: 'adopted'
  readonly ticket: string
  readonly absoluteExpiresAtMs: number
  /** As in the plan. Absent in documents of earlier versions. */
  readonly oldEndsAtMs?: number | null
}

export type Fate =
  | PlannedFate
  | AdoptedFate
  | {
      readonly state: 'ended'
      /** Ticket of the session that ended with it. A repeated sign-out ends that session again. */
      readonly ticket?: string
    }

export interface AdoptionEntries {
  refOf(cookie: VerifiedCookie): DocumentRef
  read(ref: DocumentRef): Promise<Fate | null>
  /** Stores a plan if there is no entry. False: another request was first. */
  create(ref: DocumentRef, fate: PlannedFate): Promise<boolean>
  /**
   * Replaces the stored state if it is the expected one.
   * @returns the state that is stored afterwards; `gone`: there is no entry; `ended`: the ended marker refuses it
   */
  replace(
    ref: DocumentRef,
    isExpected: (stored: Fate) => boolean,
    next: Fate,
    endsAtMs: number,
  ): Promise<Fate | 'gone' | 'ended'>
  /**
   * Marks the old session as ended. From then on no request adopts it.
   * @param shownUntilMs until when a browser can send the old cookie, epoch milliseconds, as the cookie and the old session state it
   * @param known the state that was read before
   * @returns the state that the mark replaced: another request may have adopted the session in between
   */
  end(ref: DocumentRef, shownUntilMs: number, known: Fate | null): Promise<Fate | null>
}

/** The old library may issue a cookie with a later end while the session is being ended, so the mark lives at least this long. */
const MIN_ENDED_MS = 7 * 24 * 3_600_000
/** Libraries accept a cookie for some time after its end, and clocks differ. */
const COOKIE_SLACK_MS = 5 * 60_000

export function createAdoptionEntries(deps: DocumentDeps, clock: Clock, origin: string): AdoptionEntries {
  const documents = createDocuments<Fate>(deps, 'adopted')
  const lifeUntil = (endsAtMs: number): number => Math.max(1, endsAtMs - clock.now()) + COOKIE_SLACK_MS

  return {
    refOf: ({ identity }) => documents.refOf(`${origin}\n${identity}`),
    read: async (ref) => (await documents.read(ref))?.value ?? null,

    async create(ref, fate) {
      const { status } = await documents.put(ref, fate, { ttlMs: lifeUntil(fate.cookieEndsAtMs), isNew: true })
      return status === 'saved'
    },

    async replace(ref, isExpected, next, endsAtMs) {
      const changed = await documents.change(
        ref,
        (stored) => (isExpected(stored) ? next : null),
        () => lifeUntil(endsAtMs),
      )
      if (changed.status === 'saved') return changed.document.value
      return changed.status === 'gone' ? 'gone' : 'ended'
    },

    async end(ref, shownUntilMs, known) {
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
    },
  }
}

/** Returns the ticket of the session that was made, or will be made. */
export function ticketOf(fate: Fate): string | undefined {
  return fate.state === 'planned' ? fate.plan.ticket : fate.ticket
}

export function isPlan(fate: Fate, ticket: string): boolean {
  return fate.state === 'planned' && fate.plan.ticket === ticket
}
