/**
 * `coatcheck/node`: the routes and the session on `node:http` alone, for servers without a framework.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpInstance } from '../http/instance.ts'
import type { Duration } from '../core/duration.ts'
import { sendWebResponse } from '../http/node-bridge.ts'
import { checkAdapterOptions, createNodeEdge } from '../http/node-edge.ts'
import type { RequestSession, SessionRequest } from '../http/request-session.ts'
import { maxAgeMsOf } from '../http/recent-sign-in.ts'
import type { CookieBridge } from '../migrate/cookie-bridge.ts'
import type { Session, Visit } from '../session/types.ts'
import type { User } from '../session/sign-in-input.ts'

/** Options of `nodeAuth()`. */
export interface NodeAuthOptions {
  /**
   * Returns the address of the client, for the list of devices. Read a header only behind a proxy that sets it. Default: the socket's
   * address.
   */
  readonly clientIp?: (request: IncomingMessage) => string | undefined
  /** Adopts the sessions of another library: a bridge of `coatcheck/migrate`, such as `fromExpressSession()`. Default: none. */
  readonly adopt?: CookieBridge
}

/** Options of `web.requireUser()`. */
export interface NodeRequireUserOptions extends SessionRequest {
  /** Name of the provider to sign in at. Default: the first one. */
  readonly provider?: string
  /**
   * How long ago the user may have authenticated at the provider (claim `auth_time`), such as `'5m'`. After that, a navigation goes to a
   * sign-in that requires the credentials again, and any other request gets 401 `COATCHECK_RECENT_SIGNIN_REQUIRED`. A session without
   * `auth_time` never counts as recent. Default: any time ago.
   */
  readonly maxAge?: Duration
}

/** The functions for servers on `node:http`. Every method is bound. */
export interface NodeAuth<D extends object> {
  /**
   * Answers a request below `basePath`, and returns true. Returns false for any other path, and leaves the request untouched.
   * @throws errors that no visitor can fix: errors of the application's own functions, mistakes in code or configuration
   */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>
  /**
   * Returns the session of this request, the same object at every call. A request without a session cookie costs no command.
   * @throws {RedisError} during an outage, unless `onUnavailable` names a substitute. It does not mean that no user is signed in.
   */
  getSession(request: IncomingMessage, response: ServerResponse, options?: SessionRequest): Promise<Session<D>>
  /**
   * Returns the visit of this request, for applications that sign in, rotate the ticket or sign out by themselves.
   * @throws {RedisError} during an outage
   */
  getVisit(request: IncomingMessage, response: ServerResponse): Promise<Visit<D>>
  /**
   * Returns the signed-in user and the session. `null`: no user is signed in, or the sign-in is not recent enough. The response is then
   * sent: a redirect to sign-in for a navigation, otherwise 401.
   * @throws {RedisError} during an outage
   */
  requireUser(
    request: IncomingMessage,
    response: ServerResponse,
    options?: NodeRequireUserOptions,
  ): Promise<{
    /** The signed-in user. */
    readonly user: User
    /** The session of the user. */
    readonly session: Session<D>
  } | null>
  /**
   * Answers an error of Coatcheck, such as 503 with `Retry-After` during an outage. Returns false for any other error, and sends nothing.
   */
  handleError(error: unknown, request: IncomingMessage, response: ServerResponse): boolean
}

/**
 * Creates the functions for servers on `node:http` without a framework. A session is read only when the application requests it.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when `auth` is not from `coatcheck()`, or an option is unknown or wrong
 */
export function nodeAuth<D extends object>(auth: HttpInstance<D>, options: NodeAuthOptions = {}): NodeAuth<D> {
  options = checkAdapterOptions(options, 'nodeAuth()', ['clientIp', 'adopt'])
  const edge = createNodeEdge(auth, 'nodeAuth()', 'if (await web.handle(request, response)) return', options.adopt)
  const ipOf = options.clientIp ?? ((request: IncomingMessage) => request.socket.remoteAddress)
  const requestSessionOf = (request: IncomingMessage, response: ServerResponse): RequestSession<D> =>
    edge.requestSessionOf(request, () => ({ sink: response, ip: () => ipOf(request) }))

  return {
    async handle(request, response) {
      if (!edge.isRoute(request)) return false
      await sendWebResponse(await edge.answerRoute(request, ipOf(request)), request, response)
      return true
    },
    // async, so that an incomplete configuration rejects like every other error
    getSession: async (request, response, options) => requestSessionOf(request, response).getSession(options),
    getVisit: async (request, response) => requestSessionOf(request, response).getVisit(),
    async requireUser(request, response, { provider, onUnavailable, maxAge } = {}) {
      const requirement = { provider, maxAgeMs: maxAgeMsOf(maxAge, 'requireUser()') }
      const session = await requestSessionOf(request, response).getSessionOfUser({ onUnavailable })
      const demand = edge.demandOf(session, request, requirement)
      if (session.user && !demand) return { user: session.user, session }
      if (demand) await sendWebResponse(demand, request, response)
      return null
    },
    handleError(error, request, response) {
      const answer = response.headersSent ? null : edge.answerError(error, request)
      if (answer) void sendWebResponse(answer, request, response)
      return answer !== null
    },
  }
}
