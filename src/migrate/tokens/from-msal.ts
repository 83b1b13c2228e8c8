/** The origin `fromMsal`: refresh and access tokens in serialized caches of MSAL Node, one for all users or one for each. */
import type { MsalCache } from '../../drop-ins/msal/cache-merge.ts'
import { describeValue } from '../../core/redact.ts'
import { systemClock } from '../../core/clock.ts'
import { claimsIn } from '../../token/token-subject.ts'
import { cacheIn, homeOf } from '../msal-blob.ts'
import { keysBehind } from '../old-keys.ts'
import type { OldRecordDriver } from '../old-record-driver.ts'
import { checkedOptions } from '../origin-options.ts'
import { createTokenOrigin } from './create-token-origin.ts'
import { epochMs, type FoundTokens, scopesIn, tokenIn, tokenSet } from './found-tokens.ts'
import type { TokenOrigin, TokenOriginOptions } from './token-origin.ts'

/** An account in a cache of MSAL Node. */
export interface MsalCacheAccount {
  /** Object id and tenant id, joined by a dot. */
  readonly homeAccountId: string
  /** Object id within the tenant. */
  readonly localAccountId: string
  /** Tenant. */
  readonly realm: string
  /** Name that the user signs in with. */
  readonly username: string
  /** Claims of the stored ID token, unverified. `null`: none is stored. */
  readonly idTokenClaims: Readonly<Record<string, unknown>> | null
}

/** Options of `fromMsal()`. */
export interface FromMsalOptions extends TokenOriginOptions {
  /** The old key: one for all users, or a function that returns the key of a user id of Coatcheck. */
  readonly key: string | ((userId: string) => string)
  /** Returns the user id in Coatcheck that an account belongs to. `null`: none. Tokens are adopted only if it is the id that was asked for. */
  readonly userOf: (account: MsalCacheAccount) => string | null
  /** Takes entries of this client id only. Default: all. */
  readonly clientId?: string
  /** Prefix of all old keys, for `all()`. Needed only with a function as `key`. Default: the users cannot be listed. */
  readonly prefix?: string
}

type Entry = Readonly<Record<string, unknown>>

