/** The part of an instance that adapters use. `coatcheck()` creates the instance. */
import type { ResolvedConfig } from '../config/types.ts'
import type { CookieBridge } from '../migrate/cookie-bridge.ts'
import type { RequestSessionFactory } from './request-session.ts'
import type { RouteContext } from './routes.ts'

/** The part of an instance that adapters use: the result of `coatcheck()`. */
export interface HttpInstance<D extends object> {
  /** For adapters: sessions of requests, and the configuration that adapters need. */
  readonly http: HttpEdge<D>
  /**
   * Answers a request below `basePath`: sign-in, sign-out, session and devices. Other paths get 404. docs/http-routes.md lists the routes.
   * @param context facts about the request that only the adapter knows
   * @throws errors that no visitor can fix: errors of the application's own functions, mistakes in code or configuration
   */
  handler(request: Request, context?: RouteContext): Promise<Response>
}

/** For adapters: sessions of requests, and the configuration that adapters need. */
export interface HttpEdge<D extends object> {
  /**
   * Starts the session handling of one request. It reads no session until `getSession` is called.
   * @throws {ConfigError} when a setting is missing or invalid
   */
  readonly requestSession: RequestSessionFactory<D>
  /**
   * Connects a bridge before the first request: from now on, `revokeByUser` of this instance also refuses the old cookies of the user. It
   * opens no store.
   */
  adopt(bridge: CookieBridge): void
  /**
   * Returns whether a `Cookie` header holds a ticket with a valid signature that has not expired. It does not ask the store, so it
   * is also true for a session that was ended, and for an anonymous session.
   * @throws {ConfigError} when a setting is missing or invalid
   */
  hasTicket(cookieHeader: string | null | undefined): boolean
  /** Reports that the framework answered 500 to an error for which Coatcheck has another response: the event `request.unhandled`. */
  reportUnhandled(code: string): void
  /** Reports that a request was sent to sign-in before the middleware ever ran: the event `request.unmounted`. */
  reportUnmounted(mount: string): void
  /**
   * Returns the configuration that adapters need, without secrets.
   * @throws {ConfigError} when a setting is missing or invalid
   */
  config(): HttpConfig
}

/** The part of the configuration that adapters need. It holds no secret. */
export type HttpConfig = Pick<
  ResolvedConfig<object>,
  'baseUrl' | 'basePath' | 'cookie' | 'loopback' | 'localPeers' | 'pages'
>
