/** The users of old sessions, by the path that `coatcheck migrate sessions --user-id` names. */
import type { BulkOrigin, OldContext } from '../admin/adoption.ts'

/** A sample of old sessions. */
export interface UserSample {
  /** Number of sessions in the sample. */
  readonly sessions: number
  /** Whether one of them has a user. The sample ends with it. */
  readonly hasUser: boolean
  /** Names of the fields of the sessions without a user, without values. */
  readonly fields: readonly string[]
}

const SAMPLE = 500
const MAX_FIELDS = 20
/** A name of another form may be data. */
const FIELD_NAME = /^[\w$.-]{1,40}$/

/**
 * Reads up to 500 old sessions that are JSON objects.
 * @param path where the data names the user, with dots, such as `passport.user`
 * @throws {RedisError} during an outage
 */
export async function sampleUsers(
  { context, origin }: { readonly context: OldContext; readonly origin: Omit<BulkOrigin, 'adopt'> },
  path: string,
): Promise<UserSample> {
  const { readJson } = await import('../migrate/read-json.ts')
  const fields = new Set<string>()
  let sessions = 0
  for await (const key of context.records.scan(origin.keyPrefix)) {
    if (origin.familyOf(key) === null) continue
    const record = await context.records.read(key)
    const data = record && origin.isReadable(key, record) ? readJson(record.text) : null
    if (data === null) continue
    sessions++
    if (textAt(data, path.split('.')) !== null) return { sessions, hasUser: true, fields: [] }
    for (const name of Object.keys(data)) if (fields.size < MAX_FIELDS && FIELD_NAME.test(name)) fields.add(name)
    if (sessions === SAMPLE) break
  }
  return { sessions, hasUser: false, fields: [...fields].filter((name) => name !== 'cookie').sort() }
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
