/**
 * The session side of the request that Next is working on. Next hands out one headers object per request, in rendering, in
 * server actions and in route handlers, so it stands for the request: one read, whoever asks how often.
 */
import { cookies, headers } from 'next/headers.js'
import type { Coatcheck } from '../../coatcheck.ts'
import type { Exchange } from '../../http/exchange.ts'
import { type NextCookies, NextSink } from './next-sink.ts'

export interface RequestScope<D extends object> {
  readonly exchange: Exchange<D>
  readonly sink: NextSink
}

const scopes = new WeakMap<object, WeakMap<object, RequestScope<object>>>()

export async function requestScope<D extends object>(auth: Coatcheck<D>): Promise<RequestScope<D>> {
  // First of all: in a build this tells Next that the page depends on the request, before any configuration is missed.
  const requestHeaders = await headers()
  const requestCookies = await cookies()
  const ofAuth = scopes.get(auth) ?? new WeakMap<object, RequestScope<object>>()
  scopes.set(auth, ofAuth)
  const scope = (ofAuth.get(requestHeaders) as RequestScope<D> | undefined) ?? createScope(auth, requestHeaders)
  ofAuth.set(requestHeaders, scope)
  scope.sink.cookies = requestCookies as unknown as NextCookies
  return scope
}

function createScope<D extends object>(auth: Coatcheck<D>, requestHeaders: Pick<Headers, 'get'>): RequestScope<D> {
  const sink = new NextSink()
  // Next does not know the address of the client; what `X-Forwarded-For` says is anybody's word.
  const exchange = auth.http.exchange({
    cookieHeader: requestHeaders.get('cookie'),
    sink,
    userAgent: requestHeaders.get('user-agent'),
  })
  return { exchange, sink }
}
