/**
 * The session side of one HTTP request. It reads the session on the first call, at most once, and writes tickets as cookies. An adapter
 * creates one per request with `createRequestSession` and keeps it for the life of the request.
 */
import type { ResolvedConfig } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import { SessionError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { AttachedBridge, CookieBridge } from '../migrate/cookie-bridge.ts'
import { policyForUsers } from '../session/outage.ts'
import type { OutagePolicy } from '../config/session-settings.ts'
import type { Session, SessionStore, TicketSink, Visit } from '../session/types.ts'
import type { Device } from '../session/sign-in-input.ts'
import { adoptedVisit } from './adopted-visit.ts'
import { type Cookies, createCookies, putSetCookie, type ResponseSink } from './cookie.ts'
import { describeDevice } from './device.ts'
import { createHeadersSink, type HeadersSink } from './headers-sink.ts'
import { isCookieLeftOut, type RequestHeader } from './origin-check.ts'
import { type Peer, type PeerPolicy, peerRefusal } from './local-peer.ts'
import { type HeadWriter, INSTEAD_OF_CACHE_CONTROL, keepUncached, UNCACHED } from './uncached-response.ts'

/** For adapters: the parts of a request that are needed. */
export interface RequestSessionInput {
  /** All `Cookie` headers of the request, joined by `; ` as Node does. `null` or `undefined`: none. */
  readonly cookieHeader: string | null | undefined
  /**
   * Receives the headers of the response. `null`: no cookie can be written, and a new ticket is refused with `COATCHECK_COOKIES_READ_ONLY`.
   */
  readonly sink: ResponseSink | null
  /** Headers of the request, to detect requests that another site has sent. Absent: no such check. */
  readonly header?: RequestHeader | undefined
  /** `User-Agent` header, for the list of devices. Absent: unknown. */
  readonly userAgent?: string | null | undefined
  /** Returns the address of the client, as far as the adapter trusts it. Called when a session is created. Absent: unknown. */
  readonly ip?: (() => string | null | undefined) | undefined
  /** Sender of the request. On a loopback base URL, requests from other machines are refused. Absent: no such check. */
  readonly peer?: (() => Peer) | undefined
  /** Reads the sessions of another library if Coatcheck has no user for the request. Absent: none. */
  readonly adopt?: CookieBridge | undefined
}

/** Options of `getSession()`. */
export interface SessionRequest {
  /** What to return during an outage. Default: `session.onUnavailable`. */
  readonly onUnavailable?: OutagePolicy | undefined
}

/** For adapters: one request and its session. */
export interface RequestSession<D extends object> {
  /**
   * Returns the session of this request, the same object at every call. A request without a session cookie costs no command.
   * @throws {RedisError} during an outage, unless the policy names a substitute. A later call tries again.
   */
  getSession(options?: SessionRequest): Promise<Session<D>>
  /** Returns the session as `getSession` does, for code behind a sign-in: during an outage the policy `anonymous` counts as `fail`. */
  getSessionOfUser(options?: SessionRequest): Promise<Session<D>>
  /**
   * Returns the visit of this request, for code that signs in, rotates the ticket or signs out.
   * @throws {RedisError} during an outage
   */
  getVisit(): Promise<Visit<D>>
}

export interface RequestSessionDeps<D extends object> {
  readonly config: Pick<ResolvedConfig<D>, 'cookie' | 'session' | 'signIn' | 'providers'> & PeerPolicy
  readonly sessions: Pick<SessionStore<D>, 'visit' | 'duringOutage'>
  readonly events: EventBus
  readonly clock: Clock
  /** Connects a bridge to this instance; the same result for the same bridge. */
  readonly attach: (bridge: CookieBridge) => AttachedBridge
}

/** Creates the session side of one request. */
export type RequestSessionFactory<D extends object> = (input: RequestSessionInput) => RequestSession<D>

export function createRequestSessionFactory<D extends object>(deps: RequestSessionDeps<D>): RequestSessionFactory<D> {
  const cookies = createCookies(deps.config.cookie)
  const { providers, signIn } = deps.config
  const remembersSignOut = providers.length > 0 && signIn.askAfterSignOut !== false
  return (input) => {
    // Also without an old cookie: a bridge learns of revocations only once it is attached. Further calls for the same bridge do nothing.
    if (input.adopt) deps.attach(input.adopt)
    let visit: Promise<Visit<D>> | null = null
    const getVisit = (): Promise<Visit<D>> => {
      if (visit) return visit
      const refusal = input.peer && deps.config.loopback ? peerRefusal(input.peer(), deps.config) : null
      if (refusal) return Promise.reject(refusal)
      const ticket = ticketOf(input, cookies, deps.events)
      forbidStoring(input.sink)
      const { header } = input
      const isLeftOut = (): boolean =>
        header !== undefined && !hasTicket(input, cookies) && isCookieLeftOut(header, deps.config.cookie.sameSite)
      const device = (): Device | undefined => describeDevice(input.userAgent, input.ip?.())
      const sink = createTicketSink(input.sink, cookies, deps.clock, remembersSignOut, isLeftOut)
      const reading = deps.sessions.visit(ticket, sink, device)
      const bridge = bridgeOf(input, cookies, deps.config.cookie.sameSite)
      visit = bridge ? adoptedVisit(reading, ticket, { deps, bridge, input, sink, device }) : reading
      // An outage is not cached: the next call within this request tries again.
      visit.catch(() => {
        visit = null
      })
      return visit
    }
    const getSession = async (policy = deps.config.session.onUnavailable): Promise<Session<D>> => {
      try {
        return (await getVisit()).session
      } catch (error) {
        const ticket = ticketOf(input, cookies, deps.events)
        // The old cookie may stand for a session. This process has never verified it, so it cannot serve it as `stale`.
        if (ticket === null && policy === 'stale' && bridgeOf(input, cookies, deps.config.cookie.sameSite)) throw error
        return deps.sessions.duringOutage(ticket, policy, error)
      }
    }
    return {
      getVisit,
      getSession: ({ onUnavailable } = {}) => getSession(onUnavailable),
      getSessionOfUser: ({ onUnavailable } = {}) =>
        getSession(policyForUsers(onUnavailable ?? deps.config.session.onUnavailable)),
    }
  }
}

function ticketOf(input: RequestSessionInput, cookies: Cookies, events: EventBus): string | null {
  const found = cookies.readTicket(input.cookieHeader ?? '')
  if (found.status === 'duplicate') events.emit('ticket.duplicate', { count: found.count })
  return found.status === 'one' ? found.value : null
}

/**
 * Returns the bridge, if the request has an old cookie that may count. If the browser omitted the Coatcheck cookie, the old cookie does not
 * count either: it may lack `SameSite`, and must not bypass that protection. With several Coatcheck tickets, one may be planted, so none
 * counts.
 */
function bridgeOf(input: RequestSessionInput, cookies: Cookies, sameSite: 'lax' | 'strict'): CookieBridge | null {
  const { adopt, cookieHeader, header } = input
  if (!adopt || typeof cookieHeader !== 'string' || !adopt.mayHold(cookieHeader)) return null
  if (header && isCookieLeftOut(header, sameSite)) return null
  return cookies.readTicket(cookieHeader).status === 'duplicate' ? null : adopt
}

function hasTicket({ cookieHeader }: RequestSessionInput, cookies: Cookies): boolean {
  return cookies.readTicket(cookieHeader ?? '').status !== 'none'
}

/** @param remembersSignOut whether the next sign-in in this browser asks which account to use */
function createTicketSink(
  sink: ResponseSink | null,
  cookies: Cookies,
  clock: Clock,
  remembersSignOut: boolean,
  isCookieMissing: () => boolean,
): TicketSink {
  return {
    get mayLeaveUnnoticed() {
      return sink?.mayLeaveUnnoticed === true
    },
    assertWritable() {
      // A sent response is the more specific reason: some frameworks make cookies read-only at that moment.
      if (sink?.headersSent) throw new SessionError('COATCHECK_HEADERS_SENT')
      if (!sink || sink.isReadOnly) throw new SessionError('COATCHECK_COOKIES_READ_ONLY')
    },
    assertReplacesNone() {
      if (isCookieMissing()) throw new SessionError('COATCHECK_SESSION_CROSS_SITE')
    },
    issue(ticket, absoluteExpiresAtMs) {
      // The headers may have been sent since `assertWritable`, during the write to the store.
      this.assertWritable()
      if (!sink) return
      const maxAgeSeconds = Math.max(1, Math.ceil((absoluteExpiresAtMs - clock.now()) / 1000))
      putSetCookie(sink, cookies.ticket(ticket, maxAgeSeconds))
      forbidStoringForGood(sink)
    },
    withdraw() {
      if (!sink || sink.headersSent || sink.isReadOnly) return
      putSetCookie(sink, cookies.clearTicket())
      forbidStoringForGood(sink)
    },
    clear() {
      // The session has ended in the store. If its cookie can no longer be removed, the cookie opens no session.
      if (!sink || sink.isReadOnly || sink.headersSent) return
      putSetCookie(sink, cookies.clearTicket())
      if (remembersSignOut) putSetCookie(sink, cookies.signedOut())
      forbidStoringForGood(sink)
    },
  }
}

/**
 * A response that depends on the session is for one visitor (RFC 9111 sections 4.1 and 5.2.2.7). This overrides the application's headers:
 * a cache that hands one visitor's cookie to another is worse than no cache.
 */
function forbidStoring(sink: ResponseSink | null): void {
  if (!sink || sink.headersSent) return
  sink.setHeader('Cache-Control', UNCACHED)
  for (const name of INSTEAD_OF_CACHE_CONTROL) {
    if (sink.getHeader(name) !== undefined) sink.setHeader(name, name === 'x-accel-expires' ? '0' : 'no-store')
  }
  const vary = sink.getHeader('vary')
  const names = (vary === undefined ? [] : typeof vary === 'object' ? vary : [String(vary)])
    .join(',')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (names.includes('*') || names.some((name) => name.toLowerCase() === 'cookie')) return
  sink.setHeader('Vary', [...names, 'Cookie'].join(', '))
}

/** For a response with a ticket: later headers of the application do not count either. */
function forbidStoringForGood(sink: ResponseSink): void {
  forbidStoring(sink)
  if (sink.keepUncached) sink.keepUncached()
  else if ('writeHead' in sink) keepUncached(sink as ResponseSink & HeadWriter)
}

/** Common headers of every complete Coatcheck response: no cache stores it, no browser guesses its type, and no referrer is sent. */
export function withCommonHeaders(response: Response, sink: HeadersSink = createHeadersSink()): Response {
  forbidStoring(sink)
  sink.applyTo(response.headers)
  response.headers.set('X-Content-Type-Options', 'nosniff')
  // Addresses of these routes contain codes and states. A page may have set another policy.
  if (!response.headers.has('Referrer-Policy')) response.headers.set('Referrer-Policy', 'no-referrer')
  return response
}
