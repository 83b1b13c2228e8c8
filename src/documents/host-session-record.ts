/** The record of a session of another library, and how its data, cookie and changes are read from it. Used by `host-sessions.ts`. */
import { isDeepStrictEqual } from 'node:util'
import type { DocumentCodec } from './documents.ts'
import { type JsonObject, mergeChanges } from './json-merge.ts'

export interface HostSession {
  /** What the host stores, as JSON: stored and compared as it is, parsed on demand. */
  readonly json: string
  /** The cookie of the last touch. It replaces the field `cookie` of `json`. */
  readonly cookie?: JsonObject
  readonly createdAtMs: number
  readonly expiresAtMs: number
  /** Random value of the creation: distinguishes the session from an earlier one of the same id. Absent in records of 0.1.0 previews. */
  readonly birth?: string
  /** The set of its user, and the end of its entry there, epoch milliseconds. */
  readonly user?: { readonly set: string; readonly untilMs: number }
  /** The key of the old record of another library that this session was taken from (`src/migrate/`). Absent: there is none. */
  readonly link?: string
  /**
   * With `link`: the JSON of the old record that this session has taken in. Since then it stands alone. The old record may still be there, and
   * decides nothing.
   */
  readonly taken?: string
}

/** True: the old record decides whether this session exists, and what it holds. */
export function isMirror({ link, taken }: HostSession): boolean {
  return link !== undefined && taken === undefined
}

export function withoutLink({ link: _link, taken: _taken, ...session }: HostSession): HostSession {
  return session
}

type WithCookie = Pick<HostSession, 'json' | 'cookie'>

/** Merges the changes of the host into the stored session. Without a change of another request it returns the host's JSON as it is. */
export function mergedJson(handedOut: WithCookie, handedBack: string, stored: WithCookie): string {
  if (stored.json === handedOut.json && isDeepStrictEqual(stored.cookie, handedOut.cookie)) return handedBack
  return JSON.stringify(mergeChanges(effective(handedOut), parse(handedBack), effective(stored)))
}

/** The data of a session with the cookie of its last touch. */
export function effective({ json, cookie }: WithCookie): JsonObject {
  return cookie ? { ...parse(json), cookie } : parse(json)
}

export function cookieOf(session: WithCookie): unknown {
  return effective(session)['cookie']
}

/** Whether two cookies agree in all but `expires`, which the end of the session follows. */
export function differsInEndOnly(one: unknown, other: JsonObject): boolean {
  return isDeepStrictEqual({ ...(one as JsonObject | undefined), expires: null }, { ...other, expires: null })
}

function parse(json: string): JsonObject {
  return JSON.parse(json) as JsonObject
}

/** One line about the session, then the JSON of the host. A read and a write leave that JSON as it is. */
export const hostSessionCodec: DocumentCodec<HostSession> = {
  encode: ({ json, ...about }) => `${JSON.stringify(about)}\n${json}`,
  decode(text) {
    const end = text.indexOf('\n')
    return { ...(JSON.parse(text.slice(0, end)) as Omit<HostSession, 'json'>), json: text.slice(end + 1) }
  },
}
