/** The record of a session of another library. This module reads its data, its cookie and its changes. Used by `library-sessions.ts`. */
import { isDeepStrictEqual } from 'node:util'
import type { DocumentCodec } from './documents.ts'
import { type JsonObject, mergeChanges } from './json-merge.ts'

export interface LibrarySession {
  /** The JSON of the drop-in library: stored and compared unchanged, parsed on demand. */
  readonly json: string
  /** The cookie of the last touch. It replaces the field `cookie` of `json`. */
  readonly cookie?: JsonObject
  readonly createdAtMs: number
  readonly expiresAtMs: number
  /** Random value of the creation: distinguishes the session from an earlier one of the same id. Absent in records of 0.1.0 previews. */
  readonly birth?: string
  /** The set of its user, and the end of its entry there, epoch milliseconds. */
  readonly user?: { readonly set: string; readonly untilMs: number }
  /** The key of the old record of another library that this session comes from (`src/migrate/`). Absent: there is no old record. */
  readonly link?: string
  /** Identifies the servers of that key. Empty: those of Coatcheck. Absent: unknown. */
  readonly place?: string
  /**
   * With `link`: the JSON of the old record that this session has taken over. The session is independent since then. The old record may
   * still exist, but decides nothing.
   */
  readonly taken?: string
}

/** True: the old record decides whether this session exists, and what it contains. */
export function isCopy({ link, taken }: LibrarySession): boolean {
  return link !== undefined && taken === undefined
}

export function withoutLink({ link: _link, place: _place, taken: _taken, ...session }: LibrarySession): LibrarySession {
  return session
}

type WithCookie = Pick<LibrarySession, 'json' | 'cookie'>

/** Merges the library's changes into the stored session. Without a change of another request it returns the library's JSON unchanged. */
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

/** Returns whether two cookies are equal except for `expires`, which determines the end of the session. */
export function differsInEndOnly(one: unknown, other: JsonObject): boolean {
  return isDeepStrictEqual({ ...(one as JsonObject | undefined), expires: null }, { ...other, expires: null })
}

function parse(json: string): JsonObject {
  return JSON.parse(json) as JsonObject
}

/** One line about the session, then the library's JSON. A read and a write keep that JSON unchanged. */
export const librarySessionCodec: DocumentCodec<LibrarySession> = {
  encode: ({ json, ...about }) => `${JSON.stringify(about)}\n${json}`,
  decode(text) {
    const end = text.indexOf('\n')
    return { ...(JSON.parse(text.slice(0, end)) as Omit<LibrarySession, 'json'>), json: text.slice(end + 1) }
  },
}
