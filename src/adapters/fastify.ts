/**
 * `coatcheck/fastify`: the routes and the session on Fastify 5, as a plugin for the context that registers it and its child contexts.
 * Fastify is not loaded here (types only).
 */
import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { HttpInstance } from '../http/instance.ts'
import type { Duration } from '../core/duration.ts'
import { MisuseError } from '../core/errors.ts'
import type { ResponseSink } from '../http/cookie.ts'
import type { RequestSession, SessionRequest } from '../http/request-session.ts'
import { createHolders } from '../http/holder.ts'
import { copyHeaders } from '../http/node-bridge.ts'
import { checkAdapterOptions, createNodeEdge } from '../http/node-edge.ts'
import { keepUncached } from '../http/uncached-response.ts'
import { maxAgeMsOf } from '../http/recent-sign-in.ts'
import type { CookieBridge } from '../migrate/cookie-bridge.ts'
import type { OutagePolicy } from '../config/session-settings.ts'
import type { Session, Visit } from '../session/types.ts'
import type { User } from '../session/sign-in-input.ts'

/** Options of `fastifyAuth()`. */
export interface FastifyAuthOptions {
  /** Name of a read-only property of every request of the context that holds `{ getSession, getVisit }`. Default: none. */
  readonly property?: string
  /** Adopts the sessions of another library: a bridge of `coatcheck/migrate`, such as `fromExpressSession()`. Default: none. */
  readonly adopt?: CookieBridge
}

