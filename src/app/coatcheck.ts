/**
 * `coatcheck()` composes the parts of an instance. The call itself only checks the shapes of the options. The first use, or `ready()`, reads
 * the environment, creates the keyring and opens the store. So a build that evaluates modules needs neither secrets nor a server. This module
 * opens and closes the parts, and contains no rule of its own.
 */
import { ADOPTING_MARK_MS } from './adopted-logouts.ts'
import { type BridgeAttachments, bridgeAttachments, type BridgeShelf, openBridgeShelf } from './adopted-sessions.ts'
import { adoptingTokens, type CoatcheckTokens } from './adopted-tokens.ts'
import { processEnvironment } from '../config/environment.ts'
import { checkOptions, resolveConfig } from '../config/resolve.ts'
import type { Options, ResolvedConfig } from '../config/types.ts'
import { systemClock } from '../core/clock.ts'
import { MisuseError } from '../core/errors.ts'
import { EventBus, type Events } from '../core/events.ts'
import { systemRandom } from '../core/random.ts'
import { type SharedRuntime, type SharedRuntimeUse, keysOf, useSharedRuntime } from './shared-runtime.ts'
import { openTokenOrigin } from './token-origin.ts'
import { createCookies } from '../http/cookie.ts'
import { createRequestSessionFactory } from '../http/request-session.ts'
import type { HttpConfig, HttpInstance } from '../http/instance.ts'
import { createRoutes, type Routes } from '../http/routes.ts'
import { createKeyring } from '../keyring/keyring.ts'
import { createLogoutTokens } from '../oidc/logout-token.ts'
import { assertProviderKnowsUs } from '../oidc/provider-check.ts'
import { createProviderClients } from '../oidc/provider-client.ts'
import { createProviderLogout } from '../oidc/provider-logout.ts'
import { createRedemptions } from '../oidc/redemptions.ts'
import { redirectUriOf } from '../oidc/sign-in.ts'
import { createTransactions } from '../oidc/transaction.ts'
import { absentSessions } from '../session/absent-sessions.ts'
import { createSessionStore } from '../session/session-store.ts'
import { createTickets } from '../session/ticket.ts'
import type { SessionStore } from '../session/types.ts'
import { tokenSetFromOAuth } from '../token/token-set.ts'
import type { TokenCache } from '../token/types.ts'

/**
 * An instance of Coatcheck. It reads the environment and connects at first use, or in `ready()`. Every method is bound:
 * `const { handler } = auth` works.
 */
export interface Coatcheck<D extends object> extends HttpInstance<D> {
  /** Finds, creates, changes, lists and ends sessions, by ticket and by user. */
  readonly sessions: SessionStore<D>
  /** Stores, refreshes and deletes the tokens of users and of the application; adopts those that another library stored. */
  readonly tokens: CoatcheckTokens
  /** The events of this instance, for logs, metrics and listeners of the application. */
  readonly events: Events
  /**
   * Estimates the number of stored sessions, anonymous ones included. Exact while there are few keys, else within a few percent,
   * from a sample. It scans keys: use it for metrics, not for every request.
   * @throws {RedisError} during an outage
   */
  estimateSessions(): Promise<number>
  /**
   * Checks settings and keys, and asks the store: it resolves when every Redis server has answered a `PING`. Call it before `listen`, so
   * that a misconfiguration ends the start. It may be called again.
   * @throws {ConfigError} `COATCHECK_CONFIG_…`, `COATCHECK_STORE_REQUIRED`, `COATCHECK_REDIS_PACKAGE_MISSING`
   * @throws {KeyringError} `COATCHECK_KEY_INVALID`
   * @throws {RedisError} why the store does not answer: `COATCHECK_REDIS_UNREACHABLE` without a connection, `COATCHECK_REDIS_TIMEOUT`
   *   without an answer, each after `connectTimeoutMs` (5 s); at once the codes of a refusal, such as `COATCHECK_REDIS_NOAUTH`
   * @throws {OidcError} only with `provider: true`: `COATCHECK_OIDC_DISCOVERY`, `COATCHECK_OIDC_CLIENT_REJECTED`,
   *   `COATCHECK_OIDC_UNAVAILABLE`
   * @throws {MisuseError} `COATCHECK_CLOSED` after `close()`
   */
  ready(options?: ReadyOptions): Promise<void>
  /**
   * Closes what this instance opened, at the latest at its deadline. A Redis client that the application passed in stays open.
   * Calls afterwards are refused with `COATCHECK_CLOSED`. May be called again.
   */
  close(): Promise<void>
}

