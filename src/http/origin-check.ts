/**
 * Requests that change something have to come from our own pages (OWASP ASVS 3.5.1). The browser says where from:
 * `Sec-Fetch-Site`, which no page can set, else `Origin`. A request that says neither is refused: every browser that is
 * still supported sends at least one of them with a POST. The request's own `Host` plays no part.
 */
import { OidcError } from '../core/errors.ts'

/** @param origin of the base URL */
export function isSameOrigin(headers: Headers, origin: string): boolean {
  const site = headers.get('sec-fetch-site')
  // "none": the user's own doing, without any page behind it.
  if (site !== null) return site === 'same-origin' || site === 'none'
  return headers.get('origin') === origin
}

/** @throws {OidcError} `COATCHECK_REQUEST_CROSS_SITE` */
export function assertSameOrigin(headers: Headers, origin: string): void {
  if (!isSameOrigin(headers, origin)) throw new OidcError('COATCHECK_REQUEST_CROSS_SITE')
}

/**
 * How a sign-in is being started. `background`: an image, a frame, a script or a prefetch, none of which a user has asked
 * for. `unasked`: another site sent the browser here without a click (OWASP ASVS 7.6.2, no session without an action of
 * the user). Browsers that do not say count as `asked`.
 */
export function navigationKind(headers: Headers): 'asked' | 'unasked' | 'background' {
  const destination = headers.get('sec-fetch-dest')
  if (destination !== null && destination !== 'document') return 'background'
  if (/\bprefetch\b|\bprerender\b/.test(headers.get('sec-purpose') ?? headers.get('purpose') ?? '')) return 'background'
  const site = headers.get('sec-fetch-site')
  const isOurs = site === null || site === 'same-origin' || site === 'none'
  return isOurs || headers.get('sec-fetch-user') === '?1' ? 'asked' : 'unasked'
}
