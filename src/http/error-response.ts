/**
 * The only place that turns errors into HTTP responses: JSON for programs, a page for people. The visitor learns what happened, the next
 * step, and a code for support. Details go to the log. No response here touches a cookie, because an outage is not a sign-out.
 */
import type { ResolvedPages } from '../config/types.ts'
import { type ErrorCode, errorCatalogue } from '../core/error-catalogue.ts'
import { type AnyCoatcheckError, isCoatcheckError } from '../core/errors.ts'
import { withCommonHeaders } from './request-session.ts'
import { type Link, type Page, pageResponse } from './page.ts'

interface VisitorText extends Pick<Page, 'title' | 'text'> {
  readonly icon?: Page['icon']
  /** The suggested next step. Default: the start page. */
  readonly next?: { readonly to: 'sign-in' | 'other-account' | 'same-address'; readonly text: string }
}

const SIGN_IN = { to: 'sign-in', text: 'Sign in' } as const
const START_AGAIN = { to: 'sign-in', text: 'Start again' } as const
const SIGN_IN_AGAIN = { to: 'sign-in', text: 'Sign in again' } as const
const OTHER_ACCOUNT = { to: 'other-account', text: 'Try another account' } as const

const BY_CODE: Partial<Record<ErrorCode, VisitorText>> = {
  COATCHECK_SIGNIN_EXPIRED: {
    title: 'This sign-in is no longer valid',
    text: 'It took too long, it was used already, or it began in another browser. Please start again.',
    icon: 'wait',
    next: START_AGAIN,
  },
  COATCHECK_SIGNIN_REJECTED: {
    title: 'The sign-in could not be completed',
    text: 'The response of the identity provider did not pass a security check. Please start again.',
    next: START_AGAIN,
  },
  COATCHECK_SIGNIN_DENIED: {
    title: 'You were not signed in',
    text: 'Either the sign-in was canceled, or this account has no access to the application.',
    icon: 'person',
    next: OTHER_ACCOUNT,
  },
  COATCHECK_OIDC_CLIENT_REJECTED: {
    title: 'Sign-in is not available',
    text: 'The identity provider refused this application. Only the operators of the application can correct that.',
  },
  COATCHECK_REQUEST_CROSS_SITE: {
    title: 'Request refused',
    text: 'The request came from another website. Please use the pages of this application.',
    icon: 'stop',
  },
  COATCHECK_SESSION_CROSS_SITE: {
    title: 'Request refused',
    text: 'The request came from another website. Please use the pages of this application.',
    icon: 'stop',
  },
  COATCHECK_REQUEST_NOT_LOCAL: {
    title: 'Set up for development only',
    text: 'The base URL of this application is a loopback address, and this request came from another machine. Operators: set COATCHECK_BASE_URL to the https address that browsers see. For a container on your own machine, the log says what to set.',
    icon: 'stop',
  },
  COATCHECK_UNAUTHENTICATED: { title: 'Please sign in', text: 'You are not signed in.', icon: 'person', next: SIGN_IN },
  COATCHECK_RECENT_SIGNIN_REQUIRED: {
    title: 'Please sign in again',
    text: 'This page needs a recent sign-in. You have not been signed out.',
    icon: 'person',
    next: SIGN_IN_AGAIN,
  },
  COATCHECK_SESSION_ENDED: { title: 'Please sign in', text: 'Your session has ended.', icon: 'person', next: SIGN_IN },
  COATCHECK_TOKEN_NONE: {
    title: 'Please sign in again',
    text: 'This page acts on your behalf at another service. For that it needs an approval that a new sign-in brings.',
    icon: 'person',
    next: SIGN_IN_AGAIN,
  },
  COATCHECK_REAUTH_REQUIRED: {
    title: 'Please sign in again',
    text: 'The identity provider asks you to sign in again before this page may act on your behalf.',
    icon: 'person',
    next: SIGN_IN_AGAIN,
  },
  COATCHECK_EMAIL_TAKEN: {
    title: 'This address is in use',
    text: 'Another account has this e-mail address. Please sign in the same way as the first time.',
    icon: 'person',
    next: SIGN_IN,
  },
  COATCHECK_ACCOUNT_LINKED: {
    title: 'This account is in use',
    text: 'It belongs to another user of this application. Sign in as that user, or choose another account.',
    icon: 'person',
    next: OTHER_ACCOUNT,
  },
  COATCHECK_SESSION_LIMIT: {
    title: 'Too many devices',
    text: 'You are signed in on as many devices as this application allows. Sign out on one of them first.',
    icon: 'stop',
    next: { to: 'sign-in', text: 'Try again' },
  },
}