/** Options of `ready()`. */
export interface ReadyOptions {
  /**
   * Whether to ask each provider too: does it know the tenant, the client and its credential? Default false, so that an application
   * starts while its provider is down.
   */
  readonly provider?: boolean
}

interface Opened<D extends object> {
  readonly runtime: SharedRuntime
  readonly sessions: SessionStore<D>
  readonly routes: Routes
  readonly shelf: BridgeShelf
}

/**
 * Creates an instance of Coatcheck. It checks the shapes of the options and nothing else: the environment is read at first use or by
 * `ready()`, so a build needs neither secrets nor a server. Instances of one process with the same settings share a connection.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
 */
export function coatcheck<D extends object = Record<string, unknown>>(options: Options<D> = {}): Coatcheck<D> {
  return createInstance(options, true)
}

/** Creates an instance for a command of an operator. It serves no visitors, so it announces no development defaults. */
export function coatcheckOfOperator(options: Options): Coatcheck<Record<string, unknown>> {
  return createInstance(options, false)
}

function createInstance<D extends object>(options: Options<D>, isApplication: boolean): Coatcheck<D> {
  checkOptions(options)
  const events = new EventBus()
  const { use, bridges, config, ready, close } = createLife(options, events, isApplication)
  const { tokens, close: closeOrigins } = adoptingTokens(
    lazyTokens(use),
    (origin) => use(({ runtime }) => openTokenOrigin(origin, runtime, config(), events)),
    events,
  )
  const sessions = lazySessions<D>(use)
  const createRequestSession = once(() =>
    createRequestSessionFactory<D>({ config: config(), sessions, events, clock: systemClock, attach: bridges.attach }),
  )
  const hasTicket = once(() => ticketCheck(config()))
  return {
    sessions,
    tokens,
    events,
    http: {
      requestSession: (input) => createRequestSession()(input),
      adopt: (bridge) => void bridges.attach(bridge),
      hasTicket: (cookieHeader) => hasTicket()(cookieHeader ?? ''),
      reportUnhandled: (code) => events.emit('request.unhandled', { code }),
      reportUnmounted: (mount) => events.emit('request.unmounted', { mount }),
      config: () => httpConfigOf(config()),
    },
    handler: (request, context) => use(({ routes }) => routes(request, context)),
    estimateSessions: () => use(({ runtime }) => runtime.store.estimateSessions()),
    ready,
    async close() {
      await closeOrigins()
      await close()
    },
  }
}

/** Runs a function on the opened parts, and opens them first if necessary. */
type Use<D extends object> = <T>(run: (opened: Opened<D>) => Promise<T>) => Promise<T>

interface Life<D extends object> {
  readonly use: Use<D>
  readonly bridges: BridgeAttachments
  config(): ResolvedConfig<D>
  ready(options?: ReadyOptions): Promise<void>
  close(): Promise<void>
}

function createLife<D extends object>(options: Options<D>, events: EventBus, isApplication: boolean): Life<D> {
  const config = once(() => resolveConfig(options, processEnvironment()))
  let joined: SharedRuntimeUse | null = null
  let opened: Opened<D> | null = null
  let opening: Promise<Opened<D>> | null = null
  let closing: Promise<void> | null = null

  const open = async (): Promise<Opened<D>> => {
    joined = await useSharedRuntime(config(), events, processEnvironment(), { isApplication })
    opened = assemble(config(), joined.runtime, events, bridges)
    return opened
  }
  const use: Use<D> = (run) => {
    if (closing) return Promise.reject(new MisuseError('COATCHECK_CLOSED', ''))
    // Not an async function: every request calls it, and once the parts are open, it should cost nothing.
    if (opened) return run(opened)
    // A failure is not cached, so the next call opens again.
    opening ??= open().finally(() => {
      opening = null
    })
    return opening.then(run)
  }
  const bridges = bridgeAttachments((run) => use(({ shelf }) => run(shelf)), events)
  return {
    use,
    bridges,
    config,
    ready: ({ provider = false } = {}) =>
      use(async ({ runtime }) => {
        await runtime.store.ready()
        if (provider) for (const one of config().providers) await assertProviderKnowsUs(one, systemClock)
      }),
    close() {
      closing ??= (async () => {
        await opening?.catch(() => undefined)
        await opened?.shelf.close()
        await joined?.release()
      })()
      return closing
    },
  }
}

