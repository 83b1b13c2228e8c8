/**
 * `coatcheck/node`: the routes and the session on `node:http` alone, for servers without a framework.
 */
import '../core/node-version.ts'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Coatcheck } from '../coatcheck.ts'
import { sendWebResponse } from '../http/node-bridge.ts'
import { checkAdapterOptions, createNodeEdge } from '../http/node-edge.ts'
import type { Exchange, SessionRequest } from '../http/exchange.ts'
import type { Session, User, Visit } from '../session/types.ts'

/** Options of `nodeAuth()`. */
export interface NodeAuthOptions {
  /** The client's address for the list of devices, where a proxy of yours says it. Default: the socket's address. */
  readonly clientIp?: (request: IncomingMessage) => string | undefined
}

/** All of it may be detached. */
export interface NodeAuth<D extends object> {
  /**
   * Answers requests under `basePath` and resolves to true; false means that the request is yours, untouched.
   * @throws what only you can mend: errors of your hooks, mistakes in code or configuration
   */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>
  /**
   * The session of this request; the same one at every call. No cookie of ours: no command to the store.
   * @throws {RedisError} when the store cannot be asked. It does not mean that nobody is signed in.
   */
  getSession(request: IncomingMessage, response: ServerResponse, options?: SessionRequest): Promise<Session<D>>
  /** For applications that sign in, rotate (a new ticket at a change of privilege) or sign out by themselves. */
  getVisit(request: IncomingMessage, response: ServerResponse): Promise<Visit<D>>
  /** Who is signed in, or `null` after the answer has been sent: to sign-in for a navigation, 401 for anything else. */
  requireUser(
    request: IncomingMessage,
    response: ServerResponse,
    options?: { readonly provider?: string } & SessionRequest,
  ): Promise<{
    /** The signed-in user. */
    readonly user: User
    /** The session of the user. */
    readonly session: Session<D>
  } | null>
  /** Answers an error that has an answer (503 with `Retry-After` for a store that is down) and says whether it did. */
  handleError(error: unknown, request: IncomingMessage, response: ServerResponse): boolean
}

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for an instance or options that are none */
export function nodeAuth<D extends object>(auth: Coatcheck<D>, options: NodeAuthOptions = {}): NodeAuth<D> {
  checkAdapterOptions(options, 'nodeAuth()', ['clientIp'])
  const edge = createNodeEdge(auth, 'nodeAuth()')
  const ipOf = options.clientIp ?? ((request: IncomingMessage) => request.socket.remoteAddress)
  const exchangeOf = (request: IncomingMessage, response: ServerResponse): Exchange<D> =>
    edge.exchangeOf(request, () => ({ sink: response, ip: () => ipOf(request) }))

  return {
    async handle(request, response) {
      if (!edge.isRoute(request)) return false
      await sendWebResponse(await edge.answerRoute(request, ipOf(request)), request, response)
      return true
    },
    // async: a configuration that is incomplete rejects like everything else
    getSession: async (request, response, wish) => exchangeOf(request, response).getSession(wish),
    getVisit: async (request, response) => exchangeOf(request, response).getVisit(),
    async requireUser(request, response, { provider, onUnavailable } = {}) {
      const session = await exchangeOf(request, response).getSessionOfUser({ onUnavailable })
      if (session.user) return { user: session.user, session }
      await sendWebResponse(edge.demandSignIn(request, provider), request, response)
      return null
    },
    handleError(error, request, response) {
      const answer = response.headersSent ? null : edge.answerError(error, request)
      if (answer) void sendWebResponse(answer, request, response)
      return answer !== null
    },
  }
}
