/** Token information for operators: names, times, outcomes and the key that sealed them. Never a token. */
import { END_OF_LIFE_BYTES } from '../keyring/record-layout.ts'
import { keyTagOf } from '../keyring/seal.ts'
import { keyNameReader } from '../stores/key-names.ts'
import { createTokenCodec } from '../token/token-codec.ts'
import type { TokensDeleted } from '../token/token-driver.ts'
import { fieldsOf } from '../token/token-fields.ts'
import { describeTokens } from '../token/token-status.ts'
import { describeTarget, resolveTarget } from '../token/token-target.ts'
import type { GetAccessTokenOptions, ProviderTokenStatus, TokenTarget } from '../token/types.ts'
import type { AdminContext } from './context.ts'
import { scanKeys, type ScanOptions } from './scan.ts'

/** State of the tokens of one user. It holds no token. */
export interface UserTokensStatus {
  /** Hash of the user id. */
  readonly userKey: string
  /** One entry for each provider, by name. */
  readonly providers: readonly ProviderTokenStatus[]
}

/**
 * Returns the state of a user's tokens, one entry for each provider. Empty: nothing is stored. Records that do not open are left
 * out.
 * @param userKey from `findUser()`
 * @throws {RedisError} during an outage
 */
export async function tokensOf(context: AdminContext, userKey: string): Promise<readonly ProviderTokenStatus[]> {
  const { store, seal, prefix, keyring, clock } = context
  const codec = createTokenCodec(seal, prefix)
  const keyIdOf = (record: Buffer): string => keyring.idOf(keyTagOf(record, END_OF_LIFE_BYTES)) ?? 'unknown'
  return describeTokens(codec, userKey, await store.tokens.readAll(userKey), clock.now(), keyIdOf)
}

/**
 * Yields users with stored tokens, each once and in no order, at most `max`. Scans all keys if there are fewer users.
 * @throws {RedisError} during an outage
 */
export async function* usersWithTokens(
  context: AdminContext,
  { max, ...scan }: { readonly max: number } & Pick<ScanOptions, 'signal' | 'seen'>,
): AsyncGenerator<UserTokensStatus> {
  const read = keyNameReader(context.prefix)
  const shown = new Set<string>()
  for await (const step of scanKeys(context, scan)) {
    for (const key of step) {
      const name = read(key)
      if (name?.family !== 'tokens' || shown.has(name.userKey)) continue
      const providers = await tokensOf(context, name.userKey)
      // A hash that only holds a lease, or the cache of an application that uses MSAL.
      if (providers.length === 0) continue
      shown.add(name.userKey)
      yield { userKey: name.userKey, providers }
      if (shown.size >= max) return
    }
  }
}

/** The result of `refreshTokens()`. */
export interface RefreshReport {
  /** State at this provider after the refresh. `null`: nothing is stored any more. */
  readonly status: ProviderTokenStatus | null
  /** When the access token expires, epoch milliseconds. */
  readonly expiresAt: number
  /** Scopes of the access token. Empty: unknown. */
  readonly scopes: readonly string[]
  /** Whether the token is new. False: the refresh was not possible, and the previous token is still valid. */
  readonly isNew: boolean
}

/**
 * Refreshes an access token although the stored one is still valid. Like every refresh, it runs once at a time over all processes, and not
 * while the provider asks for a pause (`Retry-After`).
 * @param userKey from `findUser()`
 * @param userId from `userIdOf()`
 * @throws {TokenError} as `TokenCache.getAccessToken`
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 * @throws {RedisError} during an outage
 */
export async function refreshTokens(
  context: AdminContext,
  userKey: string,
  userId: string,
  target: TokenTarget & Pick<GetAccessTokenOptions, 'signal'>,
): Promise<RefreshReport> {
  const { tokens, clock, config } = context
  const { provider, ...wanted } = resolveTarget(
    config.providers.map(({ name }) => name),
    target,
  )
  const askedAtMs = clock.now()
  const statusOf = async (): Promise<ProviderTokenStatus | null> =>
    (await tokensOf(context, userKey)).find((one) => one.provider === provider) ?? null
  const stored = (await statusOf())?.resources.find(({ resource }) => resource === describeTarget(wanted))
  // A value above the token's whole life would count as the default. With slightly less, every token counts as too old except one that was
  // obtained at this moment.
  const minValidityMs = stored && Math.max(0, stored.expiresAt - stored.obtainedAt - 1)
  const token = await tokens.getAccessToken(userId, {
    ...target,
    ...(minValidityMs !== undefined && { minValidityMs }),
  })
  const status = await statusOf()
  return {
    status,
    expiresAt: token.expiresAt,
    scopes: token.scopes,
    isNew: status?.lastRefresh?.outcome === 'refreshed' && status.lastRefresh.at >= askedAtMs,
  }
}

/**
 * Deletes the tokens of a user in one atomic step. Refresh tokens whose provider supports revocation (RFC 7009) move to an outbox
 * in the same step; running applications revoke them from there.
 * @param provider name of the provider. `undefined`: the tokens of all providers
 * @returns the number of deleted records. 0: nothing was stored
 * @throws {RedisError} during an outage
 */
export async function deleteTokens(
  { store, events, revocationMarks }: AdminContext,
  userKey: string,
  provider: string | undefined,
): Promise<TokensDeleted> {
  const [marked] = await Promise.allSettled([revocationMarks.tokens(userKey, provider)])
  const deleted = await store.tokens.delete(userKey, ...(provider === undefined ? [] : [fieldsOf(provider)]))
  if (deleted.count > 0) events.emit('token.deleted', { userKey, ...(provider !== undefined && { provider }) })
  if (marked.status === 'rejected') throw marked.reason
  return deleted
}