const BY_STATUS: Readonly<Record<number, VisitorText>> = {
  400: { title: 'Request not understood', text: 'The request does not have the form that this address expects.' },
  404: { title: 'Not found', text: 'There is no page at this address.', icon: 'search' },
  405: { title: 'Not possible this way', text: 'This address does not accept requests of this kind.', icon: 'stop' },
  503: {
    title: 'One moment, please',
    text: 'The service cannot answer right now. You have not been signed out. Please try again in a few seconds.',
    icon: 'wait',
    next: { to: 'same-address', text: 'Try again' },
  },
}

const OUR_FAULT: VisitorText = {
  title: 'Something went wrong',
  text: 'The error is on our side. Please try again later.',
}

/** `Retry-After` in seconds. The store recovers within a second; a provider takes longer. */
const RETRY_AFTER = { oidc: '5', other: '1' } as const

/**
 * True for errors with status 500 in the catalogue: mistakes in code or configuration, which the framework's own error handling should
 * receive.
 */
export function isForHost(error: unknown): boolean {
  return !isCoatcheckError(error) || errorCatalogue[error.code].status === 500
}

/** Request facts on which the response depends, besides the error. */
export interface ErrorContext {
  /** Headers of the request. A client that accepts `text/html` gets a page. */
  readonly headers: Headers
  readonly method: string
  /** Offered if a new sign-in helps. */
  readonly loginPath: string
  readonly pages: ResolvedPages
}

export function errorResponse(error: AnyCoatcheckError, context: ErrorContext): Response {
  const { status, family } = errorCatalogue[error.code]
  const text = BY_CODE[error.code] ?? BY_STATUS[status] ?? OUR_FAULT
  const response = acceptsHtml(context.headers)
    ? pageResponse({ ...pageOf(text, context), code: error.code }, context.pages, status)
    : Response.json(
        { error: { code: error.code, message: `${text.title}. ${text.text}`, retryable: error.retryable } },
        { status },
      )
  if (status === 503) response.headers.set('Retry-After', retryAfterOf(error, family === 'oidc' ? 'oidc' : 'other'))
  return response
}

/** `Retry-After` of the response in seconds. The provider may have requested a longer pause. */
function retryAfterOf(error: AnyCoatcheckError, kind: keyof typeof RETRY_AFTER): string {
  const wantedMs = 'details' in error ? error.details['retryAfterMs'] : undefined
  const least = RETRY_AFTER[kind]
  return typeof wantedMs === 'number' ? String(Math.max(Number(least), Math.ceil(wantedMs / 1000))) : least
}

/** Location of the routes, and theme of their pages. `ResolvedConfig` and `HttpConfig` have this shape. */
export interface Site {
  readonly basePath: string
  readonly pages: ResolvedPages
}

/**
 * Returns the response to an error that has one: 503 with `Retry-After` if the store is down, 401, 403… It touches no cookie.
 * @returns `null` for an error that the framework must handle
 */
export function errorAnswer(
  error: unknown,
  { basePath, pages }: Site,
  request: Pick<ErrorContext, 'headers' | 'method'>,
): Response | null {
  if (!isCoatcheckError(error) || isForHost(error)) return null
  const { headers, method } = request
  return withCommonHeaders(errorResponse(error, { headers, method, loginPath: `${basePath}/login`, pages }))
}

/** Response for addresses and methods that do not exist. They have no error code. */
export function plainErrorResponse(status: 404 | 405, headers: Headers, pages: ResolvedPages): Response {
  const { title, text, icon = 'alert' } = BY_STATUS[status] ?? OUR_FAULT
  if (acceptsHtml(headers)) return pageResponse({ title, text, icon, action: HOME }, pages, status)
  const code = status === 404 ? 'NOT_FOUND' : 'METHOD_NOT_ALLOWED'
  return Response.json({ error: { code, message: `${title}. ${text}`, retryable: false } }, { status })
}

/** Browsers accept `text/html` when they navigate or submit a form. `fetch` and programs do not. */
export function acceptsHtml(headers: Headers): boolean {
  return headers.get('accept')?.includes('text/html') === true
}

export const HOME: Link = { href: '/', text: 'Go to the start page' }

function pageOf({ title, text, icon = 'alert', next }: VisitorText, { method, loginPath }: ErrorContext): Page {
  const page = { title, text, icon }
  if (next?.to === 'sign-in') return { ...page, action: { href: loginPath, text: next.text }, other: HOME }
  if (next?.to === 'other-account') {
    // Without `account=choose`, the provider would return the same account again.
    const href = `${loginPath}${loginPath.includes('?') ? '&' : '?'}account=choose`
    return { ...page, action: { href, text: next.text }, other: HOME }
  }
  // A link cannot submit a form again, so the page offers the address again only after a GET or HEAD.
  const canRepeat = next !== undefined && (method === 'GET' || method === 'HEAD')
  return canRepeat ? { ...page, action: { href: '', text: next.text } } : { ...page, action: HOME }
}
