/**
 * Lists and ends the sessions of `library-sessions.ts`: one by its name, those of a user, or all. If a session is linked to a record of
 * another library (`src/migrate/`), that record ends first.
 */
import { ENDED_REMEMBERED_MS } from '../core/time-to-live.ts'
import type { Clock } from '../core/clock.ts'
import { type DocumentRef, isDocumentName } from './document-driver.ts'
import type { Documents } from './documents.ts'
import type { JsonObject } from './json-merge.ts'
import { effective, isCopy, type LibrarySession } from './library-session-record.ts'
import type { LibrarySessionUsers } from './library-session-users.ts'
import { endAll, readMembers } from './set-members.ts'

const MAX_LISTED_SESSIONS = 1000

/** The old records of another library that sessions are linked to, by their keys (`src/migrate/`). Methods reject during an outage. */
export interface SessionLinks {
  /** Returns whether the old record exists. */
  exists(link: string): Promise<boolean>
  /** Removes old records. Called before their sessions end here. */
  remove(links: readonly EndingLink[]): Promise<void>
}

/** The link of a session that is about to end. */
export interface EndingLink {
  /** The key of the old record. */
  readonly key: string
  /** Returns whether a session is stored under the name later, because its id was used again. */
  isStored(): Promise<boolean>
}

/** One session of a user, as the stores for other libraries list it. */
export interface LibrarySessionInfo {
  /** A name of the session that opens nothing: not the id that the library uses. */
  readonly id: string
  /** The data that the library stored. */
  readonly data: JsonObject
  /** When the session was first stored, epoch milliseconds. */
  readonly createdAtMs: number
  /** When the session ends, epoch milliseconds. */
  readonly expiresAtMs: number
}

export interface LibrarySessionLists {
  /** Ends the session with this id of `listByUser`. Returns false if the session had ended already. */
  revoke(id: string): Promise<boolean>
  /** Returns at most 1,000 sessions, those with the longest life. */
  listByUser(userId: string): Promise<LibrarySessionInfo[]>
  /** @param except id as in `listByUser`. @returns the number of ended sessions */
  revokeByUser(userId: string, options?: { readonly except?: string | undefined }): Promise<number>
  /** Returns all sessions of all users: for operators. Scans the store in batches. */
  all(): AsyncIterable<LibrarySessionInfo>
  /** Removes all sessions and their ended markers. @returns the number of removed sessions */
  clear(): Promise<number>
}

export function createLibrarySessionLists({
  documents,
  kind,
  clock,
  users,
  links,
}: {
  readonly documents: Documents<LibrarySession>
  readonly kind: string
  readonly clock: Clock
  readonly users: LibrarySessionUsers
  /** Absent: no session is linked to a record of another library. */
  readonly links: SessionLinks | undefined
}): LibrarySessionLists {
  const { driver } = documents
  const refNamed = (name: string): DocumentRef => ({ kind, name })
  const isLive = (session: LibrarySession | null): session is LibrarySession =>
    session !== null && session.expiresAtMs > clock.now()
  const read = async (ref: DocumentRef): Promise<LibrarySession | null> => (await documents.read(ref))?.value ?? null

  const infoOf = ({ name }: DocumentRef, session: LibrarySession): LibrarySessionInfo => ({
    id: name,
    data: effective(session),
    createdAtMs: session.createdAtMs,
    expiresAtMs: session.expiresAtMs,
  })
  const linksOf = (ref: DocumentRef, session: LibrarySession | null): readonly EndingLink[] =>
    session?.link === undefined ? [] : [{ key: session.link, isStored: async () => isLive(await read(ref)) }]
  /** A copy whose old record is gone is about to end, so it is not listed. */
  const isListed = async (session: LibrarySession): Promise<boolean> =>
    !links || session.link === undefined || !isCopy(session) || (await links.exists(session.link))

  return {
    // A text that is no document name names no session. The result is that of a session that has ended already.
    async revoke(id) {
      if (!isDocumentName(id)) return false
      const ref = refNamed(id)
      const stored = links && (await read(ref))
      if (stored) await links.remove(linksOf(ref, stored))
      // If only the other library has stored the session, the ended marker alone refuses it.
      return driver.end(ref, ENDED_REMEMBERED_MS, links !== undefined)
    },

    async listByUser(userId) {
      const set = users.setOfUser(userId)
      // A session enters the set before it is stored, so a missing one may be about to be stored. Its entry stays until it expires.
      const members = await readMembers(documents, set, { most: MAX_LISTED_SESSIONS })
      const own = members.flatMap(({ ref, value }) =>
        isLive(value) && users.isOf(value, set) ? [{ ref, session: value }] : [],
      )
      const listed = await Promise.all(own.map(({ session }) => isListed(session)))
      return own.flatMap(({ ref, session }, i) => (listed[i] ? [infoOf(ref, session)] : []))
    },

    async revokeByUser(userId, { except } = {}) {
      const set = users.setOfUser(userId)
      const members = await readMembers(documents, set, { except })
      // A session of another user stays, and so does its entry: its id was used again, or it is about to be written as a session of this
      // user.
      const own = members.filter(({ value }) => !value || users.isOf(value, set) || !users.hasUser(value))
      await links?.remove(own.flatMap(({ ref, value }) => linksOf(ref, value)))
      const refs = own.map(({ ref }) => ref)
      const ended = await endAll(driver, refs)
      await driver.leave(
        set,
        refs.map(({ name }) => name),
      )
      return ended
    },

    async *all() {
      for await (const name of driver.names(kind)) {
        const session = await read(refNamed(name))
        if (isLive(session) && (await isListed(session))) yield infoOf(refNamed(name), session)
      }
    },

    async clear() {
      let removed = 0
      for await (const name of driver.names(kind)) {
        const ref = refNamed(name)
        if (links) await links.remove(linksOf(ref, await read(ref)))
        if (await driver.remove(ref)) removed++
      }
      return removed
    },
  }
}
