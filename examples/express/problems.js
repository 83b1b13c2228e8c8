// @ts-check
/**
 * The last stop for everything that went wrong: one table from error codes to what people read and what machines get.
 * A store that cannot be reached is 503 with Retry-After, never a sign-out: cookie and session are still there afterwards.
 */
import { isCoatcheckError } from 'coatcheck'
import { OrdersError } from './orders.js'
import { problemPage } from './pages/problem.js'

const signIn = { href: '/auth/login?returnTo=/', text: 'Sign in' }
const otherAccount = { href: '/auth/login?returnTo=/&account=choose', text: 'Try another account' }

/** @param {unknown} error */
function describe(error) {
  if (error instanceof OrdersError) {
    return {
      status: 502,
      title: 'The orders are not available',
      text: 'The service that knows them refused to answer.',
    }
  }
  if (!isCoatcheckError(error)) {
    return { status: 500, title: 'Something went wrong', text: 'It is our fault, and it has been written down.' }
  }
  const { code } = error
  if (code === 'COATCHECK_UNAUTHENTICATED' || code === 'COATCHECK_SESSION_ENDED') {
    return {
      status: 401,
      code,
      title: 'Please sign in',
      text: 'This page is for people who are signed in.',
      action: signIn,
    }
  }
  if (code === 'COATCHECK_REAUTH_REQUIRED' || code === 'COATCHECK_TOKEN_NONE') {
    return {
      status: 401,
      code,
      title: 'Please sign in again',
      text: 'The identity provider wants to see you again.',
      action: signIn,
    }
  }
  if (code === 'COATCHECK_SIGNIN_DENIED') {
    const text = 'Either the sign-in was canceled, or this account has no access to the application.'
    return { status: 403, code, title: 'You were not signed in', text, action: otherAccount }
  }
  if (code.startsWith('COATCHECK_SIGNIN_')) {
    return { status: 400, code, title: 'The sign-in was not completed', text: 'Start it again.', action: signIn }
  }
  if (error.retryable || code.startsWith('COATCHECK_REDIS_')) {
    const text = 'We cannot reach our session store. You are still signed in: try again in a moment.'
    return { status: 503, code, title: 'One moment, please', text }
  }
  return { status: 500, code, title: 'Something went wrong', text: 'It is our fault, and it has been written down.' }
}

/** @type {import('express').ErrorRequestHandler} */
export function handleProblem(error, request, response, next) {
  if (response.headersSent) {
    next(error)
    return
  }
  const problem = describe(error)
  // Codes, messages and stacks of Coatcheck hold no ticket, token or e-mail address.
  if (problem.status >= 500) console.error(problem.code ?? error)
  if (problem.status === 503) response.set('retry-after', '1')
  response.status(problem.status).set('cache-control', 'private, no-store')
  if (request.path.startsWith('/api/'))
    response.json({ error: { code: problem.code ?? 'ERROR', message: problem.title } })
  else response.type('html').send(problemPage(problem).text)
}
