/**
 * The routes under `basePath` as one function from `Request` to `Response`. It defines which path accepts which methods, and the common
 * rules: no cache stores a response, cookies leave only with a success, and errors become responses. Host names of the request play no
 * part: all absolute URLs use the configured base URL.
 * A new route needs an entry in the table, a handler in a `…-routes.ts`, and a section in docs/http-routes.md.
 */
import type { ResolvedPages } from '../config/types.ts'
import { type AnyCoatcheckError, isCoatcheckError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { CookieBridge } from '../migrate/cookie-bridge.ts'
import { providerReasonOf } from '../oidc/oidc-errors.ts'
import { createCookies } from './cookie.ts'
import { errorResponse, isForHost, plainErrorResponse } from './error-response.ts'
import { createRequestSessionFactory, type RequestSessionFactory, withCommonHeaders } from './request-session.ts'
import { createHeadersSink } from './headers-sink.ts'
import { backChannelLogout, frontChannelLogout } from './logout-routes.ts'
import type { RouteDeps, RouteOptions } from './route-deps.ts'
import { readForm, type RouteRequest } from './route-request.ts'
import { endDevice, endOtherDevices, listDevices, showSession } from './session-routes.ts'
import { callback, confirmLogout, login, logout } from './sign-in-routes.ts'

/** Facts about a request that only the adapter knows. */
export interface RouteContext {
  /** Address of the client, as far as the adapter trusts it. Absent: unknown. */
  readonly ip?: string
  /** Reads the sessions of another library if Coatcheck has no user for the request. Absent: none. */
  readonly adopt?: CookieBridge
}

export type Routes = (request: Request, context?: RouteContext) => Promise<Response>

type Handler = <D extends object>(deps: RouteDeps<D>, request: RouteRequest<D>) => Response | Promise<Response>

interface Route {
  readonly path: RegExp
  readonly methods: Readonly<Partial<Record<string, Handler>>>
  /** Its handler emits an event for each error, so `request.refused` would be a duplicate. */
  readonly hasOwnEvent?: true
}

/** A test calls each of them without a session. */
export const ROUTES: readonly Route[] = [
  { path: /^\/login$/, methods: { GET: login } },
  { path: /^\/callback(?:\/[^/]+)?$/, methods: { GET: callback, POST: callback }, hasOwnEvent: true },
  { path: /^\/logout$/, methods: { GET: confirmLogout, POST: logout } },
  { path: /^\/backchannel-logout(?:\/[^/]+)?$/, methods: { POST: backChannelLogout } },
  { path: /^\/frontchannel-logout(?:\/[^/]+)?$/, methods: { GET: frontChannelLogout } },
  { path: /^\/session$/, methods: { GET: showSession, HEAD: showSession } },
  { path: /^\/devices$/, methods: { GET: listDevices, HEAD: listDevices } },
  { path: /^\/devices\/revoke-others$/, methods: { POST: endOtherDevices } },
  { path: /^\/devices\/[^/]+$/, methods: { DELETE: endDevice, POST: endDevice } },
]

/**
 * The returned function answers every request under `basePath`, with 404 for unknown paths. It only rejects with errors for the framework:
 * errors of the application's hooks, and mistakes in code or configuration (500).
 */
export function createRoutes<D extends object>(options: RouteOptions<D>): Routes {
  const deps: RouteDeps<D> = { ...options, cookies: createCookies(options.config.cookie) }
  const createRequestSession = createRequestSessionFactory(options)
  const respond: Routes = async (request, context = {}) => {
    const { basePath } = deps.config
    const { pathname, searchParams } = new URL(request.url)
    const path = pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : ''
    const route = ROUTES.find((candidate) => candidate.path.test(path))
    if (!route) return withCommonHeaders(plainErrorResponse(404, request.headers, deps.config.pages))
    // HTTP/2 accepts any text as a method, such as `constructor`.
    const handler = Object.hasOwn(route.methods, request.method) ? route.methods[request.method] : undefined
    if (!handler) return withCommonHeaders(methodAnswer(route, request, deps.config.pages))
    const { hasOwnEvent = false } = route
    return answer(deps, createRequestSession, handler, request, { path, query: searchParams, ...context, hasOwnEvent })
  }
  return async (request, context) => {
    const response = await respond(request, context)
    return request.method === 'HEAD' ? withoutBody(response) : response
  }
}

interface Asked extends RouteContext {
  readonly path: string
  readonly query: URLSearchParams
  readonly hasOwnEvent: boolean
}

async function answer<D extends object>(
  deps: RouteDeps<D>,
  createRequestSession: RequestSessionFactory<D>,
  handler: Handler,
  request: Request,
  { path, query, ip, adopt, hasOwnEvent }: Asked,
): Promise<Response> {
  const sink = createHeadersSink()
  const cookieHeader = request.headers.get('cookie') ?? ''
  const userAgent = request.headers.get('user-agent')
  const requestSession = createRequestSession({
    cookieHeader,
    header: (name) => request.headers.get(name),
    sink,
    userAgent,
    ip: () => ip,
    adopt,
  })
  let form: Promise<URLSearchParams> | null = null
  try {
    const response = await handler(deps, {
      method: request.method,
      headers: request.headers,
      cookieHeader,
      path,
      query,
      sink,
      requestSession,
      form: () => (form ??= readForm(request)),
    })
    return withCommonHeaders(response, sink)
  } catch (error) {
    // Collected headers, above all a new ticket, only belong to a success.
    sink.discard()
    if (isCoatcheckError(error) && !hasOwnEvent) report(deps.events, error, `${request.method} ${routeName(path)}`)
    if (!isCoatcheckError(error) || isForHost(error)) throw error
    const { basePath, pages } = deps.config
    const { headers, method } = request
    return withCommonHeaders(errorResponse(error, { headers, method, loginPath: `${basePath}/login`, pages }))
  }
}

function methodAnswer({ methods }: Route, request: Request, pages: ResolvedPages): Response {
  const allow = [...Object.keys(methods), 'OPTIONS'].join(', ')
  const response =
    request.method === 'OPTIONS' ? new Response(null, { status: 204 }) : plainErrorResponse(405, request.headers, pages)
  response.headers.set('Allow', allow)
  return response
}

function withoutBody({ status, headers }: Response): Response {
  return new Response(null, { status, headers })
}

function report(events: EventBus, error: AnyCoatcheckError, route: string): void {
  const { code } = error
  if (code === 'COATCHECK_UNAUTHENTICATED') return
  events.emit('request.refused', { code, route, ...providerReasonOf(error) })
}

/** Route name without the visitor's values. */
function routeName(path: string): string {
  return path
    .replace(/^(\/devices\/)(?!revoke-others$).*/, '$1:id')
    .replace(/^(\/(?:callback|backchannel-logout|frontchannel-logout)\/).*/, '$1:provider')
}
