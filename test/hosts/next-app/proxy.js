import { hasTicket } from 'coatcheck/next'
import { NextResponse } from 'next/server'
import { auth } from './auth.js'

export function proxy(request) {
  const response = NextResponse.next()
  if (request.nextUrl.pathname === '/rendered') response.headers.set('x-has-ticket', String(hasTicket(auth, request)))
  return response
}
