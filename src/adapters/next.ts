/**
 * `coatcheck/next`: the routes and the session in Next 15 and 16, App Router, on the Node runtime.
 *
 * Reading works everywhere, including server components, and never needs to set a cookie. Writing session data works everywhere as well.
 * Operations that issue a new ticket (the first write of a new visitor, sign-in, rotation) work where Next can set cookies: in route
 * handlers and server actions.
 */
// Imports the module that next/navigation re-exports. `next/navigation` itself cannot be imported here: Next replaces it by its server
// version only under the name without an extension, and Node finds it only with one.
import { redirect } from 'next/dist/client/components/redirect.js'
import type { HttpInstance } from '../http/instance.ts'
import type { Duration } from '../core/duration.ts'
import type { SessionRequest } from '../http/request-session.ts'
import { assertCoatcheck, checkAdapterOptions } from '../http/node-edge.ts'
import { maxAgeMsOf } from '../http/recent-sign-in.ts'
import { lackOf, signInPath } from '../http/sign-in-demand.ts'
import { createWebEdge, type WebEdge } from '../http/web-edge.ts'
import type { Session, Visit } from '../session/types.ts'
import type { User } from '../session/sign-in-input.ts'
import { neverReused } from './next/next-sink.ts'
import { requestScope } from './next/request-scope.ts'

export { type AdoptionOptions, withAdoption } from './next/with-adoption.ts'

/** Options of `routeHandlers()`. */
export interface RouteHandlerOptions {
  /**
   * Returns the address of the client, for the list of devices. Read a header only behind a proxy that sets it. Default: none is stored.
   */
  readonly clientIp?: (request: Request) => string | undefined
}

type Handler = (request: Request) => Promise<Response>

/**
 * The handlers of the sign-in routes, for the file `app/auth/[...path]/route.ts`:
 * `export const { GET, POST, DELETE, HEAD, OPTIONS } = routeHandlers(auth)`.
 */
export interface RouteHandlers {
  /** Handles sign-in, callback, session and devices. */
  readonly GET: Handler
  /** Handles sign-out, forms and the callback by `form_post`. */
  readonly POST: Handler
  /** Handles ending a device. */
  readonly DELETE: Handler
  /** Answers as `GET` does, without a body. */
  readonly HEAD: Handler
  /** Answers with the methods of a route. */
  readonly OPTIONS: Handler
}

/**
 * Creates the handlers of the routes below `basePath`.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when `auth` is not from `coatcheck()`, or an option is unknown or wrong
 */
export function routeHandlers<D extends object>(
  auth: HttpInstance<D>,
  options: RouteHandlerOptions = {},
): RouteHandlers {
  options = checkAdapterOptions(options, 'routeHandlers()', ['clientIp'])
  const edge = createWebEdge(auth, 'routeHandlers()')
  const handle: Handler = async (request) =>
    neverReused(await edge.answerRoute(request, { ip: options.clientIp?.(request) }))
  return { GET: handle, POST: handle, DELETE: handle, HEAD: handle, OPTIONS: handle }
}

/**
 * Returns the session of the current request. It is read once per request, in rendering and outside of it. A request without a session
 * cookie costs no command. In a server component, a write that needs a new cookie is refused with `COATCHECK_COOKIES_READ_ONLY`.
 * @throws {RedisError} during an outage, unless `onUnavailable` names a substitute. It does not mean that no user is signed in.
 */
export async function getSession<D extends object>(
  auth: HttpInstance<D>,
  options?: SessionRequest,
): Promise<Session<D>> {
  return (await requestScope(auth)).requestSession.getSession(options)
}

/**
 * Returns the visit of the current request, for applications that sign in, rotate the ticket or sign out by themselves.
 * @throws {RedisError} during an outage
 */
export async function getVisit<D extends object>(auth: HttpInstance<D>): Promise<Visit<D>> {
  return (await requestScope(auth)).requestSession.getVisit()
}

/** Options of `requireUser()`. */
export interface NextRequireUserOptions extends SessionRequest {
  /** Path to return to after sign-in. A component cannot read its own path in Next. Default `/`. */
  readonly returnTo?: string
  /** Name of the provider to sign in at. Default: the first one. */
  readonly provider?: string
  /**
   * How long ago the user may have authenticated at the provider (claim `auth_time`), such as `'5m'`. After that, the browser goes to a
   * sign-in that requires the credentials again. A session without `auth_time` never counts as recent. Default: any time ago.
   */
  readonly maxAge?: Duration
}

