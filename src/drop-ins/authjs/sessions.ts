/** Sessions of Auth.js. A session enters its user's set before it is stored, so that ending all sessions of the user includes it. */
import { ENDED_REMEMBERED_MS } from '../../core/time-to-live.ts'
import type { Clock } from '../../core/clock.ts'
import { type DocumentRef, isDocumentName } from '../../documents/document-driver.ts'
import type { Documents } from '../../documents/documents.ts'
import { endAll, readMembers } from '../../documents/set-members.ts'
import { listOwned, ownedBy, readAs } from './owned.ts'
import type { AuthJsAdapter, AuthJsSession, AuthJsSessions, AuthJsUser } from './types.ts'
import { definedOf, fromStored, type StoredDates, toStored } from '../dated-json.ts'

type SessionMethods = Pick<AuthJsAdapter, 'createSession' | 'getSessionAndUser' | 'updateSession' | 'deleteSession'>

export function createAuthJsSessions(
  sessions: Documents<StoredDates>,
  getUser: (id: string) => Promise<AuthJsUser | null>,
  clock: Clock,
): SessionMethods & AuthJsSessions {
  const life = ({ expires }: { readonly expires: Date }): number => expires.getTime() - clock.now()
  const liveSessions = async (userId: string): Promise<AuthJsSession[]> =>
    (await listOwned<AuthJsSession>(sessions, userId)).filter((session) => life(session) > 0)

  const endSession = (ref: DocumentRef): Promise<boolean> => sessions.driver.end(ref, ENDED_REMEMBERED_MS)
  const endSessionsOf = async (userId: string, exceptToken?: string): Promise<number> => {
    const set = ownedBy(sessions, userId)
    const except = exceptToken === undefined ? undefined : sessions.refOf(exceptToken).name
    const members = await readMembers(sessions, set, { except })
    // A repeated token may now belong to another user.
    const own = members.filter(({ value }) => (value?.['userId'] ?? userId) === userId)
    const ended = await endAll(
      sessions.driver,
      own.map(({ ref }) => ref),
    )
    await sessions.driver.leave(
      set,
      members.map(({ ref }) => ref.name),
    )
    return ended
  }

  return {
    async createSession(session) {
      const ref = sessions.refOf(session.sessionToken)
      const ttlMs = life(session)
      // Auth.js calls this for new sessions only, so an ended session of the same token does not block it.
      await sessions.driver.reopen(ref)
      // Entered before it is stored, so that the end of all sessions of the user includes this one.
      await sessions.driver.enter(ownedBy(sessions, session.userId), ref.name, Math.max(1, ttlMs))
      if (ttlMs > 0) await sessions.put(ref, toStored(session), { ttlMs })
      return session
    },

    async getSessionAndUser(sessionToken) {
      const session = await readAs<AuthJsSession>(sessions, sessions.refOf(sessionToken))
      if (!session || life(session) <= 0) return null
      const user = await getUser(session.userId)
      return user && { session, user }
    },

    async updateSession(changes) {
      const ref = sessions.refOf(changes.sessionToken)
      const changed = await sessions.change(
        ref,
        (value) => toStored({ ...fromStored(value), ...definedOf(changes) }),
        (value) => Math.max(1, life(fromStored<AuthJsSession>(value))),
      )
      if (changed.status !== 'saved') return null
      const session = fromStored<AuthJsSession>(changed.document.value)
      await sessions.driver.enter(ownedBy(sessions, session.userId), ref.name, Math.max(1, life(session)))
      return session
    },

    async deleteSession(sessionToken) {
      const ref = sessions.refOf(sessionToken)
      const session = await readAs<AuthJsSession>(sessions, ref)
      await endSession(ref)
      if (session) await sessions.driver.leave(ownedBy(sessions, session.userId), [ref.name])
      return session
    },

    listSessionsByUser: async (userId) =>
      (await liveSessions(userId)).map(({ sessionToken, expires }) => ({
        id: sessions.refOf(sessionToken).name,
        expires,
      })),
    revokeSession: async (id) => isDocumentName(id) && endSession({ kind: ownedBy(sessions, '').kind, name: id }),
    revokeSessionsByUser: (userId, { exceptSessionToken } = {}) => endSessionsOf(userId, exceptSessionToken),
  }
}
