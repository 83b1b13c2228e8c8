/**
 * Parses MSAL's cache, and merges the changes of two processes: three-way, per entry, between what a process read, its current state, and
 * the stored state. MSAL itself writes the whole cache back, and the later of two writers wins.
 */

/** Entries by key. */
type Section = Readonly<Record<string, unknown>>
/** MSAL's serialized cache: `Account`, `IdToken`, `AccessToken`, `RefreshToken`, `AppMetadata`, and what later versions add. */
export type MsalCache = Readonly<Record<string, Section>>

export const EMPTY_CACHE = '{"Account":{},"IdToken":{},"AccessToken":{},"RefreshToken":{},"AppMetadata":{}}'

/** Returns an empty cache for a text that is not a cache. */
export function parseCache(text: string | null): MsalCache {
  if (text === null || text === '') return {}
  const parsed: unknown = JSON.parse(text)
  if (!isObject(parsed)) return {}
  return Object.fromEntries(Object.entries(parsed).filter((entry): entry is [string, Section] => isObject(entry[1])))
}

/**
 * Applies the changes between `read` and `now` to `stored`. An account that either side removed stays removed, with all its entries. Of two
 * new versions of one entry, the newer one stays.
 */
export function mergeCaches(read: MsalCache, now: MsalCache, stored: MsalCache): MsalCache {
  const gone = new Set([...removedAccounts(read, now), ...removedAccounts(read, stored)])
  // Signed in again since then, so no longer removed.
  for (const home of [...addedAccounts(read, now), ...addedAccounts(read, stored)]) gone.delete(home)
  const names = new Set([...Object.keys(stored), ...Object.keys(now), ...Object.keys(read)])
  return Object.fromEntries(
    [...names].map((name) => [name, mergeSections(read[name] ?? {}, now[name] ?? {}, stored[name] ?? {}, gone)]),
  )
}

function mergeSections(read: Section, now: Section, stored: Section, gone: ReadonlySet<string>): Section {
  const merged: Record<string, unknown> = { ...stored }
  for (const key of new Set([...Object.keys(read), ...Object.keys(now)])) {
    if (isSame(read[key], now[key])) continue
    if (!(key in now)) delete merged[key]
    else if (!(key in merged) || !isYounger(merged[key], now[key])) merged[key] = now[key]
  }
  for (const [key, entry] of Object.entries(merged)) if (gone.has(homeOf(entry) ?? '')) delete merged[key]
  return merged
}

/** When the last entry of the cache becomes useless, epoch milliseconds; `null` if an entry has no expiry (a refresh token). */
export function endOfUse(cache: MsalCache): { readonly isEmpty: boolean; readonly expiresAtMs: number | null } {
  const { AccessToken: accessTokens = {}, AppMetadata: _, ...others } = cache
  const hasOthers = Object.values(others).some((section) => Object.keys(section).length > 0)
  const ends = Object.values(accessTokens).map(
    (entry) => secondsOf(entry, ['extended_expires_on', 'expires_on']) * 1000,
  )
  if (hasOthers) return { isEmpty: false, expiresAtMs: null }
  return { isEmpty: ends.length === 0, expiresAtMs: Math.max(0, ...ends) }
}

/** When the newest entry was stored, in epoch seconds. 0: no entry has a time. */
export function newestEntrySeconds(cache: MsalCache): number {
  const entries = Object.values(cache).flatMap((section) => Object.values(section))
  return Math.max(0, ...entries.map(storedSeconds))
}

/** MSAL's identifier of the user of an entry: `home_account_id`. */
function homeOf(entry: unknown): string | null {
  const home = isObject(entry) ? entry['home_account_id'] : null
  return typeof home === 'string' && home !== '' ? home : null
}

function homesOf(cache: MsalCache): Set<string> {
  return new Set(Object.values(cache['Account'] ?? {}).map((account) => homeOf(account) ?? ''))
}

function removedAccounts(before: MsalCache, after: MsalCache): string[] {
  const left = homesOf(after)
  return [...homesOf(before)].filter((home) => !left.has(home))
}

function addedAccounts(before: MsalCache, after: MsalCache): string[] {
  return removedAccounts(after, before)
}

function isYounger(stored: unknown, ours: unknown): boolean {
  return storedSeconds(stored) > storedSeconds(ours)
}

/** When MSAL stored the entry, in epoch seconds. 0: the entry has no time. */
function storedSeconds(entry: unknown): number {
  return secondsOf(entry, ['cached_at', 'last_modification_time'])
}

/** MSAL writes numbers as strings. */
function secondsOf(entry: unknown, fields: readonly string[]): number {
  const values = isObject(entry) ? fields.map((field) => Number(entry[field])) : []
  return Math.max(0, ...values.filter((value) => Number.isFinite(value)))
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
