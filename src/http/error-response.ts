/**
 * The one place where errors become HTTP: JSON for programs, a page for people. The visitor learns what to do and a code to
 * report; what happened inside is for the log. No answer here touches a cookie: an outage is not a sign-out.
 */
import { type ErrorCode, errorCatalogue } from '../core/error-catalogue.ts'
import { type AnyCoatcheckError, isCoatcheckError } from '../core/errors.ts'
import { neverStored } from './exchange.ts'
import { type Page, pageResponse } from './page.ts'

interface VisitorText {
  readonly title: string
  readonly text: string
  readonly retry?: 'sign-in'
}

const BY_CODE: Partial<Record<ErrorCode, VisitorText>> = {
  COATCHECK_SIGNIN_EXPIRED: {
    title: 'This sign-in is no longer valid',
    text: 'It took too long, was used already, or was started in another browser. Please start again.',
    retry: 'sign-in',
  },
  COATCHECK_SIGNIN_REJECTED: {
    title: 'The sign-in could not be completed',
    text: 'The answer of the identity provider did not pass our checks. Please start again.',
    retry: 'sign-in',
  },
  COATCHECK_SIGNIN_DENIED: {
    title: 'You were not signed in',
    text: 'This account has no access, or the sign-in was cancelled. You can try another account.',
    retry: 'sign-in',
  },
  COATCHECK_OIDC_CLIENT_REJECTED: {
    title: 'Sign-in is not available',
    text: 'The identity provider refused this application. Its operators have to look into it.',
  },
  COATCHECK_REQUEST_CROSS_SITE: {
    title: 'Request refused',
    text: 'It came from another site. Please use the pages of this application.',
  },
  COATCHECK_UNAUTHENTICATED: { title: 'Please sign in', text: 'You are not signed in.', retry: 'sign-in' },
  COATCHECK_SESSION_ENDED: { title: 'Please sign in', text: 'Your session has ended.', retry: 'sign-in' },
  COATCHECK_TOKEN_NONE: {
    title: 'Please sign in again',
    text: 'What this page fetches in your name needs an approval that only comes with a new sign-in.',
    retry: 'sign-in',
  },
  COATCHECK_REAUTH_REQUIRED: {
    title: 'Please sign in again',
    text: 'The identity provider wants to see you again before this page may go on in your name.',
    retry: 'sign-in',
  },
  COATCHECK_EMAIL_TAKEN: {
    title: 'This address is in use',
    text: 'Please sign in the way you did the first time.',
    retry: 'sign-in',
  },
  COATCHECK_ACCOUNT_LINKED: {
    title: 'This account is in use',
    text: 'It belongs to another user here. Please sign in with it, or choose another one.',
    retry: 'sign-in',
  },
  COATCHECK_SESSION_LIMIT: {
    title: 'Too many devices',
    text: 'You are signed in on as many devices as are allowed. Sign out on one of them first.',
  },
}

const BY_STATUS: Readonly<Record<number, VisitorText>> = {
  400: { title: 'Request not understood', text: 'The request does not have the form that is expected here.' },
  404: { title: 'Not found', text: 'There is nothing at this address.' },
  405: { title: 'Not possible this way', text: 'This address does not take requests of this kind.' },
  503: {
    title: 'One moment, please',
    text: 'The service cannot answer right now. You have not been signed out. Please try again in a few seconds.',
  },
}

const OUR_FAULT: VisitorText = {
  title: 'Something went wrong',
  text: 'The error is on our side. Please try again later.',
}

/** Seconds. The store recovers within a second; a provider takes longer. */
const RETRY_AFTER = { oidc: '5', other: '1' } as const

/** 500 by the catalogue: a mistake in code or configuration, which the host's own error handling should see. */
export function isForHost(error: unknown): boolean {
  return !isCoatcheckError(error) || errorCatalogue[error.code].status === 500
}

/** @param headers of the request: who accepts `text/html` gets a page. @param loginPath offered where a new sign-in helps. */
export function errorResponse(error: AnyCoatcheckError, headers: Headers, loginPath: string): Response {
  const { status, family } = errorCatalogue[error.code]
  const text = BY_CODE[error.code] ?? BY_STATUS[status] ?? OUR_FAULT
  const response = acceptsHtml(headers)
    ? pageResponse(pageOf(text, error.code, loginPath), status)
    : Response.json(
        { error: { code: error.code, message: `${text.title}. ${text.text}`, retryable: error.retryable } },
        { status },
      )
  if (status === 503) response.headers.set('Retry-After', RETRY_AFTER[family === 'oidc' ? 'oidc' : 'other'])
  return response
}

/**
 * The answer to an error that has one: 503 with `Retry-After` for a store that is down, 401, 403… No cookie is touched.
 * @returns `null` for what is the host's business
 */
export function errorAnswer(
  error: unknown,
  { basePath }: { readonly basePath: string },
  headers: Headers,
): Response | null {
  if (!isCoatcheckError(error) || isForHost(error)) return null
  return neverStored(errorResponse(error, headers, `${basePath}/login`))
}

/** For addresses and methods that do not exist: no error of ours stands behind them. */
export function plainErrorResponse(status: 404 | 405, headers: Headers): Response {
  const { title, text } = BY_STATUS[status] ?? OUR_FAULT
  if (acceptsHtml(headers)) return pageResponse({ title, text, links: [HOME] }, status)
  const code = status === 404 ? 'NOT_FOUND' : 'METHOD_NOT_ALLOWED'
  return Response.json({ error: { code, message: `${title}. ${text}`, retryable: false } }, { status })
}

/** Browsers say so when they navigate or send a form; `fetch` and programs do not. */
export function acceptsHtml(headers: Headers): boolean {
  return headers.get('accept')?.includes('text/html') === true
}

const HOME = { href: '/', text: 'To the start page' }

function pageOf({ title, text, retry }: VisitorText, code: ErrorCode, loginPath: string): Page {
  const again = retry === 'sign-in' ? [{ href: loginPath, text: 'Sign in' }] : []
  return { title, text: `${text} (${code})`, links: [...again, HOME] }
}
