/**
 * The token cache: sealed tokens per user, in the store that all instances share. It implements the public methods: it checks arguments,
 * serves hits (one command for one field), and reports to listeners. If no stored token is good enough, `refresh-coordinator.ts` obtains
 * one.
 */
import { END_OF_LIFE_BYTES } from '../keyring/record-layout.ts'
import type { ResolvedProvider } from '../config/types.ts'
import type { CacheBudget } from '../core/cache-budget.ts'
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import { TokenError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type { Keyring } from '../keyring/keyring.ts'
import { keyTagOf, type Seal } from '../keyring/seal.ts'
import type { ProviderGate } from './provider-gate.ts'
import { createProviderRequests } from './provider-requests.ts'
import { createDirectTokens } from './direct-tokens.ts'
import { createFetchWithToken } from './fetch-with-token.ts'
import { createRefreshes } from './refresh-coordinator.ts'
import type { SignInUrl } from './sign-in-url.ts'
import { createSignInTokens } from './sign-in-tokens.ts'
import { freedBy } from './single-flight.ts'
import { type AccessEntry, createTokenCodec } from './token-codec.ts'
import type { TokenDriver } from './token-driver.ts'
import { accessField, grantField } from './token-fields.ts'
import { createDeleteTokens } from './delete-tokens.ts'
import { createTokenHits } from './token-hits.ts'
import { isAlive, type Need } from './token-life.ts'
import {
  checkAssertion,
  type CheckedTokenSet,
  checkMinValidity,
  checkTokenSet,
  checkUserId,
  tokenSetFromOAuth,
} from './token-set.ts'
import { describeTokens } from './token-status.ts'
import { resolveProvider, resolveTarget, type Target } from './token-target.ts'
import type { AccessToken, GetAccessTokenOptions, TokenCache, UserTokens } from './types.ts'
import type { DirectTokenRequest, RefreshedTokens, TokenRequester } from './token-requester.ts'
import { type Schedule, scheduleTimer } from './uncommitted-grants.ts'

const CLOSE_DEADLINE_MS = 5000

export interface TokenCacheDeps {
  readonly driver: TokenDriver
  /** For tokens of the application itself and on behalf of callers. */
  readonly appDriver: TokenDriver
  /** The gate of the process. Code redemptions also use it. */
  readonly gate: ProviderGate
  readonly keyring: Keyring
  readonly seal: Seal
  /** If the list is empty, the cache keeps tokens of any provider and refreshes none. */
  readonly providers: readonly Pick<ResolvedProvider, 'name'>[]
  readonly refresher: TokenRequester
  readonly config: { readonly grantLifetimeMs: number; readonly minValidityMs: number }
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  /** The prefix of all keys. The seal of each value covers it. */
  readonly namespace: string
  /** The memory bound of all caches of the process. Absent: a bound of its own. */
  readonly caches?: CacheBudget
  /** Revokes refresh tokens that arrived too late to be stored. Default: they are dropped. */
  readonly revokeLateToken?: (userKey: string, provider: string, refreshToken: string) => Promise<void>
  /** Returns the URL where a browser signs in again, for errors. Default: none. */
  readonly signInUrl?: SignInUrl
  /** For `fetchWithToken`. Default: the global one. */
  readonly fetch?: typeof fetch
  /** Default: a timer that does not keep the process alive. */
  readonly schedule?: Schedule
}

/** The token cache as its owner sees it. */
export interface OwnedTokenCache extends TokenCache {
  /** Waits for refreshes under way and saves uncommitted grants, at most 5 s. Call it before the store is closed. */
  close(): Promise<void>
  /**
   * Stores tokens of another library, if no grant of the user is stored and no refresh has ended one lately.
   * @param userKey hash of the user id
   * @returns a function that removes these tokens unless others have replaced them; `null`: nothing was stored
   */
  addFirst(userKey: string, provider: string, tokens: CheckedTokenSet): Promise<(() => Promise<void>) | null>
}

export function createTokenCache(deps: TokenCacheDeps): OwnedTokenCache {
  const { driver, refresher, keyring, config, clock, events, schedule = scheduleTimer } = deps
  const { grantLifetimeMs, minValidityMs } = config
  const providers = deps.providers.map(({ name }) => name)
  const codec = createTokenCodec(deps.seal, deps.namespace, deps.caches)
  const canRefresh = (provider: string): boolean => providers.includes(provider)
  const requests = createProviderRequests(deps)
  const refreshes = createRefreshes({
    ...deps,
    codec,
    requests,
    canRefresh,
    grantLifetimeMs,
    schedule,
    revokeLateToken: deps.revokeLateToken ?? (() => Promise.resolve()),
  })
  const direct = createDirectTokens({ ...deps, driver: deps.appDriver, codec, requests, schedule })
  const signInTokens = createSignInTokens({ ...deps, unreplicated: refreshes.unreplicated, codec, grantLifetimeMs })
  const keyIdOf = (record: Buffer): string => keyring.idOf(keyTagOf(record, END_OF_LIFE_BYTES)) ?? 'unknown'
  const keyOf = (userId: unknown): string => keyring.userKey(checkUserId(userId))

  const deleteTokens = createDeleteTokens({ driver, codec, unreplicated: refreshes.unreplicated })
  const hitOf = createTokenHits({ driver, codec, clock, events })

  const needOf = (target: Target, { minValidityMs: askedMs }: GetAccessTokenOptions): Need => ({
    askedMs: checkMinValidity(askedMs),
    defaultMs: minValidityMs,
    claimsKey: target.claimsKey,
  })

  const getDirectToken = async (
    owner: string,
    options: GetAccessTokenOptions,
    ask: (provider: string, request: DirectTokenRequest) => Promise<RefreshedTokens>,
  ): Promise<AccessToken> => {
    const { signal } = options
    const target = resolveTarget(providers, options)
    if (!canRefresh(target.provider))
      throw new TokenError('COATCHECK_TOKEN_NONE', { details: { provider: target.provider } })
    signal?.throwIfAborted()
    const request = (): Promise<RefreshedTokens> => ask(target.provider, requestOf(target))
    return toAccessToken(await freedBy(signal, direct.obtain(owner, target, needOf(target, options), request)))
  }

  const getAccessToken: TokenCache['getAccessToken'] = async (userId, options = {}) => {
    const userKey = keyOf(userId)
    const target = resolveTarget(providers, options)
    const run = (): Promise<AccessToken> => accessToken(userKey, target, options)
    if (!events.isObserved) return run()
    const facts = { provider: target.provider, resource: target.key }
    return events.operation({ name: 'token.get', facts }, run)
  }

  const accessToken = async (userKey: string, target: Target, options: GetAccessTokenOptions): Promise<AccessToken> => {
    const { signal } = options
    const need = needOf(target, options)
    signal?.throwIfAborted()
    if (refreshes.isAsStored({ userKey, provider: target.provider })) {
      const field = accessField(target.provider, target.key)
      const hit = hitOf(userKey, target, need, field, await freedBy(signal, driver.readOne(userKey, field)))
      if (hit) {
        if (clock.now() >= hit.refreshAheadAtMs) refreshes.refreshAhead(userKey, target, hit)
        return toAccessToken(hit)
      }
    }
    return toAccessToken(await freedBy(signal, refreshes.obtain(userKey, target, need)))
  }

  const tokensOf = (userKey: string, provider: string): Promise<UserTokens | null> => {
    const names = [grantField(provider), accessField(provider, '')] as const
    const open = (records: readonly (Buffer | null)[]): UserTokens | null => openTokens(userKey, names, records)
    return driver.readVerified(userKey, names, open, (tokens) => tokens === null)
  }
  const openTokens = (
    userKey: string,
    names: readonly [string, string],
    [grantRecord, accessRecord]: readonly (Buffer | null)[],
  ): UserTokens | null => {
    const grant = grantRecord ? codec.openGrant(userKey, names[0], grantRecord) : null
    const access = accessRecord ? codec.openAccess(userKey, names[1], accessRecord) : null
    const nowMs = clock.now()
    const keptGrant = grant && typeof grant !== 'string' && grant.value.expiresAtMs > nowMs ? grant.value : null
    const entry = access && typeof access !== 'string' && isAlive(access, nowMs) ? access : null
    if (!keptGrant && !entry) return null
    return {
      accessToken: entry?.accessToken ?? null,
      idToken: keptGrant?.idToken ?? null,
      refreshToken: keptGrant?.refreshToken ?? null,
      expiresAt: entry?.expiresAtMs ?? null,
    }
  }

  return {
    getAccessToken,
    fetchWithToken: createFetchWithToken({
      getAccessToken,
      userKeyOf: (userId) => keyring.userKey(userId),
      nameOf: (options) => resolveProvider(providers, options),
      signInUrl: deps.signInUrl,
      fetch: deps.fetch,
    }),

    async getAppToken(options = {}) {
      return getDirectToken(keyring.nameOf('app-tokens', ''), options, (provider, request) =>
        refresher.requestAppToken(provider, request),
      )
    },

    async getOnBehalfOfToken(assertion, options = {}) {
      const owner = keyring.nameOf('on-behalf-of', checkAssertion(assertion))
      return getDirectToken(owner, options, (provider, request) =>
        refresher.requestOnBehalfOf(provider, { ...request, assertion }),
      )
    },

    async setUserTokens(userId, tokens, options) {
      const userKey = keyOf(userId)
      const target = resolveTarget(providers, options)
      const checked = checkTokenSet(tokens)
      if (target.key === '') await signInTokens.replaceAll(userKey, target, checked)
      else await signInTokens.add(userKey, target, checked)
      // A grant of the previous sign-in cannot be saved any more. Without this call, the cache serves it until the next attempt to save it.
      if (target.key === '') refreshes.uncommitted.forget(userKey, target.provider)
    },

    addFirst: (userKey, provider, tokens) =>
      signInTokens.addFirst(userKey, resolveTarget(providers, { provider }), tokens),

    async getUserTokens(userId, options) {
      const userKey = keyOf(userId)
      const provider = resolveProvider(providers, options)
      await refreshes.unreplicated.reconcile({ userKey, provider })
      return tokensOf(userKey, provider)
    },

    async deleteUserTokens(userId, options = {}) {
      const userKey = keyOf(userId)
      const provider = options.provider === undefined ? null : resolveProvider(providers, options)
      const { count } = await deleteTokens(userKey, provider)
      refreshes.uncommitted.forget(userKey, provider ?? undefined)
      if (count > 0) events.emit('token.deleted', { userKey, ...(provider === null ? {} : { provider }) })
    },

    fromOAuth: (account) => tokenSetFromOAuth(account, clock.now()),

    async status(userId) {
      const userKey = keyOf(userId)
      return describeTokens(codec, userKey, await driver.readAll(userKey), clock.now(), keyIdOf)
    },

    async close() {
      let cancel: () => void = () => undefined
      const deadline = new Promise<void>((resolve) => {
        cancel = schedule(resolve, CLOSE_DEADLINE_MS)
      })
      await Promise.race([
        Promise.all([refreshes.idle(), direct.idle()]).then(() => refreshes.uncommitted.close()),
        deadline,
      ])
      cancel()
      refreshes.unreplicated.close()
    },
  }
}

function toAccessToken({ accessToken, expiresAtMs, scopes }: AccessEntry): AccessToken {
  return { accessToken, expiresAt: expiresAtMs, scopes }
}

function requestOf({ scopes, resource, claims }: Target): DirectTokenRequest {
  return {
    ...(scopes.length > 0 && { scopes }),
    ...(resource !== null && { resource }),
    ...(claims !== null && { claims }),
  }
}
