/**
 * `coatcheck/express`: the routes and the session on Express 4 and 5.
 *
 * Deliberately thin: it handles Express' request, response and `next`, and contains no session logic. The middleware answers requests below
 * `basePath` and reads nothing otherwise. A session is read when a handler requests it, once per request. Express itself is not loaded here
 * (types only), so the code only uses what both versions share.
 */
import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express'
import type { HttpInstance } from '../http/instance.ts'
import type { Duration } from '../core/duration.ts'
import { isCoatcheckError } from '../core/errors.ts'
import { isForHost } from '../http/error-response.ts'
import type { RequestSession, SessionRequest } from '../http/request-session.ts'
import { createHolders, putHolder } from '../http/holder.ts'
import { sendWebResponse } from '../http/node-bridge.ts'
import { checkAdapterOptions, createNodeEdge, wrongRequest } from '../http/node-edge.ts'
import { maxAgeMsOf } from '../http/recent-sign-in.ts'
import type { CookieBridge } from '../migrate/cookie-bridge.ts'
import type { OutagePolicy } from '../config/session-settings.ts'
import type { Session, Visit } from '../session/types.ts'
import type { User } from '../session/sign-in-input.ts'

/** Options of `expressAuth()`. */
export interface ExpressAuthOptions {
  /** Name of a read-only property of every request that holds `{ getSession, getVisit }`. Default: none. */
  readonly property?: string
  /** Adopts the sessions of another library: a bridge of `coatcheck/migrate`, such as `fromExpressSession()`. Default: none. */
  readonly adopt?: CookieBridge
}

/** Options of `web.requireUser()` and `web.withUser()`. */
export interface RequireUserOptions {
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
export type UserHandler<D extends object> = (
  request: Request,
  response: Response,
  signedIn: { readonly user: User; readonly session: Session<D> },
  next: NextFunction,
) => unknown

/** The middleware, for `app.use(web)`, and the functions for handlers. Every method is bound. */
export interface ExpressAuth<D extends object> extends RequestHandler {
  /**
   * Returns the session of this request, the same object at every call. A request without a session cookie costs no command.
   * @throws {RedisError} during an outage, unless `onUnavailable` names a substitute. It does not mean that no user is signed in.
   */
  getSession(request: Request, options?: SessionRequest): Promise<Session<D>>
  /**
   * Returns the visit of this request, for applications that sign in, rotate the ticket or sign out by themselves.
   * @throws {RedisError} during an outage
   */
  getVisit(request: Request): Promise<Visit<D>>
  /**
   * Returns a middleware that passes signed-in users on. Without a user, a navigation is redirected to sign-in and returns afterwards;
   * any other request gets 401. Errors, such as a `RedisError` during an outage, reach `next`.
   */
  requireUser(options?: RequireUserOptions): RequestHandler
  /** Combines `requireUser()` and a handler. If the handler throws or rejects, the error reaches `next`, on Express 4 too. */
  withUser(handler: UserHandler<D>, options?: RequireUserOptions): RequestHandler
  /**
   * Answers errors of Coatcheck, such as 503 with `Retry-After` during an outage. Passes on all other errors. Mount it last:
   * `app.use(web.errorHandler)`.
   */
  readonly errorHandler: ErrorRequestHandler
}

/**
 * Creates the middleware for Express 4 and 5. It answers requests below `basePath`, and reads a session only when a handler requests it.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when `auth` is not from `coatcheck()`, or an option is unknown or wrong
 */
export function expressAuth<D extends object>(auth: HttpInstance<D>, options: ExpressAuthOptions = {}): ExpressAuth<D> {
  options = checkAdapterOptions(options, 'expressAuth()', ['property', 'adopt'])
  const { property } = options
  const edge = createNodeEdge(auth, 'expressAuth()', 'app.use(web)', options.adopt)
  const holders = createHolders<D>(`request.${property}`)

  const requestSessionOf = (request: Request): RequestSession<D> =>
    edge.requestSessionOf(request, () => {
      if (!request.res) throw wrongRequest('expressAuth()', request)
      // Express' own "trust proxy" decides whether this is the socket's address or a forwarded one.
      return { sink: request.res, ip: () => request.ip }
    })

  const handled = new WeakSet<Request>()
  /**
   * Reports a Coatcheck error that `errorHandler` did not handle. Express skips an error handler that is missing or mounted before the
   * route.
   */
  const expectHandler = (request: Request, error: unknown): void => {
    if (!isCoatcheckError(error) || isForHost(error)) return
    const { code } = error
    request.res?.once('finish', () => {
      if (request.res?.statusCode !== 500 || handled.has(request)) return
      handled.add(request)
      auth.http.reportUnhandled(code)
    })
  }
  const expecting = async <T>(request: Request, run: () => Promise<T>): Promise<T> => {
    try {
      return await run()
    } catch (error) {
      expectHandler(request, error)
      throw error
    }
  }

  const middleware: RequestHandler = (request, response, next) => {
    passErrors(next, async () => {
      if (edge.isRoute(request)) {
        return sendWebResponse(await edge.answerRoute(request, request.ip), request, response)
      }
      if (property !== undefined) putHolder(request, property, holders.of(requestSessionOf(request)), holders.refusal)
      next()
    })
  }

  const guarded = (
    caller: 'withUser()' | 'requireUser()',
    handler: UserHandler<D>,
    { provider, onUnavailable, maxAge }: RequireUserOptions = {},
  ): RequestHandler => {
    const requirement = { provider, maxAgeMs: maxAgeMsOf(maxAge, caller) }
    return (request, response, next) => {
      const run = async (): Promise<void> => {
        const session = await requestSessionOf(request).getSessionOfUser({ onUnavailable })
        const demand = edge.demandOf(session, request, requirement)
        if (demand) await sendWebResponse(demand, request, response)
        else if (session.user) await handler(request, response, { user: session.user, session }, next)
      }
      passErrors(next, () => expecting(request, run))
    }
  }

  const errorHandler: ErrorRequestHandler = (error: unknown, request, response, next) => {
    handled.add(request)
    passErrors(next, () => {
      const answer = response.headersSent ? null : edge.answerError(error, request)
      // The body is complete, so there is no need to wait. Only the client's connection could fail.
      if (answer) void sendWebResponse(answer, request, response)
      else next(error)
    })
  }

  return Object.assign(middleware, {
    getSession: (request: Request, options?: SessionRequest) =>
      expecting(request, () => requestSessionOf(request).getSession(options)),
    getVisit: (request: Request) => expecting(request, () => requestSessionOf(request).getVisit()),
    requireUser: (requirement?: RequireUserOptions) =>
      guarded('requireUser()', (_request, _response, _signedIn, next) => next(), requirement),
    withUser: (handler: UserHandler<D>, requirement?: RequireUserOptions) =>
      guarded('withUser()', handler, requirement),
    errorHandler,
  })
}

/** Express 4 ignores the return value of a handler. This function passes every error to `next`, on both versions. */
function passErrors(next: NextFunction, run: () => Promise<void> | void): void {
  void (async () => run())().catch(next)
}
