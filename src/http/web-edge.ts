/** Code that the adapters of all `Request`/`Response` frameworks share; `node-edge.ts` is the counterpart for Node. */
import type { HttpInstance } from './instance.ts'
import type { Session } from '../session/types.ts'
import { errorAnswer, plainErrorResponse } from './error-response.ts'
import { withCommonHeaders } from './request-session.ts'
import { assertLocalPeer } from './local-peer.ts'
import { localRequest, localUrl } from './local-request.ts'
import { adoptingHandler, assertCoatcheck } from './node-edge.ts'
import type { CookieBridge } from '../migrate/cookie-bridge.ts'
import { hasNoWebMethod } from './node-routes.ts'
import { answerToOtherHost } from './other-host.ts'
import { demandSignIn, lackOf, type UserRequirement } from './sign-in-demand.ts'

/** Facts about the sender that only the adapter knows. */
export interface WebClient {
  /** Address of the client, for the list of devices. */
  readonly ip: string | undefined
  /** Address of the socket; `undefined` if the adapter does not see it. */
  readonly address?: string | undefined
}

export interface WebEdge {
  /**
   * Whether this address belongs to the routes.
   * @throws {ConfigError} when the environment is incomplete
   */
  isRoute(request: Request): boolean
  /** @throws errors that only the application can fix: errors of its hooks, mistakes in code or configuration */
  answerRoute(request: Request, from: WebClient): Promise<Response>
  /**
   * Returns the response to a request whose session does not meet the requirement. A navigation goes to sign-in and returns, any other
   * request gets 401. `null`: the session has a user and meets the requirement.
   */
  demandOf(
    session: Pick<Session<object>, 'user' | 'authentication'>,
    request: Request,
    requirement: UserRequirement,
  ): Response | null
  /** `null`: the framework must handle the error. */
  answerError(error: unknown, request: Request): Response | null
}

/**
 * @param caller for the message
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` if `auth` is not an instance
 */
export function createWebEdge<D extends object>(auth: HttpInstance<D>, caller: string, adopt?: CookieBridge): WebEdge {
  assertCoatcheck(auth, caller)
  const handler = adoptingHandler(auth, adopt)
  return {
    isRoute(request) {
      const { basePath } = auth.http.config()
      const { pathname } = new URL(request.url)
      return pathname === basePath || pathname.startsWith(`${basePath}/`)
    },
    async answerRoute(request, { ip, address }) {
      const config = auth.http.config()
      if (hasNoWebMethod(request)) return withCommonHeaders(plainErrorResponse(405, request.headers, config.pages))
      const { method, headers } = request
      const navigation = { method, path: new URL(request.url).pathname, headers, host: headers.get('host') }
      try {
        assertLocalPeer({ address, clientIp: ip, host: hostOf(request) }, config)
        const elsewhere = await answerToOtherHost(navigation, config)
        if (elsewhere) return elsewhere
        return await handler(localRequest(request, config.baseUrl), ip === undefined ? {} : { ip })
      } catch (error) {
        const answer = errorAnswer(error, config, request)
        if (!answer) throw error
        return answer
      }
    },
    demandOf(session, request, requirement) {
      const lack = lackOf(session, requirement)
      if (lack === null) return null
      const { baseUrl, basePath, pages } = auth.http.config()
      const { method, headers } = request
      const url = localUrl(request.url, baseUrl)
      return demandSignIn(lack, { method, headers, url, basePath, pages, requirement })
    },
    answerError: (error, request) => errorAnswer(error, auth.http.config(), request),
  }
}

/** The `Host` header, or the server's URL: a request that was built in a test has only a URL. */
export function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host
}
