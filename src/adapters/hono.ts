/** `coatcheck/hono`: the routes and the session on Hono 4, on its server for Node. Hono is not loaded here (types only). */
import type { ServerResponse } from 'node:http'
import type { Context, ErrorHandler, Handler, MiddlewareHandler } from 'hono'
import type { HttpInstance } from '../http/instance.ts'
import type { Duration } from '../core/duration.ts'
import { MisuseError } from '../core/errors.ts'
import { type ResponseSink, sinkHeaderOf } from '../http/cookie.ts'
import type { RequestSession, SessionRequest } from '../http/request-session.ts'
import { createHolders } from '../http/holder.ts'
import { checkAdapterOptions } from '../http/node-edge.ts'
import { maxAgeMsOf } from '../http/recent-sign-in.ts'
import { type HeadWriter, isInsteadOfCacheControl, keepUncached, UNCACHED } from '../http/uncached-response.ts'
import { createWebEdge, hostOf } from '../http/web-edge.ts'
import type { CookieBridge } from '../migrate/cookie-bridge.ts'
import type { OutagePolicy } from '../config/session-settings.ts'
import type { Session, Visit } from '../session/types.ts'
import type { User } from '../session/sign-in-input.ts'

/** Options of `honoAuth()`. */
export interface HonoAuthOptions {
  /** Puts `{ getSession, getVisit }` into the context under this name, read-only: `c.get('…')`. Default: nothing is put there. */
  readonly property?: string
  /**
   * Returns the address of the client, for the list of devices. Read a header only behind a proxy that sets it. Default: the socket's
   * address.
   */
  readonly clientIp?: (context: Context) => string | undefined
  /** Adopts the sessions of another library: a bridge of `coatcheck/migrate`, such as `fromExpressSession()`. Default: none. */
  readonly adopt?: CookieBridge
}

/** Options of `web.requireUser()` and `web.withUser()`. */
export interface HonoRequireUserOptions {
  /** Name of the provider to sign in at. Default: the first one. */
  readonly provider?: string
  /** What to do during an outage: `fail` or `stale`. Default: `session.onUnavailable`. `anonymous` counts as `fail` here. */
  readonly onUnavailable?: OutagePolicy
  /**
   * How long ago the user may have authenticated at the provider (claim `auth_time`), such as `'5m'`. After that, a navigation goes to a
   * sign-in that requires the credentials again, and any other request gets 401 `COATCHECK_RECENT_SIGNIN_REQUIRED`. A session without
   * `auth_time` never counts as recent. Default: any time ago.
   */
  readonly maxAge?: Duration
}

/** A handler of `withUser()`: it receives the signed-in user and the session. */
export type HonoUserHandler<D extends object> = (
  context: Context,
  signedIn: { readonly user: User; readonly session: Session<D> },
) => Response | Promise<Response>

/** The middleware, for `app.use(web)`, and the functions for handlers. Every method is bound. */
export interface HonoAuth<D extends object> extends MiddlewareHandler {
  /**
   * Returns the session of this request, the same object at every call. A request without a session cookie costs no command.
   * @throws {RedisError} during an outage, unless `onUnavailable` names a substitute. It does not mean that no user is signed in.
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` if the middleware is not mounted before the handler
   */
  getSession(context: Context, options?: SessionRequest): Promise<Session<D>>
  /**
   * Returns the visit of this request, for applications that sign in, rotate the ticket or sign out by themselves.
   * @throws {RedisError} during an outage
   */
  getVisit(context: Context): Promise<Visit<D>>
  /**
   * Returns a middleware that passes signed-in users on. Without a user, a navigation is redirected to sign-in and returns afterwards;
   * any other request gets 401. During an outage it rejects with a `RedisError`.
   */
  requireUser(options?: HonoRequireUserOptions): MiddlewareHandler
  /** Combines `requireUser()` and a handler. */
  withUser(handler: HonoUserHandler<D>, options?: HonoRequireUserOptions): Handler
  /**
   * Answers errors of Coatcheck, such as 503 with `Retry-After` during an outage. Throws all other errors. Set it with
   * `app.onError(web.errorHandler)`.
   */
  readonly errorHandler: ErrorHandler
}

/** Keyed by instance, so that several middlewares on one instance share the session of a request. */
const passagesOf = new WeakMap<object, WeakMap<Context, Passage<object>>>()

interface Passage<D extends object> {
  readonly requestSession: RequestSession<D>
  /** Names under which the context holds the session. */
  readonly installedNames: Set<string>
  /** The middleware has finished. From then on the headers may have been sent. */
  left: boolean
  /** The response sets or removes a ticket. */
  hasTicket: boolean
}

/**
 * Creates the middleware for Hono 4 on Node. It answers requests below `basePath`, and reads a session only when a handler requests it.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when `auth` is not from `coatcheck()`, or an option is unknown or wrong
 */