/** Takes tokens from caches of MSAL Node. */
export function fromMsal(options: FromMsalOptions): TokenOrigin {
  const {
    key,
    userOf,
    clientId,
    prefix,
    mode = 'read',
  } = checkedOptions('fromMsal()', options, {
    ...{ key: keyComplaint, userOf: 'required function', clientId: 'text', prefix: 'text', provider: 'text' },
  })
  const entriesOf = (cache: MsalCache, section: string, home: string): readonly Entry[] =>
    (Object.values(cache[section] ?? {}) as Entry[]).filter(
      (entry) => homeOf(entry) === home && (clientId === undefined || entry['client_id'] === clientId),
    )
  const accountsIn = (cache: MsalCache): readonly MsalCacheAccount[] =>
    (Object.values(cache['Account'] ?? {}) as Entry[]).flatMap((entry) => {
      const home = homeOf(entry)
      if (home === '') return []
      const text = (name: string): string => (typeof entry[name] === 'string' ? entry[name] : '')
      const idTokens = entriesOf(cache, 'IdToken', home)
      const idToken = idTokens.find(({ realm }) => realm === entry['realm']) ?? idTokens[0]
      return [
        {
          homeAccountId: home,
          localAccountId: text('local_account_id'),
          realm: text('realm'),
          username: text('username'),
          idTokenClaims: claimsIn(tokenIn(idToken?.['secret'])),
        },
      ]
    })

  const tokensOf = (
    cache: MsalCache,
    { homeAccountId, realm }: MsalCacheAccount,
  ): Omit<FoundTokens, 'userId'> | null => {
    // A refresh token of a family of client ids (FOCI) belongs to several applications.
    const refresh = entriesOf(cache, 'RefreshToken', homeAccountId).find(({ family_id: family }) => !family)
    const access = entriesOf(cache, 'AccessToken', homeAccountId)
      .filter((entry) => entry['realm'] === realm && entry['credential_type'] === 'AccessToken')
      .filter(({ userAssertionHash, requestedClaimsHash }) => !userAssertionHash && !requestedClaimsHash)
      .sort((a, b) => Number(b['expires_on']) - Number(a['expires_on']))[0]
    const idToken = entriesOf(cache, 'IdToken', homeAccountId).find((entry) => entry['realm'] === realm)
    const tokens = tokenSet(
      {
        accessToken: tokenIn(access?.['secret']),
        expiresAtMs: epochMs(access?.['expires_on'])?.ms ?? null,
        refreshToken: tokenIn(refresh?.['secret']),
        idToken: tokenIn(idToken?.['secret']),
        scopes: scopesIn(access?.['target']),
      },
      systemClock.now(),
    )
    return tokens && { tokens }
  }

  const find = async (old: OldRecordDriver, userId: string): Promise<FoundTokens | 'unreadable' | null> => {
    const name = typeof key === 'string' ? key : key(userId)
    const record = await old.read(name)
    const cache = record && cacheIn(record.text)
    if (!record) return null
    if (!cache) return 'unreadable'
    const accounts = accountsIn(cache)
    const own = accounts.filter((account) => userOf(account) === userId)
    // Of several accounts of one user, prefers one with a refresh token.
    const candidates = own.flatMap((account) => tokensOf(cache, account) ?? [])
    const best = candidates.find(({ tokens }) => tokens.refreshToken !== null) ?? candidates[0]
    const isWhole = typeof key === 'function' && own.length === accounts.length && isOfOneClient(cache, clientId)
    const forget = mode === 'move' && isWhole ? { forget: () => old.remove(name, record.text) } : {}
    if (best) return { ...best, userId, ...forget }
    const other = accounts.map(userOf).find((one) => one !== userId && one !== null)
    // Each user has a key, and this one contains the cache of another user.
    return typeof key === 'function' && own.length === 0 && other !== undefined && other !== null
      ? { userId: other, tokens: NOTHING }
      : null
  }

  async function* users(old: OldRecordDriver): AsyncIterable<string> {
    const seen = new Set<string>()
    const names = typeof key === 'string' ? [key] : old.scan(prefix ?? '')
    for await (const name of names) {
      const record = await old.read(name)
      for (const account of accountsIn((record && cacheIn(record.text)) ?? {})) {
        const userId = userOf(account)
        if (userId === null || seen.has(userId)) continue
        seen.add(userId)
        yield userId
      }
    }
  }

  const canList = typeof key === 'string' || prefix !== undefined
  const keys =
    typeof key === 'string'
      ? keysBehind(key, isCache, (rest) => rest === '')
      : prefix === undefined
        ? null
        : keysBehind(prefix, isCache)
  return createTokenOrigin('msal-tokens', options, { find, ...(canList && { users }), ...(keys && { keys }) })
}

/** Returns whether all tokens of a cache belong to one client. Applications may share a cache, and tokens of another client stay. */
function isOfOneClient(cache: MsalCache, clientId: string | undefined): boolean {
  const clients = new Set<unknown>(clientId === undefined ? [] : [clientId])
  for (const section of ['IdToken', 'AccessToken', 'RefreshToken']) {
    for (const entry of Object.values(cache[section] ?? {}) as Entry[]) {
      if (entry['client_id'] !== undefined) clients.add(entry['client_id'])
    }
  }
  return clients.size <= 1
}

const isCache = (text: string): boolean => cacheIn(text) !== null

const NOTHING = { accessToken: '', expiresAtMs: 0, refreshToken: null, idToken: null, scopes: null }

function keyComplaint(key: unknown): string | null {
  const isKey = typeof key === 'function' || (typeof key === 'string' && key !== '')
  return isKey ? null : `must be the old key, or a function that returns it; it got ${describeValue(key)}`
}
