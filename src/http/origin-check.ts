/**
 * Requests that change state must come from the application's own pages (OWASP ASVS 3.5.1). The browser names the source: in
 * `Sec-Fetch-Site`, which no page can set, otherwise in `Origin`. A request without both is refused, because every supported browser sends
 * at least one of them with a POST. The request's own `Host` plays no part.
 */
import { OidcError } from '../core/errors.ts'

/** @param origin of the base URL */
export function isSameOrigin(headers: Headers, origin: string): boolean {
  const site = headers.get('sec-fetch-site')
  // "none": the user acted directly, without a page.
  if (site !== null) return site === 'same-origin' || site === 'none'
  return headers.get('origin') === origin
}

/** @throws {OidcError} `COATCHECK_REQUEST_CROSS_SITE` */
export function assertSameOrigin(headers: Headers, origin: string): void {
  if (!isSameOrigin(headers, origin)) throw new OidcError('COATCHECK_REQUEST_CROSS_SITE')
}

/** Returns a header of the request by its name in lower case. */
export type RequestHeader = (name: string) => string | readonly string[] | null | undefined

/**
 * Returns whether the browser left the session cookie out because another site caused the request (RFC 6265bis section 5.2). A browser always
 * leaves a Strict cookie out then. It sends a Lax cookie only if it loads a page with GET. A page load with GET has no header `Origin`, a page load
 * with another method has one. False without `Sec-Fetch-Site`: the browser does not say which site caused the request.
 */
export function isCookieLeftOut(header: RequestHeader, sameSite: 'lax' | 'strict'): boolean {
  if (header('sec-fetch-site') !== 'cross-site') return false
  if (sameSite === 'strict' || header('sec-fetch-dest') !== 'document') return true
  const origin = header('origin')
  return origin !== undefined && origin !== null
}

/**
 * How a sign-in starts. `background`: an image, a frame, a script or a prefetch, which the user did not request. `unasked`: another site
 * sent the browser here without a click (OWASP ASVS 7.6.2, no session without an action of the user). A browser that sends no such headers
 * counts as `asked`.
 */
export function navigationKind(headers: Headers): 'asked' | 'unasked' | 'background' {
  const destination = headers.get('sec-fetch-dest')
  if (destination !== null && destination !== 'document') return 'background'
  if (/\bprefetch\b|\bprerender\b/.test(headers.get('sec-purpose') ?? headers.get('purpose') ?? '')) return 'background'
  const site = headers.get('sec-fetch-site')
  const isOurs = site === null || site === 'same-origin' || site === 'none'
  return isOurs || headers.get('sec-fetch-user') === '?1' ? 'asked' : 'unasked'
}
