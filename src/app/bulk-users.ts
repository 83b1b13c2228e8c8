/** The users of old sessions, by the path that `coatcheck migrate sessions --user-id` names. */
import { type AdoptionOptions, type BulkOrigin, forEachOldKey, type OldContext } from '../admin/adoption.ts'

/** The result of `searchUser()`. */
export interface UserSearch {
  /** Number of sessions with data that were read. */
  readonly sessions: number
  /** Whether one of them has a user. The search ends with it. */
  readonly hasUser: boolean
  /** Names of the fields of the sessions without a user, at most 20, without values. */
  readonly fields: readonly string[]
}

const MAX_FIELDS = 20
/** A name of another form may be data. */
const FIELD_NAME = /^[\w$.-]{1,40}$/
/** Fields that the session libraries write themselves. */
const OF_LIBRARIES: ReadonlySet<string> = new Set(['cookie', '_expire', '_maxAge', '_session'])

/**
 * Searches the old sessions for one that has a user. Sessions without data do not count: visitors have them before they sign in.
 * @param path where the data names the user, with dots, such as `passport.user`
 * @throws {RedisError} during an outage
 */
export async function searchUser(
  { context, origin }: { readonly context: OldContext; readonly origin: Omit<BulkOrigin, 'adopt'> },
  path: string,
  { signal, ...options }: AdoptionOptions,
): Promise<UserSearch> {
  const { readJson } = await import('../migrate/read-json.ts')
  const names = path.split('.')
  const fields = new Set<string>()
  const found = new AbortController()
  let sessions = 0
  const until = { ...options, signal: AbortSignal.any([signal, found.signal]) }
  await forEachOldKey(context, origin, until, async (key) => {
    const record = await context.records.read(key)
    const data = record && origin.isReadable(key, record) ? readJson(record.text) : null
    const own = data === null ? [] : Object.keys(data).filter((name) => !OF_LIBRARIES.has(name))
    if (own.length === 0) return
    sessions++
    if (textAt(data, names) !== null) found.abort()
    for (const name of own) if (fields.size < MAX_FIELDS && FIELD_NAME.test(name)) fields.add(name)
  })
  const hasUser = found.signal.aborted
  return { sessions, hasUser, fields: hasUser ? [] : [...fields].sort() }
}

/** Returns the text or number at a path, because numbers are ids as well. */
export function textAt(data: unknown, path: readonly string[]): string | null {
  let at: unknown = data
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return null
    at = (at as Readonly<Record<string, unknown>>)[name]
  }
  return typeof at === 'string' || typeof at === 'number' ? String(at) : null
}
