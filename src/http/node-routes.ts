/** The routes on Node's request: which addresses are theirs, and the answer to one. */
import { errorAnswer, plainErrorResponse, type Site } from './error-response.ts'
import { withCommonHeaders } from './request-session.ts'
import { headersOf, type NodeRequest, targetOf, textHeaderOf, toWebRequest } from './node-bridge.ts'
import { assertLocalPeer, type Peer, type PeerPolicy } from './local-peer.ts'
import { answerToOtherHost } from './other-host.ts'
import type { Routes } from './routes.ts'

type Place = PeerPolicy & Site

const NO_WEB_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK'])

/** Everything under `basePath` is ours; an address that does not exist there is 404. */
export function isRoute(request: NodeRequest, { basePath }: Pick<Place, 'basePath'>): boolean {
  const { path } = targetOf(request)
  return path === basePath || path.startsWith(`${basePath}/`)
}

/**
 * The answer to a request for which `isRoute` holds.
 * @param ip of the client, as far as the framework has been told which proxies to believe
 * @throws what only the host can mend: errors of the application's hooks, mistakes in code or configuration
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

/** @param clientIp as far as the framework has been told which proxies to believe */
export function peerOf(request: NodeRequest, clientIp: string | undefined): Peer {
  const { socket, headers } = request as Partial<NodeRequest>
  return { address: socket?.remoteAddress, clientIp, host: headers && textHeaderOf({ headers }, 'host') }
}

/** `errorAnswer` for Node's request. */
export function nodeErrorAnswer(error: unknown, site: Site, request: NodeRequest): Response | null {
  return errorAnswer(error, site, { headers: headersOf(request), method: request.method ?? 'GET' })
}

/** The Web's `Request` cannot have these (Fetch standard, section 2.2.1), and no route takes them. */
export function hasNoWebMethod({ method = 'GET' }: { readonly method?: string | undefined }): boolean {
  return NO_WEB_METHODS.has(method.toUpperCase())
}
