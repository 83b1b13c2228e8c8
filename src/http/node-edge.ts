/**
 * Code that the adapters of all Node frameworks share: one `RequestSession` per request, the routes, the redirect to sign-in, and the
 * responses for errors. Each adapter adds the names of its framework and the location of its headers.
 */
import type { IncomingMessage } from 'node:http'
import type { HttpInstance } from './instance.ts'
import { MisuseError } from '../core/errors.ts'
import { own } from '../core/json.ts'
import { describeValue } from '../core/redact.ts'
import type { CookieBridge } from '../migrate/cookie-bridge.ts'
import type { Session } from '../session/types.ts'
import type { ResponseSink } from './cookie.ts'
import type { RequestSession } from './request-session.ts'
import { headerOf, headersOf, type NodeRequest, textHeaderOf, urlOf } from './node-bridge.ts'
import { isRoute, nodeErrorAnswer, peerOf, routeAnswer } from './node-routes.ts'
import { demandSignIn, lackOf, type UserRequirement } from './sign-in-demand.ts'

/** Request facts that only the framework knows. */
export interface Surroundings {
  readonly sink: ResponseSink
  /** Address of the client, from the proxies that the framework is configured to trust. */
  readonly ip: () => string | undefined
}

export interface NodeEdge<D extends object> {
  /**
   * Returns the request session. One per request, whichever caller is first.
   * @param request as a caller without types may have passed it
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for anything but a request of Node
   */
  requestSessionOf(request: IncomingMessage | undefined, surroundings: () => Surroundings): RequestSession<D>
  /**
   * Whether this address belongs to the routes.
   * @throws {ConfigError} when the environment is incomplete
   */
  isRoute(request: NodeRequest): boolean
  /** @throws errors that only the application can fix: errors of its hooks, mistakes in code or configuration */
  answerRoute(request: NodeRequest, ip: string | undefined): Promise<Response>
  /**
   * Returns the response to a request whose session does not meet the requirement. A navigation goes to sign-in and returns, any other
   * request gets 401. `null`: the session has a user and meets the requirement.
   */
  demandOf(session: Session<D>, request: NodeRequest, requirement: UserRequirement): Response | null
  /** `null`: the framework must handle the error. */
  answerError(error: unknown, request: IncomingMessage): Response | null
}

/**
 * Keyed by instance, so that several adapters on one instance share the session of a request. Otherwise they would create two sessions for
 * a new visitor, and one of the two cookies would be lost.
 */
const requestSessionsOf = new WeakMap<object, WeakMap<IncomingMessage, RequestSession<object>>>()

/**
 * @param caller for messages
 * @param mount the code with which the application mounts the middleware, for the log
 * @param adopt reads the sessions of another library
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` if `auth` is not an instance
 */
export function createNodeEdge<D extends object>(
  auth: HttpInstance<D>,
  caller: string,
  mount: string,
  adopt?: CookieBridge,
): NodeEdge<D> {
  assertCoatcheck(auth, caller)
  const handler = adoptingHandler(auth, adopt)
  // Every middleware calls `isRoute` first. Without a mounted middleware, the sign-in route does not respond; this is reported once.
  let isMountChecked = false
  const requestSessions = (requestSessionsOf.get(auth) ?? new WeakMap()) as WeakMap<IncomingMessage, RequestSession<D>>
  requestSessionsOf.set(auth, requestSessions)
  return {
    requestSessionOf(request, surroundings) {
      if (!isNodeRequest(request)) throw wrongRequest(caller, request)
      const known = requestSessions.get(request)
      if (known) return known
      const { sink, ip } = surroundings()
      const requestSession = auth.http.requestSession({
        cookieHeader: textHeaderOf(request, 'cookie'),
        header: (name) => headerOf(request, name),
        sink,
        userAgent: textHeaderOf(request, 'user-agent'),
        ip,
        peer: () => peerOf(request, ip()),
        adopt,
      })
      requestSessions.set(request, requestSession)
      return requestSession
    },
    isRoute(request) {
      isMountChecked = true
      return isRoute(request, auth.http.config())
    },
    answerRoute: (request, ip) => routeAnswer(handler, auth.http.config(), request, ip),
    demandOf(session, request, requirement) {
      const lack = lackOf(session, requirement)
      if (lack === null) return null
      if (!isMountChecked) auth.http.reportUnmounted(mount)
      isMountChecked = true
      const { baseUrl, basePath, pages } = auth.http.config()
      const { method = 'GET' } = request
      const url = urlOf(request, baseUrl)
      return demandSignIn(lack, { method, headers: headersOf(request), url, basePath, pages, requirement })
    },
    answerError: (error, request) => nodeErrorAnswer(error, auth.http.config(), request),
  }
}

function isNodeRequest(request: Partial<IncomingMessage> | undefined): request is IncomingMessage {
  return typeof request?.headers === 'object'
}

/**
 * Error for `getSession()` and similar functions.
 * @param given the value that was passed in place of the request
 */
export function wrongRequest(caller: string, given: unknown): MisuseError {
  return new MisuseError(
    'COATCHECK_INVALID_ARGUMENT',
    `getSession() of ${caller} must get the request of its handler; it got ${describeValue(given)}.`,
    { fix: 'Pass the request that the handler got: await getSession(request).' },
  )
}

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` */
export function assertCoatcheck(auth: unknown, caller: string): void {
  if (typeof (auth as Partial<HttpInstance<object>> | null)?.handler === 'function') return
  throw new MisuseError('COATCHECK_INVALID_ARGUMENT', `${caller} must get the instance that coatcheck() returned.`, {
    fix: `Pass the instance: const auth = coatcheck({ … }), then ${caller.replace('()', '(auth)')}.`,
  })
}

/**
 * Checks options that all adapters share: a name to put on the request, and no unknown option.
 * @returns the options that the caller gave, without inherited ones
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function checkAdapterOptions<T extends object>(given: T, caller: string, known: readonly string[]): T {
  const options = own(given)
  const unknown = Object.keys(options).filter((name) => !known.includes(name))
  const list = known.map((name) => `"${name}"`).join(' and ')
  if (unknown.length > 0) {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      `${caller} knows only ${list}, and not "${unknown.join('", "')}".`,
    )
  }
  const { property, clientIp, adopt } = options as Readonly<Record<'property' | 'clientIp' | 'adopt', unknown>>
  if (property !== undefined && (typeof property !== 'string' || property === '')) {
    throw new MisuseError('COATCHECK_INVALID_ARGUMENT', `"property" of ${caller} must be a name.`)
  }
  if (clientIp !== undefined && typeof clientIp !== 'function') {
    throw new MisuseError('COATCHECK_INVALID_ARGUMENT', `"clientIp" of ${caller} must be a function.`)
  }
  if (adopt !== undefined) assertBridge(adopt, caller)
  return options
}

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` */
function assertBridge(adopt: unknown, caller: string): void {
  if (typeof (adopt as Partial<CookieBridge> | null)?.attach === 'function') return
  throw new MisuseError(
    'COATCHECK_INVALID_ARGUMENT',
    `"adopt" of ${caller} must be a bridge; it got ${describeValue(adopt)}.`,
    {
      fix: "Make the bridge with a function of 'coatcheck/migrate', such as fromExpressSession({ … }).",
    },
  )
}

/** Handler of an instance that finds the user of an old cookie, as the middleware does. */
export function adoptingHandler<D extends object>(
  { handler, http }: HttpInstance<D>,
  adopt: CookieBridge | undefined,
): HttpInstance<D>['handler'] {
  if (!adopt) return handler
  http.adopt(adopt)
  return (request, context) => handler(request, { ...context, adopt })
}