function assemble<D extends object>(
  config: ResolvedConfig<D>,
  runtime: SharedRuntime,
  events: EventBus,
  bridges: BridgeAttachments,
): Opened<D> {
  const { keyring, seal, store, tokens, gate } = runtime
  // Created by this copy of the module: openid-client rejects objects that another copy of itself created.
  const clients = createProviderClients(config.providers, { clock: systemClock, events })
  const shared = { keyring, seal, clock: systemClock, random: systemRandom, events }
  const sessions = createSessionStore<D>({
    ...shared,
    driver: store.sessions,
    config: config.session,
    namespace: config.prefix,
    memory: runtime.memory,
    namesCallSites: config.loopback,
    revoking: bridges.revoking,
  })
  const signIn = {
    clients,
    transactions: createTransactions({ ...shared, driver: store.transactions }),
    keyring,
    random: systemRandom,
    events,
    redirectUri: redirectUriOf(config.baseUrl, config.basePath, config.providers),
  }
  const providerLogout = createProviderLogout({
    ...shared,
    driver: store.providerSessions,
    tokens: createLogoutTokens(clients, systemClock),
    absent: (sessionIds) => absentSessions(store.sessions, sessionIds),
    revoke: (sessionId, reason) => sessions.revoke(sessionId, reason),
    isDurable: store.isDurable,
    sessionLifeMs: config.session.absoluteTimeoutMs,
    markMs: () => (bridges.isAdopting() ? ADOPTING_MARK_MS : undefined),
  })
  const redemptions = createRedemptions({ gate, clock: systemClock })
  const routes = createRoutes({
    ...{ config, sessions, tokens, clients, signIn, redemptions, providerLogout, events },
    attach: bridges.attach,
    clock: systemClock,
  })
  return { runtime, sessions, routes, shelf: openBridgeShelf(config, runtime, sessions, providerLogout, events) }
}

function lazySessions<D extends object>(use: Use<D>): SessionStore<D> {
  return {
    create: (input) => use(({ sessions }) => sessions.create(input)),
    find: (ticket) => use(({ sessions }) => sessions.find(ticket)),
    update: (ticket, fn) => use(({ sessions }) => sessions.update(ticket, fn)),
    rotate: (ticket, input) => use(({ sessions }) => sessions.rotate(ticket, input)),
    signIn: (ticket, input) => use(({ sessions }) => sessions.signIn(ticket, input)),
    revoke: (sessionId, reason) => use(({ sessions }) => sessions.revoke(sessionId, reason)),
    revokeByUser: (userId, input) => use(({ sessions }) => sessions.revokeByUser(userId, input)),
    listByUser: (userId) => use(({ sessions }) => sessions.listByUser(userId)),
    duringOutage: (ticket, policy, outage) => use(({ sessions }) => sessions.duringOutage(ticket, policy, outage)),
    visit: (ticket, sink, device) => use(({ sessions }) => sessions.visit(ticket, sink, device)),
  }
}

function lazyTokens<D extends object>(use: Use<D>): TokenCache {
  return {
    setUserTokens: (userId, tokens, target) => use((o) => o.runtime.tokens.setUserTokens(userId, tokens, target)),
    getUserTokens: (userId, selection) => use((o) => o.runtime.tokens.getUserTokens(userId, selection)),
    deleteUserTokens: (userId, selection) => use((o) => o.runtime.tokens.deleteUserTokens(userId, selection)),
    getAccessToken: (userId, target) => use((o) => o.runtime.tokens.getAccessToken(userId, target)),
    getAppToken: (target) => use((o) => o.runtime.tokens.getAppToken(target)),
    getOnBehalfOfToken: (assertion, target) => use((o) => o.runtime.tokens.getOnBehalfOfToken(assertion, target)),
    fetchWithToken: (userId, resource, input, init) =>
      use((o) => o.runtime.tokens.fetchWithToken(userId, resource, input, init)),
    fromOAuth: (account) => tokenSetFromOAuth(account, systemClock.now()),
    status: (userId) => use((o) => o.runtime.tokens.status(userId)),
  }
}

/** Checks the ticket in a cookie header with the keys only. It opens no store. */
function ticketCheck(config: ResolvedConfig<object>): (cookieHeader: string) => boolean {
  const tickets = createTickets(createKeyring(keysOf(config)), systemRandom, systemClock)
  const { readTicket } = createCookies(config.cookie)
  return (cookieHeader) => {
    const found = readTicket(cookieHeader)
    return found.status === 'one' && typeof tickets.parse(found.value) !== 'string'
  }
}

/** Returns the part of the configuration that adapters get: without keys and client secrets. */
function httpConfigOf({ baseUrl, basePath, cookie, loopback, localPeers, pages }: HttpConfig): HttpConfig {
  return { baseUrl, basePath, cookie, loopback, localPeers, pages }
}

/** Caches the value of the first call that succeeds. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null
  return () => (made ??= { value: make() }).value
}
