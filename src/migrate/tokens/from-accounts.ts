/**
 * Origins that read tokens from account records. Those of the Auth.js adapter are on Redis. Those of better-auth are in the database of the
 * application, which reads them by a function.
 */
import { systemClock } from '../../core/clock.ts'
import type { OldRecordDriver } from '../old-record-driver.ts'
import { accountIn, nameIn, UPSTASH_PREFIXES, type UpstashPrefixes, upstashKeys } from '../upstash-records.ts'
import { checkedOptions } from '../origin-options.ts'
import { createTokenOrigin } from './create-token-origin.ts'
import { epochMs, scopesIn, tokenIn, tokenSet } from './found-tokens.ts'
import type { TokenOrigin, TokenOriginOptions } from './token-origin.ts'

/** Options of `fromAuthJsAccounts()`. The prefixes are the options of the old adapter. */
export interface FromAuthJsAccountsOptions extends TokenOriginOptions, UpstashPrefixes {
  /** Name of the Auth.js provider, such as `microsoft-entra-id`. Accounts of other providers are left alone. */
  readonly authJsProvider: string
  /** Returns the user id in Auth.js of a user id in Coatcheck. Default: both are the same. */
  readonly authJsUserId?: (userId: string) => string
  /** Returns the user id in Coatcheck of a user id in Auth.js, for `all()`. Default: both are the same. */
  readonly userIdOf?: (authJsUserId: string) => string
}

/**
 * Takes tokens from the accounts of an Auth.js adapter with the layout of @auth/upstash-redis-adapter. That layout knows the last linked
 * account of a user only. The accounts stay: Auth.js needs them to sign users in.
 */
export function fromAuthJsAccounts(options: FromAuthJsAccountsOptions): TokenOrigin {
  const {
    authJsProvider,
    authJsUserId = same,
    userIdOf = same,
  } = checkedOptions('fromAuthJsAccounts()', options, {
    ...{ ...UPSTASH_PREFIXES, provider: 'text', authJsProvider: 'required text' },
    ...{ authJsUserId: 'function', userIdOf: 'function' },
  })
  const keys = upstashKeys(options)

  async function* users(old: OldRecordDriver): AsyncIterable<string> {
    const lastPrefix = keys.lastAccount('')
    for await (const name of old.scan(`${keys.accountPrefix}${authJsProvider}:`)) {
      if (name.startsWith(lastPrefix)) continue
      const record = await old.read(name)
      const account = record && accountIn(record.text)
      if (account) yield userIdOf(account.userId)
    }
  }

  return createTokenOrigin('auth-js-accounts', options, {
    users,
    async find(old, userId) {
      const owner = authJsUserId(userId)
      const last = await old.read(keys.lastAccount(owner))
      const record = last && (await old.read(nameIn(last.text)))
      if (!record) return null
      const account = accountIn(record.text)
      if (!account) return 'unreadable'
      if (account.provider !== authJsProvider) return null
      const tokens = tokenSet(
        {
          accessToken: tokenIn(account['access_token']),
          expiresAtMs: epochMs(account['expires_at'])?.ms ?? null,
          refreshToken: tokenIn(account['refresh_token']),
          idToken: tokenIn(account['id_token']),
          scopes: scopesIn(account['scope']),
        },
        systemClock.now(),
      )
      return tokens && { userId: account.userId === owner ? userId : userIdOf(account.userId), tokens }
    },
  })
}

/** An account of better-auth, as its database adapters return it. */
export interface BetterAuthAccount {
  /** User id in better-auth. */
  readonly userId: string
  /** Name of the better-auth provider, such as `microsoft`. */
  readonly providerId: string
  /** The access token. `null` or absent: none. */
  readonly accessToken?: string | null
  /** The refresh token. `null` or absent: none. */
  readonly refreshToken?: string | null
  /** The ID token. `null` or absent: none. */
  readonly idToken?: string | null
  /** When the access token expires. `null` or absent: not known, and the access token is left out. */
  readonly accessTokenExpiresAt?: Date | string | number | null
  /** Scopes that were granted, separated by commas or spaces. `null` or absent: not said. */
  readonly scope?: string | null
}

/** Options of `fromBetterAuthAccounts()`. */
export interface FromBetterAuthAccountsOptions extends TokenOriginOptions {
  /** Name of the better-auth provider. Accounts of other providers are left alone. */
  readonly betterAuthProvider: string
  /** Reads the accounts of a user id of Coatcheck from the database of the application. Tokens must be in the clear. */
  readonly accounts: (userId: string) => Promise<readonly BetterAuthAccount[]>
  /** Returns the user id in Coatcheck that an account belongs to. Default: its `userId`. */
  readonly userOf?: (account: BetterAuthAccount) => string | null
  /** Lists user ids of Coatcheck, for `all()`. Default: they cannot be listed. */
  readonly users?: () => AsyncIterable<string>
}

/** Takes tokens from accounts of better-auth, which the application reads from its database. They stay there. */
export function fromBetterAuthAccounts(options: FromBetterAuthAccountsOptions): TokenOrigin {
  const own = { provider: 'text', betterAuthProvider: 'required text', accounts: 'required function' } as const
  const {
    betterAuthProvider,
    accounts,
    userOf = ownerOf,
    users,
  } = checkedOptions('fromBetterAuthAccounts()', options, {
    ...{ ...own, userOf: 'function', users: 'function' },
  })
  return createTokenOrigin('better-auth-accounts', options, {
    async find(_old, userId) {
      const all = (await accounts(userId)).filter(({ providerId }) => providerId === betterAuthProvider)
      const own = all.filter((account) => userOf(account) === userId)
      const found = own.flatMap((account) => {
        const tokens = tokenSet(
          {
            accessToken: tokenIn(account.accessToken),
            expiresAtMs: epochMs(account.accessTokenExpiresAt)?.ms ?? null,
            refreshToken: tokenIn(account.refreshToken),
            idToken: tokenIn(account.idToken),
            scopes: scopesIn(account.scope),
          },
          systemClock.now(),
        )
        return tokens ? [{ userId, tokens }] : []
      })
      return found.find(({ tokens }) => tokens.refreshToken !== null) ?? found[0] ?? null
    },
    ...(users && { users: (): AsyncIterable<string> => users() }),
  })
}

function ownerOf({ userId }: BetterAuthAccount): string {
  return userId
}

function same(userId: string): string {
  return userId
}
