/** Routes about the visitor's own sessions: session, devices, sign-out of devices. docs/http-routes.md describes them. */
import { OidcError, SessionError } from '../core/errors.ts'
import { parseSessionId } from '../session/ticket.ts'
import type { Revoked, Visit } from '../session/types.ts'
import type { User } from '../session/sign-in-input.ts'
import { assertSameOrigin } from './origin-check.ts'
import { plainErrorResponse } from './error-response.ts'
import { safeReturnTo } from './return-to.ts'
import { changed, type RouteRequest } from './route-request.ts'
import type { RouteDeps } from './route-deps.ts'

export async function showSession<D extends object>(_deps: RouteDeps<D>, request: RouteRequest<D>): Promise<Response> {
  const { session, user } = await signedIn(request)
  return Response.json({
    user,
    session: { id: session.id, createdAt: isoTime(session.createdAtMs), expiresAt: isoTime(session.expiresAtMs) },
  })
}

export async function listDevices<D extends object>(deps: RouteDeps<D>, request: RouteRequest<D>): Promise<Response> {
  const { session, user } = await signedIn(request)
  const rows = await deps.sessions.listByUser(user.id)
  const devices = rows.map(({ id, device, createdAtMs, lastSeenAtMs, expiresAtMs }) => ({
    id,
    current: id === session.id,
    browser: device.browser ?? null,
    system: device.system ?? null,
    ip: device.ip ?? null,
    createdAt: isoTime(createdAtMs),
    lastSeenAt: isoTime(lastSeenAtMs),
    expiresAt: isoTime(expiresAtMs),
  }))
  return Response.json({ devices })
}

/** `DELETE devices/:id`, and `POST` with `_method=delete` for pages without scripts. */
export async function endDevice<D extends object>(deps: RouteDeps<D>, request: RouteRequest<D>): Promise<Response> {
  assertSameOrigin(request.headers, deps.config.baseUrl.origin)
  const form = await request.form()
  if (request.method === 'POST' && form.get('_method') !== 'delete') {
    throw new OidcError('COATCHECK_REQUEST_INVALID', { details: { reason: '_method' } })
  }
  const { session, visit, user } = await signedIn(request)
  const id = request.path.slice('/devices/'.length)
  // All session ids of one user begin with the same user key. For this visitor, sessions of other users do not exist.
  const isOwn = parseSessionId(id)?.userKey === parseSessionId(session.id ?? '')?.userKey
  if (!isOwn) return plainErrorResponse(404, request.headers, deps.config.pages)
  const isCurrent = id === session.id
  const revoked = isCurrent ? await visit.signOut('signed-out') : await endOther(deps, user, id)
  if (isCurrent) deps.events.emit('signout', { sessionId: id })
  return changed(request.headers, returnPath(deps, form), { ...revoked })
}

/** Reads the list first, so that an id that the user made up causes no write. An unlisted session has ended, or never existed. */
async function endOther<D extends object>({ sessions }: RouteDeps<D>, user: User, id: string): Promise<Revoked> {
  const isLive = (await sessions.listByUser(user.id)).some((one) => one.id === id)
  return isLive ? sessions.revoke(id, 'signed-out-by-user') : { count: 0, durable: false }
}

export async function endOtherDevices<D extends object>(
  deps: RouteDeps<D>,
  request: RouteRequest<D>,
): Promise<Response> {
  assertSameOrigin(request.headers, deps.config.baseUrl.origin)
  const form = await request.form()
  const { session, user } = await signedIn(request)
  const except = session.id === null ? {} : { except: session.id }
  const revoked = await deps.sessions.revokeByUser(user.id, { ...except, reason: 'signed-out-by-user' })
  return changed(request.headers, returnPath(deps, form), { ...revoked })
}

async function signedIn<D extends object>(
  request: RouteRequest<D>,
): Promise<{ visit: Visit<D>; session: Visit<D>['session']; user: User }> {
  const visit = await request.requestSession.getVisit()
  const { session } = visit
  if (!session.user) throw new SessionError('COATCHECK_UNAUTHENTICATED', { details: { reason: visit.reason } })
  return { visit, session, user: session.user }
}

function returnPath<D extends object>({ config }: RouteDeps<D>, form: URLSearchParams): string {
  return safeReturnTo(form.get('returnTo'), config.baseUrl.origin, config.basePath) ?? '/'
}

/** ISO 8601 in responses: readable, and with an unambiguous unit. */
function isoTime(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString()
}
