/**
 * Reads the keys and values of @auth/upstash-redis-adapter and of its copies: JSON without a TTL, with dates as texts. For each user, one key
 * names the last account, and one the last session.
 */
import type { AuthJsAccount, AuthJsSession, AuthJsUser } from '../drop-ins/authjs/types.ts'
import type { OldRecordDriver } from './old-record-driver.ts'
import { readJson } from './read-json.ts'

/** Key prefixes, as the options of @auth/upstash-redis-adapter. */
export interface UpstashPrefixes {
  /** Prefix of all keys. Default: none. */
  readonly baseKeyPrefix?: string
  /** Default `user:account:`. */
  readonly accountKeyPrefix?: string
  /** Default `user:account:by-user-id:`. */
  readonly accountByUserIdPrefix?: string
  /** Default `user:email:`. */
  readonly emailKeyPrefix?: string
  /** Default `user:session:`. */
  readonly sessionKeyPrefix?: string
  /** Default `user:session:by-user-id:`. */
  readonly sessionByUserIdKeyPrefix?: string
  /** Default `user:`. */
  readonly userKeyPrefix?: string
  /** Default `user:token:`. */
  readonly verificationTokenKeyPrefix?: string
}

/** Their kinds, for `checkedOptions`. */
export const UPSTASH_PREFIXES = {
  baseKeyPrefix: 'text',
  accountKeyPrefix: 'text',
  accountByUserIdPrefix: 'text',
  emailKeyPrefix: 'text',
  sessionKeyPrefix: 'text',
  sessionByUserIdKeyPrefix: 'text',
  userKeyPrefix: 'text',
  verificationTokenKeyPrefix: 'text',
} as const

/** An ISO date as `JSON.stringify` writes it. */
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)$/

/** Builds the names of the old keys. */
export function upstashKeys(prefixes: UpstashPrefixes) {
  const { baseKeyPrefix: base = '' } = prefixes
  const {
    accountKeyPrefix = 'user:account:',
    accountByUserIdPrefix = 'user:account:by-user-id:',
    emailKeyPrefix = 'user:email:',
    sessionKeyPrefix = 'user:session:',
    sessionByUserIdKeyPrefix = 'user:session:by-user-id:',
    userKeyPrefix = 'user:',
    verificationTokenKeyPrefix = 'user:token:',
  } = prefixes
  const accountPrefix = base + accountKeyPrefix
  const sessionPrefix = base + sessionKeyPrefix
  return {
    accountPrefix,
    user: (id: string): string => `${base}${userKeyPrefix}${id}`,
    email: (address: string): string => `${base}${emailKeyPrefix}${address}`,
    account: ({ provider, providerAccountId }: Pick<AuthJsAccount, 'provider' | 'providerAccountId'>): string =>
      `${accountPrefix}${provider}:${providerAccountId}`,
    lastAccount: (userId: string): string => `${base}${accountByUserIdPrefix}${userId}`,
    session: (token: string): string => sessionPrefix + token,
    lastSession: (userId: string): string => `${base}${sessionByUserIdKeyPrefix}${userId}`,
    /** Prefix of all verification tokens. */
    tokens: base + verificationTokenKeyPrefix,
    /** Returns the token in a session key. `null`: it is no session key. */
    tokenOf: (key: string): string | null => (key.startsWith(sessionPrefix) ? key.slice(sessionPrefix.length) : null),
    verification: ({ identifier, token }: { identifier: string; token: string }): string =>
      `${base}${verificationTokenKeyPrefix}${identifier}:${token}`,
  }
}

export type UpstashKeys = ReturnType<typeof upstashKeys>

/** Parses a value and its dates. `null`: the text is no JSON object. */
export function hydrated(text: string): Readonly<Record<string, unknown>> | null {
  const fields = readJson(text)
  if (!fields) return null
  const entries = Object.entries(fields)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' && DATE.test(value) ? new Date(value) : value]),
  )
}

/** `null`: the text is no user. */
export function userIn(text: string): AuthJsUser | null {
  const user = hydrated(text)
  return user && typeof user['id'] === 'string' ? (user as AuthJsUser) : null
}

/** `null`: the text is no session of Auth.js. */
export function sessionIn(text: string): AuthJsSession | null {
  const { sessionToken, userId, expires, ...rest } = hydrated(text) ?? {}
  if (typeof sessionToken !== 'string' || typeof userId !== 'string' || !(expires instanceof Date)) return null
  return Number.isNaN(expires.getTime()) ? null : { ...rest, sessionToken, userId, expires }
}

/** Returns the account as Auth.js passed it, without the id that the old adapter adds. `null`: the text is no account. */
export function accountIn(text: string): AuthJsAccount | null {
  const { id, ...account } = (hydrated(text) ?? {}) as Partial<AuthJsAccount>
  const { userId, provider, providerAccountId } = account
  if ([userId, provider, providerAccountId].some((name) => typeof name !== 'string')) return null
  const isOurs = id === undefined || id === `${provider}:${providerAccountId}`
  return (isOurs ? account : { ...account, id: id as unknown }) as AuthJsAccount
}

/** Returns an id or a key as plain text. Some copies of the adapter write it as JSON. */
export function nameIn(text: string): string {
  return /^".*"$/s.test(text) ? text.slice(1, -1) : text
}

/** Deletes a key if its value is still this name. */
export async function removeName(old: OldRecordDriver, key: string, name: string): Promise<void> {
  const record = await old.read(key)
  if (record && nameIn(record.text) === name) await old.remove(key, record.text)
}
