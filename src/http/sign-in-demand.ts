/**
 * Response to a request without a signed-in user that needs one. A person who navigates goes to sign-in and comes back. Any other client
 * learns that it is not signed in. Shared by all adapters.
 */
import type { ResolvedPages } from '../config/types.ts'
import { systemClock } from '../core/clock.ts'
import { SessionError } from '../core/errors.ts'
import type { Session } from '../session/types.ts'
import { acceptsHtml, errorResponse } from './error-response.ts'
import { withCommonHeaders } from './request-session.ts'
import { isRecent } from './recent-sign-in.ts'
import { seeOther } from './route-request.ts'

export interface SignInDemand {
  readonly method: string
  readonly headers: Headers
  /** URL of the request, on the configured origin. */
  readonly url: URL
  /** Path of the routes. */
  readonly basePath: string
  readonly pages: ResolvedPages
  readonly requirement: UserRequirement
}

/** What a route requires of its session besides a user. */
export interface UserRequirement {
  /** With several providers: the provider for the sign-in. */
  readonly provider?: string | undefined
  /** Maximum age of the user's authentication, milliseconds. `null` or left out: any age. */
  readonly maxAgeMs?: number | null | undefined
}

type SignedIn = Pick<Session<object>, 'user' | 'authentication'>

/** Returns the code of the unmet requirement. `null`: the session meets all of them. */
export function lackOf(
  { user, authentication }: SignedIn,
  { maxAgeMs = null }: UserRequirement,
): 'COATCHECK_UNAUTHENTICATED' | 'COATCHECK_RECENT_SIGNIN_REQUIRED' | null {
  if (!user) return 'COATCHECK_UNAUTHENTICATED'
  if (maxAgeMs === null || isRecent(authentication, maxAgeMs, systemClock.now())) return null
  return 'COATCHECK_RECENT_SIGNIN_REQUIRED'
}

/**
 * Redirects to the login route with the request's own path as `returnTo`, or answers 401: as JSON, or as a page. A form that was submitted
 * without a session gets the page, because a redirect would silently drop its data.
 */
export function demandSignIn(
  code: NonNullable<ReturnType<typeof lackOf>>,
  { method, headers, url, basePath, pages, requirement }: SignInDemand,
): Response {
  const { provider } = requirement
  // Only a signed-in user must authenticate again. For a first sign-in, the route checks the age when the browser returns.
  const maxAgeMs = code === 'COATCHECK_RECENT_SIGNIN_REQUIRED' ? requirement.maxAgeMs : null
  const isPage = isNavigation(headers) && (method === 'GET' || method === 'HEAD')
  const returnTo = isPage ? url.pathname + url.search : undefined
  const loginPath = signInPath(basePath, { provider, returnTo, maxAgeMs })
  return withCommonHeaders(
    isPage ? seeOther(loginPath) : errorResponse(new SessionError(code), { headers, method, loginPath, pages }),
  )
}

/** Builds the login path with its parameters. */
export function signInPath(
  basePath: string,
  { provider, returnTo, maxAgeMs = null }: UserRequirement & { readonly returnTo?: string | undefined },
): string {
  const query = new URLSearchParams()
  if (provider) query.set('provider', provider)
  if (returnTo) query.set('returnTo', returnTo)
  if (maxAgeMs !== null) query.set('max_age', String(Math.floor(maxAgeMs / 1000)))
  return query.size > 0 ? `${basePath}/login?${query.toString()}` : `${basePath}/login`
}

/** Browsers mark a navigation (Fetch Metadata). Without that header, a client that accepts HTML counts as a person. */
function isNavigation(headers: Headers): boolean {
  const mode = headers.get('sec-fetch-mode')
  return mode === null ? acceptsHtml(headers) : mode === 'navigate'
}
