/**
 * The routes and their errors on Node's request and response: what an adapter for a Node framework calls, and all that it
 * has to know is how to reach the framework's own error handling.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ResolvedConfig } from '../config/types.ts'
import { isCoatcheckError } from '../core/errors.ts'
import { errorResponse, isForHost, plainErrorResponse } from './error-response.ts'
import { forbidStoring } from './exchange.ts'
import { headersOf, type NodeRequest, sendWebResponse, targetOf, toWebRequest } from './node-bridge.ts'
import type { Routes } from './routes.ts'

type Place = Pick<ResolvedConfig<object>, 'baseUrl' | 'basePath'>

/** The Web's `Request` cannot have these (Fetch standard, section 2.2.1), and no route takes them. */
const NO_WEB_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK'])

/** Everything under `basePath` is ours; an address that does not exist there is 404. */
export function isRoute(request: NodeRequest, { basePath }: Place): boolean {
  const { path } = targetOf(request)
  return path === basePath || path.startsWith(`${basePath}/`)
}

/**
 * Answers a request for which `isRoute` holds. A client that goes away ends nothing but its own answer.
 * @param ip of the client, as far as the framework has been told which proxies to believe
 * @throws what only the host can mend: errors of the application's hooks, mistakes in code or configuration
 */
export async function serveRoute(
  routes: Routes,
  place: Place,
  request: NodeRequest,
  response: ServerResponse,
  ip: string | undefined,
): Promise<void> {
  try {
    await sendWebResponse(await answerOf(routes, place, request, ip), request, response)
  } catch (error) {
    if (!answerError(error, place, request, response)) throw error
  }
}

/**
 * Answers an error that has an answer: 503 with `Retry-After` for a store that is down, 401, 403… No cookie is touched.
 * @returns false, having done nothing, for errors that are the host's and when the headers have left.
 */
export function answerError(
  error: unknown,
  { basePath }: Place,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (response.headersSent || !isCoatcheckError(error) || isForHost(error)) return false
  const answer = errorResponse(error, headersOf(request), `${basePath}/login`)
  forbidStoring(response)
  // Its body is complete, so there is nothing to wait for and nothing that could fail but the client's connection.
  void sendWebResponse(answer, request, response)
  return true
}

async function answerOf(
  routes: Routes,
  { baseUrl }: Place,
  request: NodeRequest,
  ip: string | undefined,
): Promise<Response> {
  if (NO_WEB_METHODS.has(request.method ?? '')) return plainErrorResponse(405, headersOf(request))
  return routes(await toWebRequest(request, baseUrl), ip === undefined ? {} : { ip })
}