export function honoAuth<D extends object>(auth: HttpInstance<D>, options: HonoAuthOptions = {}): HonoAuth<D> {
  options = checkAdapterOptions(options, 'honoAuth()', ['property', 'clientIp', 'adopt'])
  const edge = createWebEdge(auth, 'honoAuth()', options.adopt)
  const ipOf = options.clientIp ?? socketAddress
  const { property } = options
  const holders = createHolders<D>(`context.get('${property}')`)
  const passages = (passagesOf.get(auth) ?? new WeakMap()) as WeakMap<Context, Passage<D>>
  passagesOf.set(auth, passages)

  const enter = (context: Context): Passage<D> => {
    const sink = sinkOf(
      context,
      () => passage.left,
      () => (passage.hasTicket = true),
    )
    const passage: Passage<D> = {
      left: false,
      hasTicket: false,
      installedNames: new Set(),
      requestSession: requestSessionOn(context, sink),
    }
    passages.set(context, passage)
    return passage
  }
  const requestSessionOn = (context: Context, sink: ResponseSink): RequestSession<D> => {
    // Created at first use: a request that does not use its session costs nothing.
    let made: RequestSession<D> | null = null
    const requestSession = (): RequestSession<D> =>
      (made ??= auth.http.requestSession({
        cookieHeader: context.req.header('cookie'),
        header: (name) => context.req.header(name),
        sink,
        userAgent: context.req.header('user-agent'),
        ip: () => ipOf(context),
        peer: () => ({
          address: socketAddress(context),
          clientIp: ipOf(context),
          host: hostOf(context.req.raw),
        }),
        adopt: options.adopt,
      }))
    return {
      getSession: async (options) => requestSession().getSession(options),
      getSessionOfUser: async (options) => requestSession().getSessionOfUser(options),
      getVisit: async () => requestSession().getVisit(),
    }
  }
  const requestSessionOf = (context: Context): RequestSession<D> => {
    const passage = passages.get(context)
    if (passage) return passage.requestSession
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      'getSession() needs the middleware before the route: app.use(web).',
      {
        fix: 'Write app.use(web) before the routes, and pass the context that the handler got.',
      },
    )
  }

  /** Makes the session available through `context.get()`, and blocks its replacement by `context.set()`. */
  const installHolder = (context: Context, name: string, { requestSession, installedNames }: Passage<D>): void => {
    if (installedNames.has(name)) return
    installedNames.add(name)
    const set = context.set.bind(context)
    set(name, holders.of(requestSession))
    const guarded = (key: string, value: unknown): void => {
      if (key === name) throw holders.refusal()
      set(key, value)
    }
    context.set = guarded
  }

  const middleware: MiddlewareHandler = async (context, next) => {
    if (edge.isRoute(context.req.raw)) {
      keepNodeUncached(context)
      return edge.answerRoute(context.req.raw, { ip: ipOf(context), address: socketAddress(context) })
    }
    const known = passages.get(context)
    const passage = known ?? enter(context)
    if (property !== undefined) installHolder(context, property, passage)
    await next()
    // Only the outermost middleware knows that the handlers are done.
    if (known) return
    if (passage.hasTicket) context.header('Cache-Control', UNCACHED)
    passage.left = true
  }

  /** Returns the session of a request that meets the requirement, or the response to one that does not. */
  const admission = (
    caller: 'withUser()' | 'requireUser()',
    { provider, onUnavailable, maxAge }: HonoRequireUserOptions,
  ) => {
    const requirement = { provider, maxAgeMs: maxAgeMsOf(maxAge, caller) }
    return async (context: Context): Promise<{ session: Session<D>; demand: Response | null }> => {
      const session = await requestSessionOf(context).getSessionOfUser({ onUnavailable })
      const demand = edge.demandOf(session, context.req.raw, requirement)
      if (demand) keepNodeUncached(context)
      return { session, demand }
    }
  }

  const withUser: HonoAuth<D>['withUser'] = (handler, requirement = {}) => {
    const admit = admission('withUser()', requirement)
    return async (context, next) => {
      const { session, demand } = await admit(context)
      if (demand) return demand
      return session.user ? handler(context, { user: session.user, session }) : next()
    }
  }

  return Object.assign(middleware, {
    getSession: async (context: Context, options?: SessionRequest) => requestSessionOf(context).getSession(options),
    getVisit: async (context: Context) => requestSessionOf(context).getVisit(),
    requireUser(requirement: HonoRequireUserOptions = {}): MiddlewareHandler {
      const admit = admission('requireUser()', requirement)
      return async (context, next) => {
        const { demand } = await admit(context)
        if (demand) return demand
        await next()
      }
    },
    withUser,
    errorHandler(error: Error, context: Context) {
      const answer = edge.answerError(error, context.req.raw)
      if (!answer) throw error
      // Hono carries over the headers, as Node's response does, including a new ticket. They must stay, because the previous ticket may no
      // longer be valid.
      context.res = new Response(null)
      keepNodeUncached(context)
      return answer
    },
  })
}

/** Hono's server for Node provides Node's request as `env.incoming`. */
function socketAddress(context: Context): string | undefined {
  const { incoming } = (context.env ?? {}) as { readonly incoming?: { readonly socket?: { remoteAddress?: string } } }
  return incoming?.socket?.remoteAddress
}

/** Middleware before this one can still change Hono's response. Node's response comes after all of it. */
function keepNodeUncached(context: Context): void {
  const outgoing = nodeResponse(context)
  if (outgoing?.writeHead) keepUncached(outgoing as HeadWriter)
}

/** Hono's server for Node provides it as `env.outgoing`. */
function nodeResponse(context: Context): Partial<HeadWriter & Pick<ServerResponse, 'getHeader'>> | undefined {
  return ((context.env ?? {}) as { readonly outgoing?: ServerResponse }).outgoing
}

function sinkOf(context: Context, hasLeft: () => boolean, onUncached: () => void): ResponseSink {
  return {
    keepUncached() {
      onUncached()
      keepNodeUncached(context)
    },
    get headersSent() {
      return hasLeft()
    },
    getHeader: (name) =>
      sinkHeaderOf(context.res.headers, name) ??
      // A header that was set on Node's response stays there, unless Hono has a header of the same name.
      (isInsteadOfCacheControl(name) ? nodeResponse(context)?.getHeader?.(name) : undefined),
    setHeader(name, value) {
      context.header(name, undefined)
      for (const line of typeof value === 'string' ? [value] : value) context.header(name, line, { append: true })
    },
  }
}