/**
 * Returns the signed-in user and the session, for server components and server actions. Without a user, the browser is redirected to
 * sign-in by Next's `redirect()`, which throws: do not catch it.
 * @throws {RedisError} during an outage
 */
export async function requireUser<D extends object>(
  auth: HttpInstance<D>,
  { returnTo, provider, onUnavailable, maxAge }: NextRequireUserOptions = {},
): Promise<{
  /** The signed-in user. */
  readonly user: User
  /** The session of the user. */
  readonly session: Session<D>
}> {
  const maxAgeMs = maxAgeMsOf(maxAge, 'requireUser()')
  const session = await (await requestScope(auth)).requestSession.getSessionOfUser({ onUnavailable })
  const lack = lackOf(session, { maxAgeMs })
  if (session.user && lack === null) return { user: session.user, session }
  const asked = lack === 'COATCHECK_RECENT_SIGNIN_REQUIRED' ? { maxAgeMs } : {}
  return redirect(signInPath(auth.http.config().basePath, { provider, returnTo, ...asked }))
}

/**
 * Returns whether a request carries a ticket with a valid signature that has not expired, for `proxy.ts`. It does not query Redis, so it is
 * also true for a session that was ended, and for an anonymous session. Pages and handlers must use `requireUser` and `getSession`.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when `auth` is not from `coatcheck()`
 * @throws {ConfigError} when a setting is missing or invalid
 */
export function hasTicket<D extends object>(
  auth: HttpInstance<D>,
  request: { readonly headers: Pick<Headers, 'get'> },
): boolean {
  assertCoatcheck(auth, 'hasTicket()')
  return auth.http.hasTicket(request.headers.get('cookie'))
}

/** Options of `withUser()`. */
export interface NextWithUserOptions extends SessionRequest {
  /** Name of the provider to sign in at. Default: the first one. */
  readonly provider?: string
  /**
   * How long ago the user may have authenticated at the provider (claim `auth_time`), such as `'5m'`. After that, a navigation goes to a
   * sign-in that requires the credentials again, and any other request gets 401 `COATCHECK_RECENT_SIGNIN_REQUIRED`. A session without
   * `auth_time` never counts as recent. Default: any time ago.
   */
  readonly maxAge?: Duration
}

/** A route handler of Next: it receives the request and Next's context (`params`). */
export type NextHandler<C> = (request: Request, context: C) => Response | Promise<Response>

/** A handler of `withUser()`: its context also holds the signed-in user and the session. */
export type NextUserHandler<D extends object, C> = (
  request: Request,
  context: C & { readonly user: User; readonly session: Session<D> },
) => Response | Promise<Response>

/**
 * Wraps a route handler. If the handler used the session, the response gets `Cache-Control: private, no-store` (RFC 9111). Errors of
 * Coatcheck become responses, such as 503 with `Retry-After` during an outage. Other errors are thrown. A new ticket after the handler has
 * returned is refused with `COATCHECK_HEADERS_SENT`.
 */
export function routeHandler<D extends object, C>(auth: HttpInstance<D>, handler: NextHandler<C>): NextHandler<C> {
  const edge = createWebEdge(auth, 'routeHandler()')
  return (request, context) => finished(auth, edge, request, () => handler(request, context))
}

/**
 * Wraps a route handler for signed-in users, as `routeHandler()` does. Without a user, a navigation is redirected to sign-in and returns
 * afterwards; any other request gets 401.
 */
export function withUser<D extends object, C>(
  auth: HttpInstance<D>,
  handler: NextUserHandler<D, C>,
  { provider, onUnavailable, maxAge }: NextWithUserOptions = {},
): NextHandler<C> {
  const edge = createWebEdge(auth, 'withUser()')
  const requirement = { provider, maxAgeMs: maxAgeMsOf(maxAge, 'withUser()') }
  return (request, context) =>
    finished(auth, edge, request, async () => {
      const session = await (await requestScope(auth)).requestSession.getSessionOfUser({ onUnavailable })
      const demand = edge.demandOf(session, request, requirement)
      if (demand || !session.user) return demand ?? new Response(null, { status: 401 })
      return handler(request, { ...context, user: session.user, session })
    })
}

async function finished<D extends object>(
  auth: HttpInstance<D>,
  edge: WebEdge,
  request: Request,
  run: () => Response | Promise<Response>,
): Promise<Response> {
  const { sink } = await requestScope(auth)
  sink.mayLeaveUnnoticed = false
  try {
    return sink.finish(await run())
  } catch (error) {
    const answer = edge.answerError(error, request)
    if (!answer) throw error
    return answer
  }
}