/** Options of `web.requireUser()` and `web.withUser()`. */
export interface FastifyRequireUserOptions {
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

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** A handler of `withUser()`: it receives the signed-in user and the session. Its result is the payload, as in Fastify. */
export type FastifyUserHandler<D extends object> = (
  request: FastifyRequest,
  reply: FastifyReply,
  signedIn: { readonly user: User; readonly session: Session<D> },
) => unknown

/** The plugin, for `app.register(web)`, and the functions for handlers. Every method is bound. */
export interface FastifyAuth<D extends object> extends FastifyPluginAsync {
  /**
   * Returns the session of this request, the same object at every call. A request without a session cookie costs no command.
   * @throws {RedisError} during an outage, unless `onUnavailable` names a substitute. It does not mean that no user is signed in.
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` in a context for which the plugin is not registered
   */
  getSession(request: FastifyRequest, options?: SessionRequest): Promise<Session<D>>
  /**
   * Returns the visit of this request, for applications that sign in, rotate the ticket or sign out by themselves.
   * @throws {RedisError} during an outage
   */
  getVisit(request: FastifyRequest): Promise<Visit<D>>
  /**
   * Returns a `preHandler` or `onRequest` hook that passes signed-in users on. Without a user, a navigation is redirected to sign-in and
   * returns afterwards; any other request gets 401. During an outage it rejects with a `RedisError`.
   */
  requireUser(options?: FastifyRequireUserOptions): Hook
  /** Combines `requireUser()` and a handler. */
  withUser(handler: FastifyUserHandler<D>, options?: FastifyRequireUserOptions): Hook
  /**
   * Answers errors of Coatcheck, such as 503 with `Retry-After` during an outage. Throws all other errors to the error handler of the
   * parent context. Set it with `app.setErrorHandler(web.errorHandler)`.
   */
  readonly errorHandler: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => FastifyReply
}

/**
 * Creates the plugin for Fastify 5. It applies to the context that registers it and to its child contexts. It reads a session only when a
 * handler requests it.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when `auth` is not from `coatcheck()`, or an option is unknown or wrong
 */
export function fastifyAuth<D extends object>(auth: HttpInstance<D>, options: FastifyAuthOptions = {}): FastifyAuth<D> {
  options = checkAdapterOptions(options, 'fastifyAuth()', ['property', 'adopt'])
  const edge = createNodeEdge(auth, 'fastifyAuth()', 'app.register(web)', options.adopt)
  const replies = new WeakMap<FastifyRequest, FastifyReply>()

  const requestSessionOf = (request: FastifyRequest): RequestSession<D> =>
    edge.requestSessionOf((request as Partial<FastifyRequest> | undefined)?.raw, () => {
      const reply = replies.get(request)
      if (!reply) throw notRegistered()
      // Fastify's own `trustProxy` decides whether this is the socket's address or a forwarded one.
      return { sink: sinkOf(reply), ip: () => request.ip }
    })

  const plugin: FastifyPluginAsync = async (app) => {
    const { property } = options
    if (property !== undefined) {
      const holders = createHolders<D>(`request.${property}`)
      // A getter, so that only requests that use the session create a `RequestSession`.
      app.decorateRequest(property, {
        getter(this: FastifyRequest) {
          return holders.of(requestSessionOf(this))
        },
        setter() {
          throw holders.refusal()
        },
      })
    }
    // Runs before bodies are parsed, and also for addresses and methods without a route of the application.
    app.addHook('onRequest', async (request, reply) => {
      replies.set(request, reply)
      if (!edge.isRoute(request.raw)) return
      return send(reply, await edge.answerRoute(request.raw, request.ip))
    })
  }

  const guarded = (
    caller: 'withUser()' | 'requireUser()',
    handler: FastifyUserHandler<D>,
    { provider, onUnavailable, maxAge }: FastifyRequireUserOptions = {},
  ) => {
    const requirement = { provider, maxAgeMs: maxAgeMsOf(maxAge, caller) }
    return async (request: FastifyRequest, reply: FastifyReply) => {
      replies.set(request, reply)
      const session = await requestSessionOf(request).getSessionOfUser({ onUnavailable })
      const demand = edge.demandOf(session, request.raw, requirement)
      if (demand) return send(reply, demand)
      return session.user && handler(request, reply, { user: session.user, session })
    }
  }

  return Object.assign(forContextOfRegistrant(plugin), {
    getSession: async (request: FastifyRequest, options?: SessionRequest) =>
      requestSessionOf(request).getSession(options),
    getVisit: async (request: FastifyRequest) => requestSessionOf(request).getVisit(),
    requireUser: (requirement?: FastifyRequireUserOptions) => guarded('requireUser()', () => undefined, requirement),
    withUser: (handler: FastifyUserHandler<D>, requirement?: FastifyRequireUserOptions) =>
      guarded('withUser()', handler, requirement),
    errorHandler(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
      const answer = reply.raw.headersSent ? null : edge.answerError(error, request.raw)
      if (!answer) throw error
      return send(reply, answer)
    },
  })
}

/** Hooks and decorators apply to the context that registers the plugin, not to a context of its own (Fastify, "Plugins"). */
function forContextOfRegistrant(plugin: FastifyPluginAsync): FastifyPluginAsync {
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'coatcheck',
    [Symbol.for('plugin-meta')]: { name: 'coatcheck', fastify: '5.x' },
  })
}

function notRegistered(): MisuseError {
  return new MisuseError(
    'COATCHECK_INVALID_ARGUMENT',
    'getSession() was asked in a context of Fastify that the plugin is not registered for: app.register(web) there or above.',
  )
}

/** Fastify keeps the headers until it sends them, so that other hooks see them. A hijacked reply only has Node's headers. */
function sinkOf(reply: FastifyReply): ResponseSink {
  return {
    get headersSent() {
      return reply.raw.headersSent
    },
    keepUncached: () => keepUncached(reply.raw),
    getHeader: (name) => (reply.sent ? reply.raw : reply).getHeader(name),
    setHeader(name, value) {
      if (reply.sent) return reply.raw.setHeader(name, value)
      // `header()` appends to existing cookies, but `value` is the complete list.
      reply.removeHeader(name)
      return reply.header(name, value)
    },
  }
}

function send(reply: FastifyReply, answer: Response): FastifyReply {
  copyHeaders(answer.headers, sinkOf(reply))
  // Hooks of the application see the response before it is sent.
  keepUncached(reply.raw)
  reply.code(answer.status)
  return answer.body ? reply.send(answer.body) : reply.send()
}
