/**
 * A Web request as the routes get it: on the configured origin, without the headers that whoever sent it could have made up
 * about where it went. For hosts that speak `Request`; `node-bridge.ts` does the same for Node's.
 */
const BELIEVED_BY_NOBODY =
  /^(?::|host$|forwarded$|x-forwarded-|x-original-|x-rewrite-|content-length$|transfer-encoding$)/

/** Headers that name a host, a scheme or a path other than the request line's, or frame the message. Lower-case name. */
export function isBelievedByNobody(name: string): boolean {
  return BELIEVED_BY_NOBODY.test(name)
}

/** @returns a request with the body of the given one, which is read through it */
export function localRequest(request: Request, baseUrl: URL): Request {
  const headers = new Headers(request.headers)
  for (const name of [...headers.keys()]) if (isBelievedByNobody(name)) headers.delete(name)
  const { method, body } = request
  // A stream as body wants to be told that nobody answers before it has ended (Fetch standard, RequestDuplex).
  const init = body ? { method, headers, body, duplex: 'half' as const } : { method, headers }
  return new Request(localUrl(request.url, baseUrl), init)
}

/** The URL as browsers see it: of the request only path and query. */
export function localUrl(url: string, baseUrl: URL): URL {
  const { pathname, search } = new URL(url)
  const local = new URL(baseUrl.origin)
  local.pathname = pathname
  local.search = search
  return local
}
