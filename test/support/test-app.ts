/**
 * The routes put together by hand on the memory driver, and a browser as small as it can be. For tests of sign-in that need
 * a real provider and no framework.
 */
import { randomBytes } from 'node:crypto'
import { resolvePages } from '../../src/config/resolve-pages.ts'
import type { PagesOptions, ResolvedConfig, ResolvedProvider, SignInOptions } from '../../src/config/types.ts'
import { systemClock, type Clock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import { systemRandom } from '../../src/core/random.ts'
import { createRoutes, type Routes } from '../../src/http/routes.ts'
import type { RouteOptions } from '../../src/http/route-deps.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { MemorySpace } from '../../src/stores/memory/space.ts'
import { createMemoryTransactionDriver } from '../../src/stores/memory/transaction-driver.ts'
import { createProviderClients } from '../../src/oidc/provider-client.ts'
import { createMemoryProviderSessionDriver } from '../../src/stores/memory/provider-session-driver.ts'
import { createLogoutTokens } from '../../src/oidc/logout-token.ts'
import { createProviderLogout } from '../../src/oidc/provider-logout.ts'
import { createRedemptions } from '../../src/oidc/redemptions.ts'
import { redirectUriOf } from '../../src/oidc/sign-in.ts'
import { createTokenRequester } from '../../src/oidc/token-requester.ts'
import { createTransactions } from '../../src/oidc/transaction.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { createMemoryDocumentDriver } from '../../src/stores/memory/document-driver.ts'
import { createMemoryOldRecordDriver } from '../../src/stores/memory/old-record-driver.ts'
import { createMemorySessionDriver } from '../../src/stores/memory/session-driver.ts'
import { absentSessions } from '../../src/session/absent-sessions.ts'
import { createSessionStore } from '../../src/session/session-store.ts'
import { createMemoryProviderGateDriver } from '../../src/stores/memory/provider-gate-driver.ts'
import { createProviderGate, gateNames } from '../../src/token/provider-gate.ts'
import { createMemoryTokenDriver } from '../../src/stores/memory/token-driver.ts'
import { createTokenCache } from '../../src/token/token-cache.ts'

export type Data = Record<string, unknown>

export interface TestAppOptions {
  readonly providers: readonly ResolvedProvider[]
  readonly baseUrl?: string
  readonly signIn?: SignInOptions
  readonly sameSite?: 'lax' | 'strict'
  readonly pages?: PagesOptions
  readonly clock?: Clock
  readonly fetch?: typeof fetch
}

export interface TestApp extends RouteOptions<Data> {
  readonly routes: Routes
  readonly seen: { name: string; event: unknown }[]
}

export function createTestApp(options: TestAppOptions): TestApp {
  const clock = options.clock ?? systemClock
  const baseUrl = new URL(options.baseUrl ?? 'http://localhost:3000')
  const secure = baseUrl.protocol === 'https:'
  const config: ResolvedConfig<Data> = {
    baseUrl,
    loopback: !secure,
    localPeers: [],
    basePath: '/auth',
    cookie: { name: `${secure ? '__Host-' : ''}coatcheck`, secure, sameSite: options.sameSite ?? 'lax' },
    keys: [randomBytes(32).toString('base64')],
    prefix: '',
    store: null,
    providers: options.providers,
    signIn: options.signIn ?? {},
    session: {
      idleTimeoutMs: 8 * 3_600_000,
      absoluteTimeoutMs: 24 * 3_600_000,
      schema: null,
      schemaVersion: 1,
      upcasts: {},
      limit: null,
      maxBytes: 65_536,
      onUnavailable: 'fail',
      staleForMs: 0,
    },
    cache: { maxBytes: 33_554_432 },
    tokens: { grantLifetimeMs: 90 * 86_400_000, minValidityMs: 30_000, revokeAtProvider: true },
    pages: resolvePages(options.pages),
    log: { logger: null, level: 'silent', debug: null },
  }
  const events = new EventBus()
  const seen: { name: string; event: unknown }[] = []
  events.onAny((name, event) => seen.push({ name, event }))
  const keyring = createKeyring(config.keys)
  const seal = createSeal(keyring)
  const space = new MemorySpace({ clock, maxBytes: 64 * 1024 * 1024 })
  const keys = redisKeys('')
  const shared = { keyring, seal, clock, events, random: systemRandom, namespace: '' }
  const clients = createProviderClients(options.providers, {
    clock,
    events,
    ...(options.fetch && { fetch: options.fetch }),
  })
  const sessionDriver = createMemorySessionDriver(space, keys, systemRandom)
  const sessions = createSessionStore<Data>({
    ...shared,
    driver: sessionDriver,
    config: config.session,
  })
  const gateDriver = createMemoryProviderGateDriver(space, keys)
  const gate = createProviderGate({ ...shared, driver: gateDriver, nameOf: gateNames(keyring) })
  const tokens = createTokenCache({
    ...shared,
    driver: createMemoryTokenDriver(space, keys),
    appDriver: createMemoryTokenDriver(space, { ...keys, tokens: keys.appTokens }),
    gate,
    providers: options.providers,
    refresher: createTokenRequester(clients, clock),
    config: config.tokens,
  })
  const transactions = createTransactions({ ...shared, driver: createMemoryTransactionDriver(space, keys) })
  const redirectUri = redirectUriOf(baseUrl, config.basePath, options.providers)
  const signIn = { clients, transactions, keyring, random: systemRandom, events, redirectUri }
  const providerLogout = createProviderLogout({
    ...shared,
    driver: createMemoryProviderSessionDriver(space, keys),
    isDurable: false,
    tokens: createLogoutTokens(clients, clock),
    absent: (sessionIds) => absentSessions(sessionDriver, sessionIds),
    revoke: (sessionId, reason) => sessions.revoke(sessionId, reason),
    sessionLifeMs: config.session.absoluteTimeoutMs,
  })
  const redemptions = createRedemptions({ gate, clock })
  const attach: RouteOptions<Data>['attach'] = (bridge) =>
    bridge.attach({
      open: () =>
        Promise.resolve({
          documents: { ...shared, driver: createMemoryDocumentDriver(space, keys) },
          planned: { ...shared, driver: sessionDriver, config: config.session },
          revoke: (sessionId, reason) => sessions.revoke(sessionId, reason),
          closing: () => undefined,
          register: () => Promise.resolve(true),
        }),
      oldRecords: () => Promise.resolve(createMemoryOldRecordDriver(space)),
      ...{ clock, events },
    })
  const parts: RouteOptions<Data> = {
    ...{ config, sessions, tokens, clients, signIn, redemptions, providerLogout, events, clock, attach },
  }
  return { ...parts, routes: createRoutes(parts), seen }
}

/** An application as a browser sees it. */
export interface BrowsedApp {
  readonly config: { readonly baseUrl: URL }
  readonly routes: Routes
}

/** Cookies by origin and name, redirects followed up to where the test wants to look. */
export class Browser {
  readonly cookies = new Map<string, Map<string, string>>()
  readonly #app: BrowsedApp

  constructor(app: BrowsedApp) {
    this.#app = app
  }

  cookieHeader(origin: string): string {
    return [...(this.cookies.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** One request, to the app or the provider; cookies are kept, redirects are not followed. */
  async request(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const target = new URL(url, this.#app.config.baseUrl)
    const headers = new Headers(init.headers)
    if (!headers.has('cookie')) headers.set('cookie', this.cookieHeader(target.origin))
    if (!headers.has('accept')) headers.set('accept', 'text/html')
    const full: RequestInit = { redirect: 'manual', ...init, headers }
    const isApp = target.origin === this.#app.config.baseUrl.origin
    const response = isApp
      ? await this.#app.routes(new Request(target, full), { ip: '203.0.113.77' })
      : await fetch(target, full)
    this.#keep(target.origin, response)
    return response
  }

  /** A request of one of our own pages' scripts. */
  json(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { accept: 'application/json', 'sec-fetch-site': 'same-origin', ...(init.headers as object) }
    return this.request(path, { ...init, headers })
  }

  /** From `GET login` to the address that the provider sends the browser back to. */
  async authorize(loginQuery = 'login_hint=ada@example.test'): Promise<URL> {
    const started = await this.request(`/auth/login?${loginQuery}`)
    return this.followProvider(new URL(started.headers.get('location') ?? 'about:blank'))
  }

  async followProvider(start: URL): Promise<URL> {
    let next = start
    for (let hops = 0; hops < 12; hops++) {
      if (next.origin === this.#app.config.baseUrl.origin) return next
      const response = await this.request(next)
      const location = response.headers.get('location')
      if (location === null) throw new Error(`the provider answered ${response.status} without a redirect`)
      next = new URL(location, next)
    }
    throw new Error('the provider redirects in circles')
  }

  async signIn(loginQuery?: string): Promise<Response> {
    return this.request(await this.authorize(loginQuery))
  }

  /** The same where the provider asks which account to use. @throws when it does not ask */
  async signInByChoice(user: string, loginQuery = ''): Promise<Response> {
    const started = await this.request(`/auth/login?${loginQuery}`)
    let page = new URL(started.headers.get('location') ?? 'about:blank')
    for (let hops = 0; hops < 12; hops++) {
      const response = await this.request(page)
      const location = response.headers.get('location')
      if (location !== null) {
        page = new URL(location, page)
        continue
      }
      if (!(await response.text()).includes('Pick an account')) throw new Error('the provider shows another page')
      const chosen = await this.request(page, { method: 'POST', body: new URLSearchParams({ user }) })
      return this.request(await this.followProvider(new URL(chosen.headers.get('location') ?? '', page)))
    }
    throw new Error('the provider redirects in circles')
  }

  #keep(origin: string, response: Response): void {
    const jar = this.cookies.get(origin) ?? new Map<string, string>()
    this.cookies.set(origin, jar)
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const name = pair.slice(0, pair.indexOf('='))
      const value = pair.slice(name.length + 1)
      if (value === '' || /;\s*max-age=0\b/i.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
  }
}
