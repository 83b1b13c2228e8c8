/**
 * `coatcheck/next`: the routes and the session in Next 15 and 16, App Router, on the Node runtime.
 *
 * Reading works everywhere, server components included, and never wants to write a cookie. Writing session data works
 * everywhere as well; what brings a new ticket (the first write of a new visitor, sign-in, rotation) works where Next can set
 * cookies: in route handlers and server actions.
 */
import '../core/node-version.ts'
// What next/navigation re-exports. That itself cannot be named here: Next replaces it by its server version under the name without an
// extension, and Node finds it only with one.
import { redirect } from 'next/dist/client/components/redirect.js'
import type { Coatcheck } from '../coatcheck.ts'
import type { SessionRequest } from '../http/exchange.ts'
import { assertCoatcheck, checkAdapterOptions } from '../http/node-edge.ts'
import { signInPath } from '../http/sign-in-demand.ts'
import { createWebEdge, type WebEdge } from '../http/web-edge.ts'
import type { Session, User, Visit } from '../session/types.ts'
import { requestScope } from './next/request-scope.ts'

/** Options of `routeHandlers()`. */
export interface RouteHandlerOptions {
  /** The client's address for the list of devices, as a proxy of yours says it. Default: none is kept. */
  readonly clientIp?: (request: Request) => string | undefined
}

type Handler = (request: Request) => Promise<Response>

/** `app/auth/[...path]/route.ts`: `export const { GET, POST, DELETE, HEAD, OPTIONS } = routeHandlers(auth)`. */
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

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for an instance or options that are none */
export function routeHandlers<D extends object>(auth: Coatcheck<D>, options: RouteHandlerOptions = {}): RouteHandlers {
  checkAdapterOptions(options, 'routeHandlers()', ['clientIp'])
  const edge = createWebEdge(auth, 'routeHandlers()')
  const handle: Handler = (request) => edge.answerRoute(request, options.clientIp?.(request))
  return { GET: handle, POST: handle, DELETE: handle, HEAD: handle, OPTIONS: handle }
}

/**
 * The session of the request under way; read once per request, in rendering and outside. No cookie of ours: no command.
 * @throws {RedisError} when the store cannot be asked. It does not mean that nobody is signed in.
 */
export async function getSession<D extends object>(auth: Coatcheck<D>, options?: SessionRequest): Promise<Session<D>> {
  return (await requestScope(auth)).exchange.getSession(options)
}

/** For applications that sign in, rotate (a new ticket at a change of privilege) or sign out by themselves. */
export async function getVisit<D extends object>(auth: Coatcheck<D>): Promise<Visit<D>> {
  return (await requestScope(auth)).exchange.getVisit()
}

/** Options of `requireUser()`. */
export interface NextRequireUserOptions extends SessionRequest {
  /** Where to come back to after sign-in: a path. Next does not tell a component its own. Default `/`. */
  readonly returnTo?: string
  /** With several providers: the one to sign in at. */
  readonly provider?: string
}

/**
 * Who is signed in; for server components and server actions. Anybody else is redirected to sign-in, by Next's `redirect()`.
 * @throws {RedisError} when the store cannot be asked
 */
export async function requireUser<D extends object>(
  auth: Coatcheck<D>,
  { returnTo, provider, onUnavailable }: NextRequireUserOptions = {},
): Promise<{
  /** The signed-in user. */
  readonly user: User
  /** The session of the user. */
  readonly session: Session<D>
}> {
  const session = await (await requestScope(auth)).exchange.getSessionOfUser({ onUnavailable })
  if (session.user) return { user: session.user, session }
  return redirect(signInPath(auth.http.config().basePath, { provider, returnTo }))
}

/**
 * For `proxy.ts`: whether the request carries a ticket of ours that has not expired. Signature and time only, Redis is not
 * asked, so a session that was ended meanwhile still passes: pages and handlers decide with `requireUser` and `getSession`.
 */
export function hasTicket<D extends object>(
  auth: Coatcheck<D>,
  request: { readonly headers: Pick<Headers, 'get'> },
): boolean {
  assertCoatcheck(auth, 'hasTicket()')
  return auth.http.hasTicket(request.headers.get('cookie'))
}

/** A handler of Next: the request, and what Next gives with it (`params`). */
export type NextHandler<C> = (request: Request, context: C) => Response | Promise<Response>

/** A handler that also gets who is signed in. */
export type NextUserHandler<D extends object, C> = (
  request: Request,
  context: C & { readonly user: User; readonly session: Session<D> },
) => Response | Promise<Response>

/**
 * A route handler whose response is not stored by a cache when it has asked for the session, and whose errors of ours become
 * answers: 503 with `Retry-After` for a store that is down. A new ticket after it has returned is `COATCHECK_HEADERS_SENT`.
 */
export function routeHandler<D extends object, C>(auth: Coatcheck<D>, handler: NextHandler<C>): NextHandler<C> {
  const edge = createWebEdge(auth, 'routeHandler()')
  return (request, context) => finished(auth, edge, request, () => handler(request, context))
}

/** `routeHandler` for those who are signed in. Others: a navigation goes to sign-in and comes back, anything else gets 401. */
export function withUser<D extends object, C>(
  auth: Coatcheck<D>,
  handler: NextUserHandler<D, C>,
  { provider, onUnavailable }: { readonly provider?: string } & SessionRequest = {},
): NextHandler<C> {
  const edge = createWebEdge(auth, 'withUser()')
  return (request, context) =>
    finished(auth, edge, request, async () => {
      const session = await (await requestScope(auth)).exchange.getSessionOfUser({ onUnavailable })
      if (!session.user) return edge.demandSignIn(request, provider)
      return handler(request, { ...context, user: session.user, session })
    })
}

async function finished<D extends object>(
  auth: Coatcheck<D>,
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
