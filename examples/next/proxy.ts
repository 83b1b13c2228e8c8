/**
 * Runs in front of every page, on Node: visitors without a ticket go to sign-in at once, before anything is rendered. Signature
 * and time only, Redis is not asked; pages and handlers still decide for themselves with `requireUser` and `withUser`.
 */
import { hasTicket } from 'coatcheck/next'
import { type NextRequest, NextResponse } from 'next/server'
import { auth } from './lib/auth'

export function proxy(request: NextRequest): NextResponse {
  if (hasTicket(auth, request)) return NextResponse.next()
  const { pathname, search } = request.nextUrl
  // On the configured origin: the host of the request is whatever its sender wrote there.
  const url = new URL('/auth/login', auth.http.config().baseUrl)
  url.searchParams.set('returnTo', pathname + search)
  return NextResponse.redirect(url, 303)
}

export const config = { matcher: ['/profile', '/orders', '/tokens', '/devices'] }
