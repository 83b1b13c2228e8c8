/** Reads a serialized cache of MSAL Node that another plugin stored: sections of entries, for one user or for all users. */
import type { MsalCache } from '../drop-ins/msal/cache-merge.ts'
import type { OldRecord } from './old-record-driver.ts'
import { readJson } from './read-json.ts'

const SECTIONS = ['Account', 'IdToken', 'AccessToken', 'RefreshToken', 'AppMetadata']

type Fields = Readonly<Record<string, unknown>>

/** The entries of one partition in a stored cache. */
export interface OldPartition {
  readonly record: OldRecord
  /** All entries under the key. */
  readonly whole: MsalCache
  /** The entries of the partition. */
  readonly own: MsalCache
}

/** `null`: the text is no cache of MSAL. */
export function cacheIn(text: string): MsalCache | null {
  const cache = readJson(text)
  if (!cache) return null
  const isCache =
    Object.keys(cache).some((name) => SECTIONS.includes(name)) &&
    Object.values(cache).every((section) => typeof section === 'object' && section !== null && !Array.isArray(section))
  return isCache ? (cache as MsalCache) : null
}

/** Returns the home account id of an entry: object id and tenant id of the user. Empty: the entry belongs to no user. */
export function homeOf(entry: unknown): string {
  const { home_account_id: home } = (entry ?? {}) as Fields
  return typeof home === 'string' ? home : ''
}

/** Returns the entries that `isKept` selects. Empty sections stay. */
export function filteredCache(cache: MsalCache, isKept: (entry: unknown) => boolean): MsalCache {
  return Object.fromEntries(
    Object.entries(cache).map(([name, section]) => [
      name,
      Object.fromEntries(Object.entries(section).filter(([, entry]) => isKept(entry))),
    ]),
  )
}

/** Returns the home account ids of the accounts in a cache. */
export function homesIn(cache: MsalCache): readonly string[] {
  return Object.values(cache['Account'] ?? {})
    .map(homeOf)
    .filter((home) => home !== '')
}

/** Returns the refresh tokens of a user in a cache. */
export function refreshTokensOf(cache: MsalCache, home: string): readonly string[] {
  return Object.values(cache['RefreshToken'] ?? {})
    .filter((entry) => homeOf(entry) === home)
    .map((entry) => String((entry as Fields)['secret']))
}

/** Returns whether nothing is left of a user: no account, no token. */
export function isEmptyCache({ AppMetadata: _, ...sections }: MsalCache): boolean {
  return Object.values(sections).every((section) => Object.keys(section).length === 0)
}
