/**
 * The users of the sessions of `library-sessions.ts`. The user of a session follows from its stored data: each change computes the user from
 * the merged data, enters the session in the set of that user, and then writes. Afterwards the session leaves the sets of other users.
 */
import type { Clock } from '../core/clock.ts'
import { isCoatcheckError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { DocumentRef } from './document-driver.ts'
import type { Documents, Saved, StoredDocument } from './documents.ts'
import { effective, type LibrarySession } from './library-session-record.ts'
import type { JsonObject } from './json-merge.ts'

/**
 * Returns the user id that the data of a session names. `null` or `undefined`: no user. It must be pure: it is called with the stored data,
 * also after a merge with the changes of parallel requests.
 */
export type UserIdOf = (data: JsonObject) => string | null | undefined

export interface LibrarySessionUsers {
  /** Returns the set of this user's sessions. */
  setOfUser(userId: string): DocumentRef
  /**
   * Returns whether the session belongs to this set, by its data or by its record. Both count, because an older or a newer version of the
   * application may compute another user from the same data, or throw.
   */
  isOf(session: LibrarySession, set: DocumentRef): boolean
  hasUser(session: LibrarySession): boolean
  /** Returns the name of the set that the session belongs to. Without `userIdOf` it is the set in the record. `undefined`: no user. */
  setOf(session: LibrarySession): string | undefined
  /**
   * Adds the session to the set of its user, unless its entry there lasts long enough.
   * @returns the session with its user, to be written next
   */
  enter(ref: DocumentRef, session: LibrarySession): Promise<LibrarySession>
  /**
   * Changes a stored session as `Documents.change` does, with the user of the changed data. If the user stays the same and the entry
   * lasts, this is one command. It rejects only if the change may not be stored. If a later removal from a previous user's set fails, the
   * event `error` reports it.
   */
  change(
    ref: DocumentRef,
    change: (stored: LibrarySession) => LibrarySession | null,
    known: StoredDocument<LibrarySession>,
  ): Promise<Saved<LibrarySession>>
}

export function createLibrarySessionUsers(
  documents: Documents<LibrarySession>,
  { clock, events }: { readonly clock: Clock; readonly events: EventBus },
  userIdOf: UserIdOf | undefined,
): LibrarySessionUsers {
  const { driver } = documents
  const ttlOf = ({ expiresAtMs }: LibrarySession): number => Math.max(1, expiresAtMs - clock.now())
  const setOfUser = (userId: string): DocumentRef => documents.refOf(`user ${userId}`)

  const setOf = (session: LibrarySession): string | undefined => {
    if (!userIdOf) return session.user?.set
    const userId = userIdOf(effective(session)) ?? null
    return userId === null ? undefined : setOfUser(userId).name
  }

  const enter = async (ref: DocumentRef, session: LibrarySession): Promise<LibrarySession> => {
    const set = setOf(session)
    if (set === undefined) return withoutUser(session)
    if (session.user?.set === set && session.user.untilMs >= session.expiresAtMs) return session
    // Twice the necessary life, so that a session that is touched at each request is not added at each request.
    const ttlMs = ttlOf(session)
    await driver.enter({ kind: ref.kind, name: set }, ref.name, 2 * ttlMs)
    return { ...session, user: { set, untilMs: session.expiresAtMs + ttlMs } }
  }

  /**
   * Removes the session from sets of previous users. A parallel change may return the session to one of them: it adds the entry, this
   * function removes the entry, and then the change is written. The write at the end closes that gap. If the parallel change is written
   * first, this function adds the session again. Otherwise the compare-and-set of the parallel change fails, and that change adds the
   * session again.
   */
  const leave = async (
    ref: DocumentRef,
    sets: ReadonlySet<string>,
    document: StoredDocument<LibrarySession>,
  ): Promise<Saved<LibrarySession>> => {
    for (const name of sets) await driver.leave({ kind: ref.kind, name }, [ref.name])
    const enterAgain = async (stored: LibrarySession): Promise<LibrarySession> => {
      const set = setOf(stored)
      return set !== undefined && sets.has(set) ? enter(ref, withoutUser(stored)) : stored
    }
    return documents.change(ref, enterAgain, ttlOf, document)
  }

  /**
   * The change is stored, so its caller must not see a failure. The sets get the session back. An extra entry does no harm, but a session
   * that returned to a previous user meanwhile needs its entry.
   */
  const notLeft = async (ref: DocumentRef, sets: ReadonlySet<string>, ttlMs: number, error: unknown): Promise<void> => {
    events.emit('error', { code: isCoatcheckError(error) ? error.code : 'unknown', operation: 'document.leave' })
    const entering = [...sets].map((name) => driver.enter({ kind: ref.kind, name }, ref.name, ttlMs))
    await Promise.allSettled(entering)
  }

  /** The set in the record, if the application's function throws for this data. */
  const namedSetOf = (session: LibrarySession): string | undefined => {
    try {
      return setOf(session)
    } catch {
      return session.user?.set
    }
  }

  return {
    setOfUser,
    setOf,
    hasUser: (session) => namedSetOf(session) !== undefined,
    isOf: (session, { name }) => session.user?.set === name || namedSetOf(session) === name,
    enter,

    async change(ref, change, known) {
      /** An attempt that loses its race may have added the session to the set of another user. */
      const sets = new Set<string>()
      let replaced: LibrarySession['user']
      const entered = async (stored: LibrarySession): Promise<LibrarySession | null> => {
        replaced = stored.user
        const changed = change(stored)
        if (changed === null) return null
        const written = await enter(ref, changed)
        if (written !== changed && written.user) sets.add(written.user.set)
        return written
      }
      const changed = await documents.change(ref, entered, ttlOf, known)
      if (changed.status !== 'saved') return changed
      if (replaced) sets.add(replaced.set)
      const { user } = changed.document.value
      if (user) sets.delete(user.set)
      if (sets.size === 0) return changed
      try {
        const left = await leave(ref, sets, changed.document)
        // If the session has ended since, this change was saved before that end.
        return left.status === 'saved' ? left : changed
      } catch (error) {
        await notLeft(ref, sets, 2 * ttlOf(changed.document.value), error)
        return changed
      }
    },
  }
}

function withoutUser({ user: _user, ...session }: LibrarySession): LibrarySession {
  return session
}
