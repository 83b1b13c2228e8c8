/** Tokens as operators see them: names, times, outcomes and the key that sealed them. Never a token. */
import { keyTagOf } from '../keyring/seal.ts'
import { keyNameReader } from '../redis/key-names.ts'
import { createTokenCodec } from '../token/token-codec.ts'
import { END_OF_LIFE_BYTES, type TokensDeleted } from '../token/token-driver.ts'
import { fieldsOf } from '../token/token-fields.ts'
import { describeTokens } from '../token/token-status.ts'
import { describeTarget, resolveTarget } from '../token/token-target.ts'
import type { GetAccessTokenOptions, ProviderTokenStatus, TokenTarget } from '../token/types.ts'
import type { AdminGround } from './ground.ts'
import { walkKeys, type WalkOptions } from './walk.ts'

/** State of the tokens of one user. Never a token. */
export interface UserTokensStatus {
  /** Hash of the user id. */
  readonly userKey: string
  /** State by provider. */
  readonly providers: readonly ProviderTokenStatus[]
}

/** One entry per provider. @throws {RedisError} */
export async function tokensOf(ground: AdminGround, userKey: string): Promise<readonly ProviderTokenStatus[]> {
  const { store, seal, prefix, keyring, clock } = ground
  const codec = createTokenCodec(seal, prefix)
  const keyIdOf = (record: Buffer): string => keyring.idOf(keyTagOf(record, END_OF_LIFE_BYTES)) ?? 'unknown'
  return describeTokens(codec, userKey, await store.tokens.readAll(userKey), clock.now(), keyIdOf)
}

/**
 * Users that have tokens, in no order, until there are `max`. Walks all keys if there are fewer.
 * @throws {RedisError}
 */
export async function* usersWithTokens(
  ground: AdminGround,
  { max, ...walk }: { readonly max: number } & Pick<WalkOptions, 'signal' | 'seen'>,
): AsyncGenerator<UserTokensStatus> {
  const read = keyNameReader(ground.prefix)
  const shown = new Set<string>()
  for await (const step of walkKeys(ground, walk)) {
    for (const key of step) {
      const name = read(key)
      if (name?.family !== 'tokens' || shown.has(name.userKey)) continue
      const providers = await tokensOf(ground, name.userKey)
      // A hash that holds a lease only, or the cache of an application on MSAL.
      if (providers.length === 0) continue
      shown.add(name.userKey)
      yield { userKey: name.userKey, providers }
      if (shown.size >= max) return
    }
  }
}

/** Result of a refresh that an operator asked for. */
export interface RefreshReport {
  /** Afterwards. */
  readonly status: ProviderTokenStatus | null
  /** When the new access token expires, epoch milliseconds. */
  readonly expiresAt: number
  /** Scopes of the new access token. */
  readonly scopes: readonly string[]
  /** False: the provider could not be asked, and the token that there was is still valid. */
  readonly isNew: boolean
}

/**
 * A new access token, whatever is left of the one that is stored. Goes the way of every refresh: one at a time over all
 * processes, and not while the provider has asked for a pause.
 * @throws {TokenError} as `getAccessToken` @throws {RedisError}
 */
export async function refreshTokens(
  ground: AdminGround,
  userKey: string,
  userId: string,
  target: TokenTarget & Pick<GetAccessTokenOptions, 'signal'>,
): Promise<RefreshReport> {
  const { tokens, clock, config } = ground
  const { provider, ...wanted } = resolveTarget(
    config.providers.map(({ name }) => name),
    target,
  )
  const askedAtMs = clock.now()
  const statusOf = async (): Promise<ProviderTokenStatus | null> =>
    (await tokensOf(ground, userKey)).find((one) => one.provider === provider) ?? null
  const stored = (await statusOf())?.resources.find(({ resource }) => resource === describeTarget(wanted))
  // More than its whole life would count as "the usual"; with a little less every token is too old but one of this moment.
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
 * What is stored, deleted; refresh tokens go to the outbox where their provider revokes them.
 * @throws {RedisError}
 */
export async function deleteTokens(
  { store, events }: AdminGround,
  userKey: string,
  provider: string | undefined,
): Promise<TokensDeleted> {
  const deleted = await store.tokens.delete(userKey, ...(provider === undefined ? [] : [fieldsOf(provider)]))
  if (deleted.count > 0) events.emit('token.deleted', { userKey, ...(provider !== undefined && { provider }) })
  return deleted
}
