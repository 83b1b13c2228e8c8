/** Serves the routes on Node requests: which addresses belong to them, and the response to each. */
import { errorAnswer, plainErrorResponse, type Site } from './error-response.ts'
import { withCommonHeaders } from './request-session.ts'
import { headersOf, type NodeRequest, targetOf, textHeaderOf, toWebRequest } from './node-bridge.ts'
import { assertLocalPeer, type Peer, type PeerPolicy } from './local-peer.ts'
import { answerToOtherHost } from './other-host.ts'
import type { Routes } from './routes.ts'

type Place = PeerPolicy & Site

const NO_WEB_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK'])

/** All paths under `basePath` belong to the routes. Unknown ones get 404. */
export function isRoute(request: NodeRequest, { basePath }: Pick<Place, 'basePath'>): boolean {
  const { path } = targetOf(request)
  return path === basePath || path.startsWith(`${basePath}/`)
}

/**
 * Returns the response to a request for which `isRoute` is true.
 * @param ip address of the client, from the proxies that the framework is configured to trust
 * @throws errors that only the application can fix: errors of its hooks, mistakes in code or configuration
 */
export async function routeAnswer(
  routes: Routes,
  place: Place,
  request: NodeRequest,
  ip: string | undefined,
): Promise<Response> {
  try {
    assertLocalPeer(peerOf(request, ip), place)
    if (hasNoWebMethod(request)) return withCommonHeaders(plainErrorResponse(405, headersOf(request), place.pages))
    const navigation = { method: request.method ?? 'GET', path: targetOf(request).path, headers: headersOf(request) }
    const elsewhere = await answerToOtherHost({ ...navigation, host: textHeaderOf(request, 'host') }, place)
    if (elsewhere) return elsewhere
    return await routes(await toWebRequest(request, place.baseUrl), ip === undefined ? {} : { ip })
  } catch (error) {
    const answer = nodeErrorAnswer(error, place, request)
    if (!answer) throw error
    return answer
  }
}

/** @param clientIp address of the client, from the proxies that the framework is configured to trust */
export function peerOf(request: NodeRequest, clientIp: string | undefined): Peer {
  const { socket, headers } = request as Partial<NodeRequest>
  return { address: socket?.remoteAddress, clientIp, host: headers && textHeaderOf({ headers }, 'host') }
}

/** `errorAnswer` for Node's request. */
export function nodeErrorAnswer(error: unknown, site: Site, request: NodeRequest): Response | null {
  return errorAnswer(error, site, { headers: headersOf(request), method: request.method ?? 'GET' })
}

/** The Web's `Request` does not allow these methods (Fetch standard, section 2.2.1), and no route accepts them. */
export function hasNoWebMethod({ method = 'GET' }: { readonly method?: string | undefined }): boolean {
  return NO_WEB_METHODS.has(method.toUpperCase())
}
