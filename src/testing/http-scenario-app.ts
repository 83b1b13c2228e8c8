/**
 * The application of the HTTP scenarios, written once for all frameworks. An adapter's test mounts each of these routes with its framework,
 * and implements `ScenarioContext` with the adapter under test.
 */
import type { OutagePolicy } from '../config/session-settings.ts'
import type { Session, Visit } from '../session/types.ts'
import type { Authentication } from '../session/sign-in-input.ts'

/** Session data of the scenarios. */
export type ScenarioData = Record<string, unknown>

/** The parts of a request that the scenarios' handlers need. */
export interface ScenarioContext {
  /** Query parameters of the request. */
  readonly query: URLSearchParams
  /** The adapter's `getSession`. */
  session(options?: { readonly onUnavailable?: OutagePolicy }): Promise<Session<ScenarioData>>
  /** The adapter's way to sign in, rotate and sign out. */
  visit(): Promise<Visit<ScenarioData>>
  /** Answers with JSON, and with headers that the application sets last. */
  json(body: unknown, headers?: Readonly<Record<string, string>>): Promise<void>
  /** Redirects to a path with 303. */
  redirect(path: string): Promise<void>
  /** Sends the headers and the text `begin `, then the result of `rest`, and ends. */
  stream(rest: () => Promise<string>): Promise<void>
}

/** A route that the application under test serves. */
export interface ScenarioRoute {
  /** HTTP method. */
  readonly method: 'GET' | 'POST'
  /** Path of the route. */
  readonly path: string
  /** Whether the route is behind the adapter's `requireUser()` or its equivalent. */
  readonly guarded?: boolean
  /** The `maxAge` of that guard. */
  readonly maxAge?: string
  /** Handles the request. */
  run(context: ScenarioContext): Promise<void>
}

/** Routes that every adapter serves for the scenarios. */
export const scenarioRoutes: readonly ScenarioRoute[] = [
  /** Never reads its session. */
  { method: 'GET', path: '/free', run: (context) => context.json({ free: true }) },
  { method: 'GET', path: '/me', run: (context) => showSession(context) },
  /** Uses a policy for this route only. */
  {
    method: 'GET',
    path: '/me-by-policy',
    async run(context) {
      const onUnavailable = context.query.get('policy') as OutagePolicy
      const { id, user, data, outage } = await context.session({ onUnavailable })
      await context.json({ id, user, data, outage })
    },
  },
  {
    method: 'POST',
    path: '/set-by-policy',
    async run(context) {
      const session = await context.session({ onUnavailable: context.query.get('policy') as OutagePolicy })
      await session.set('late', 1)
      await context.json({ done: true })
    },
  },
  /** The three routes below set the caching headers that the query names, after the headers of the middleware. */
  { method: 'GET', path: '/cached-free', run: (context) => context.json({ free: true }, cachingIn(context.query)) },
  { method: 'GET', path: '/cached-me', run: (context) => showSession(context, cachingIn(context.query)) },
  {
    method: 'GET',
    path: '/cached-sign-in',
    async run(context) {
      const visit = await context.visit()
      await visit.signIn({ userId: context.query.get('user') ?? '' })
      await showSession(context, cachingIn(context.query))
    },
  },
  { method: 'GET', path: '/private', guarded: true, run: (context) => showSession(context) },
  { method: 'GET', path: '/recent', guarded: true, maxAge: '5m', run: (context) => showSession(context) },
  {
    method: 'POST',
    path: '/set',
    async run(context) {
      await change(context)
      await context.json({ done: true })
    },
  },
  {
    method: 'POST',
    path: '/set-and-forget',
    /** A beginner's mistake: the write is not awaited, and the response leaves before it is done. */
    async run(context) {
      const session = await context.session({ onUnavailable: 'stale' })
      void session.set('late', 1)
      await context.json({ done: true })
    },
  },
  {
    method: 'POST',
    path: '/set-slowly',
    /** Reads its session, and uses it for a while. */
    async run(context) {
      const session = await context.session()
      await new Promise((resolve) => setTimeout(resolve, 50))
      const outcome = await outcomeOf(session.set('late', 1))
      await context.json({ outcome })
    },
  },
  {
    method: 'POST',
    path: '/set-and-redirect',
    async run(context) {
      await change(context)
      await context.redirect('/me')
    },
  },
  {
    method: 'GET',
    path: '/set-in-stream',
    run: (context) => context.stream(() => outcomeOf(change(context))),
  },
  {
    method: 'GET',
    path: '/slow-stream',
    // Runs longer than the client stays connected.
    run: (context) => context.stream(() => new Promise((resolve) => setTimeout(resolve, 100, 'end'))),
  },
  {
    method: 'POST',
    path: '/sign-in',
    async run(context) {
      const visit = await context.visit()
      const authentication = authenticationIn(context.query)
      await visit.signIn({
        userId: context.query.get('user') ?? '',
        carry: ['cart'],
        ...(authentication && { authentication }),
      })
      await showSession(context, context.query.has('cached') ? { 'cache-control': 'public, max-age=3600' } : {})
    },
  },
  {
    method: 'POST',
    path: '/rotate',
    async run(context) {
      const visit = await context.visit()
      await visit.rotate({ immediate: context.query.has('immediate') })
      await showSession(context)
    },
  },
  {
    method: 'POST',
    path: '/sign-out',
    async run(context) {
      const visit = await context.visit()
      const headers = context.query.has('cached') ? { 'cache-control': 'public, max-age=3600' } : {}
      await context.json(await visit.signOut(), headers)
    },
  },
]

function cachingIn(query: URLSearchParams): Readonly<Record<string, string>> {
  const value = query.get('cache-control')
  return value === null ? {} : { 'cache-control': value }
}

/** Authentication as from a provider: `authenticated` is the time in epoch milliseconds, or `unknown`. */
function authenticationIn(query: URLSearchParams): Authentication | null {
  const authenticated = query.get('authenticated')
  if (authenticated === null) return null
  const from = { provider: 'local', issuer: 'https://provider.test', subject: 'subject' }
  return authenticated === 'unknown'
    ? { ...from, authenticatedAtMs: 8.64e15, isAuthTimeUnknown: true }
    : { ...from, authenticatedAtMs: Number(authenticated) }
}

async function showSession(context: ScenarioContext, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const { id, user, data } = await context.session()
  await context.json({ id, user, data }, headers)
}

async function change(context: ScenarioContext): Promise<void> {
  const session = await context.session()
  await session.set(context.query.get('key') ?? '', context.query.get('value'))
}

async function outcomeOf(work: Promise<void>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}
