/**
 * Builds the Web request that the routes receive: on the configured origin, without headers in which a client could forge the target. For
 * frameworks with `Request`; `node-bridge.ts` does the same for Node requests.
 */
const BELIEVED_BY_NOBODY =
  /^(?::|host$|forwarded$|x-forwarded-|x-original-|x-rewrite-|content-length$|transfer-encoding$)/

/** True for headers that name another host, scheme or path than the request line, or that frame the message. Expects a lower-case name. */
export function isBelievedByNobody(name: string): boolean {
  return BELIEVED_BY_NOBODY.test(name)
}

/** @returns a new request that reads the body of the given one */
export function localRequest(request: Request, baseUrl: URL): Request {
  const headers = new Headers(request.headers)
  for (const name of [...headers.keys()]) if (isBelievedByNobody(name)) headers.delete(name)
  const { method, body } = request
  // A stream body requires `duplex: 'half'`: no response before the body ends (Fetch standard, RequestDuplex).
  const init = body ? { method, headers, body, duplex: 'half' as const } : { method, headers }
  return new Request(localUrl(request.url, baseUrl), init)
}

/** The URL as browsers see it. Takes only path and query from the request. */
export function localUrl(url: string, baseUrl: URL): URL {
  const { pathname, search } = new URL(url)
  const local = new URL(baseUrl.origin)
  local.pathname = pathname
  local.search = search
  return local
}
