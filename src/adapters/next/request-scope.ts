/**
 * The session side of the request that Next is processing. Next creates one headers object per request, in rendering, in server actions and
 * in route handlers. That object is the key of the request, so all callers share one session read.
 */
import { cookies, headers } from 'next/headers.js'
import { connection } from 'next/server.js'
import type { HttpInstance } from '../../http/instance.ts'
import type { RequestSession } from '../../http/request-session.ts'
import { type NextCookies, NextSink } from './next-sink.ts'

export interface RequestScope<D extends object> {
  readonly requestSession: RequestSession<D>
  readonly sink: NextSink
}

const scopes = new WeakMap<object, WeakMap<object, RequestScope<object>>>()

export async function requestScope<D extends object>(auth: HttpInstance<D>): Promise<RequestScope<D>> {
  // A prerender stops here. Session code reads the clock and the network, which Next only allows after `connection()`: with Cache
  // Components, prefetching may run the code after `headers()` before a request exists. `next build` also stops here, before Coatcheck
  // reads its settings, so a build needs none.
  await connection()
  const requestHeaders = await headers()
  const requestCookies = await cookies()
  const ofAuth = scopes.get(auth) ?? new WeakMap<object, RequestScope<object>>()
  scopes.set(auth, ofAuth)
  const scope = (ofAuth.get(requestHeaders) as RequestScope<D> | undefined) ?? createScope(auth, requestHeaders)
  ofAuth.set(requestHeaders, scope)
  scope.sink.cookies = requestCookies as unknown as NextCookies
  return scope
}

function createScope<D extends object>(auth: HttpInstance<D>, requestHeaders: Pick<Headers, 'get'>): RequestScope<D> {
  const sink = new NextSink()
  // Next does not provide the address of the client, and any client can send `X-Forwarded-For`.
  const requestSession = auth.http.requestSession({
    cookieHeader: requestHeaders.get('cookie'),
    header: (name) => requestHeaders.get(name),
    sink,
    userAgent: requestHeaders.get('user-agent'),
    peer: () => ({ address: undefined, host: requestHeaders.get('host') }),
  })
  return { requestSession, sink }
}
