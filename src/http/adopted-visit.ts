/**
 * The visit of a request that carries a cookie of another library. If Coatcheck has no user for the request, the bridge looks up the old
 * session. A sign-out also ends the old session. Requests without an old cookie do not use this module.
 */
import { isCoatcheckError } from '../core/errors.ts'
import { own } from '../core/json.ts'
import type { EventBus } from '../core/events.ts'
import type { Adopted, AttachedBridge, CookieBridge } from '../migrate/cookie-bridge.ts'
import { isTicketOfUser } from '../session/ticket.ts'
import type { Revoked, SessionStore, TicketSink, Visit } from '../session/types.ts'
import type { Device } from '../session/sign-in-input.ts'
import { putSetCookie, type ResponseSink } from './cookie.ts'

interface AdoptingDeps<D extends object> {
  readonly config: { readonly signIn: { readonly carry?: readonly string[] } }
  readonly sessions: Pick<SessionStore<D>, 'visit'>
  readonly events: EventBus
  readonly attach: (bridge: CookieBridge) => AttachedBridge
}

interface Passage<D extends object> {
  readonly deps: AdoptingDeps<D>
  readonly bridge: CookieBridge
  readonly input: { readonly cookieHeader: string | null | undefined; readonly sink: ResponseSink | null }
  readonly sink: TicketSink
  readonly device: () => Device | undefined
}

/** Issues no cookie. Used to end a session whose cookie another session replaces. */
const SILENT: TicketSink = {
  assertWritable: () => undefined,
  issue: () => undefined,
  clear: () => undefined,
}

/** @param ticket ticket of the request, with which `reading` reads */
export async function adoptedVisit<D extends object>(
  reading: Promise<Visit<D>>,
  ticket: string | null,
  passage: Passage<D>,
): Promise<Visit<D>> {
  const first = await reading
  const isDecided = first.session.user !== null || isRevokedUser(first, ticket)
  const visit = isDecided ? first : ((await adopt(first, ticket, passage)) ?? first)
  return withOldSignOut(visit, passage)
}

/**
 * The browser holds the ticket of a user whose session was revoked. The old application may have sealed its cookie again, so that no
 * document identifies it. A revoked session stays revoked: the user must sign in again.
 */
function isRevokedUser<D extends object>(first: Visit<D>, ticket: string | null): boolean {
  return first.reason === 'revoked' && ticket !== null && isTicketOfUser(ticket)
}

/** `null`: the visitor keeps the visit without a user. */
async function adopt<D extends object>(
  first: Visit<D>,
  ticket: string | null,
  passage: Passage<D>,
): Promise<Visit<D> | null> {
  const { deps, bridge, input, sink, device } = passage
  const attached = deps.attach(bridge)
  const carried = carriedFields(first, deps.config.signIn.carry ?? [])
  const found = await opened(await attached.adopt(input.cookieHeader ?? '', { device, carried }), passage)
  if (!found) return null
  const { adopted, visit } = found
  if (!issued(adopted, sink)) return visit
  if (ticket !== null && first.session.id !== null) await endPrevious(ticket, passage)
  await leaveOld(adopted, passage)
  return visit
}

/**
 * Opens the adopted session. After a rollback it may have expired while old processes extended the old session. The store distinguishes an expired
 * session from a revoked one, which stays revoked.
 */
async function opened<D extends object>(
  adopted: Adopted | null,
  passage: Passage<D>,
): Promise<{ readonly adopted: Adopted; readonly visit: Visit<D> } | null> {
  const { deps, sink, device } = passage
  const visit = adopted && (await deps.sessions.visit(adopted.ticket, sink, device))
  if (!visit) return null
  if (visit.session.user) return { adopted, visit }
  return visit.reason === 'expired' ? opened(await adopted.adoptAgain(), passage) : null
}

/** The session exists even if no cookie can be set here. A later request gets the cookie. */
function issued({ ticket, absoluteExpiresAtMs }: Adopted, sink: TicketSink): boolean {
  try {
    sink.issue(ticket, absoluteExpiresAtMs)
    return true
  } catch (error) {
    if (!isCoatcheckError(error)) throw error
    return false
  }
}

/** Ends the anonymous session of the visitor, as a sign-in does. */
async function endPrevious<D extends object>(ticket: string, { deps }: Passage<D>): Promise<void> {
  try {
    await (await deps.sessions.visit(ticket, SILENT)).signOut('signed-in')
  } catch (error) {
    report(deps, error)
  }
}

/** The new session stays, even if the old one cannot be ended. */
async function leaveOld<D extends object>(adopted: Adopted, passage: Passage<D>): Promise<void> {
  try {
    if (await adopted.leaveOld()) removeOldCookies(passage)
  } catch (error) {
    report(passage.deps, error)
  }
}

function withOldSignOut<D extends object>(visit: Visit<D>, passage: Passage<D>): Visit<D> {
  return {
    session: visit.session,
    get reason() {
      return visit.reason
    },
    signIn: (input) => visit.signIn(input),
    rotate: (options) => visit.rotate(options),
    /** Both sessions end, even if one of the two stores fails. The failure is reported afterwards. */
    async signOut(reason): Promise<Revoked> {
      const { deps, bridge, input } = passage
      const [old] = await Promise.allSettled([deps.attach(bridge).end(input.cookieHeader ?? '')])
      const revoked = await visit.signOut(reason)
      if (old.status === 'rejected') throw old.reason
      removeOldCookies(passage)
      return revoked
    },
  }
}

function removeOldCookies<D extends object>({ bridge, input: { sink, cookieHeader } }: Passage<D>): void {
  if (!sink || sink.headersSent || sink.isReadOnly) return
  for (const line of bridge.clearing(cookieHeader ?? '')) putSetCookie(sink, line)
}

/** Same fields as `signIn.carry` at a sign-in. */
function carriedFields<D extends object>({ session }: Visit<D>, names: readonly string[]): Record<string, unknown> {
  if (session.id === null || names.length === 0) return {}
  const data = own(session.toJSON().data) as Record<string, unknown>
  return Object.fromEntries(names.flatMap((name) => (name in data ? [[name, data[name]]] : [])))
}

function report<D extends object>({ events }: AdoptingDeps<D>, error: unknown): void {
  events.emit('error', { code: isCoatcheckError(error) ? error.code : 'UNKNOWN', operation: 'migration.adopt' })
}
