/**
 * What a request without a signed-in user gets from something that wants one: a person who navigates goes to sign-in and
 * comes back, everybody else learns that they are not signed in. Shared by all adapters.
 */
import type { ResolvedPages } from '../config/types.ts'
import { SessionError } from '../core/errors.ts'
import { acceptsHtml, errorResponse } from './error-response.ts'
import { withCommonHeaders } from './exchange.ts'
import { seeOther } from './route-request.ts'

export interface SignInDemand {
  readonly method: string
  readonly headers: Headers
  /** Of the request, on the configured origin. */
  readonly url: URL
  /** Where the routes live. */
  readonly basePath: string
  readonly pages: ResolvedPages
  /** With several providers: the one to sign in at. */
  readonly provider?: string | undefined
}

/**
 * A redirect to the login route with the request's own path as `returnTo`, or 401: as JSON, and as a page for a form that
 * was sent without a session, since going on would drop what had been typed without a word.
 */
export function demandSignIn(demand: SignInDemand): Response {
  return withCommonHeaders(answerTo(demand))
}

function answerTo({ method, headers, url, basePath, pages, provider }: SignInDemand): Response {
  const isPage = isNavigation(headers) && (method === 'GET' || method === 'HEAD')
  if (isPage) return seeOther(signInPath(basePath, { provider, returnTo: url.pathname + url.search }))
  const loginPath = signInPath(basePath, { provider })
  return errorResponse(new SessionError('COATCHECK_UNAUTHENTICATED'), { headers, method, loginPath, pages })
}

/** The login route with what it is to know. */
export function signInPath(
  basePath: string,
  known: { readonly provider?: string | undefined; readonly returnTo?: string | undefined },
): string {
  const query = new URLSearchParams(Object.entries(known).filter((entry): entry is [string, string] => !!entry[1]))
  return query.size > 0 ? `${basePath}/login?${query.toString()}` : `${basePath}/login`
}

/** Browsers say it (Fetch Metadata); for those that do not, whoever takes a page is taken for a person. */
function isNavigation(headers: Headers): boolean {
  const mode = headers.get('sec-fetch-mode')
  return mode === null ? acceptsHtml(headers) : mode === 'navigate'
}
