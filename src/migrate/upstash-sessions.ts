/** Shares the sessions of the old Auth.js adapter with old processes, by their token. */
import type { AuthJsSession, AuthJsUser, CoatcheckAuthJsAdapter } from '../drop-ins/authjs/types.ts'
import { definedOf, type StoredDates, toStored } from '../drop-ins/dated-json.ts'
import type { Documents } from '../documents/documents.ts'
import { createLateRemovals } from './late-removals.ts'
import { createSealedRecords } from './sealed-records.ts'
import type { OriginDeps, Report } from './origin.ts'
import type { MigrationMode } from './migration-mode.ts'
import { shareRecords } from './share-records.ts'
import { isAlive, type SharedRecordDeps, type SharedRecords } from './shared-records.ts'
import { nameIn, removeName, sessionIn, type UpstashKeys } from './upstash-records.ts'
import { writeText } from './write-text.ts'

type SessionMethods = Pick<
  CoatcheckAuthJsAdapter,
  | 'createSession'
  | 'getSessionAndUser'
  | 'updateSession'
  | 'deleteSession'
  | 'listSessionsByUser'
  | 'revokeSession'
  | 'revokeSessionsByUser'
>

/** Creates the shared sessions, and returns their parts for `upstashAdapter()`. */
export function shareSessions(
  { old, place, clock, closing }: OriginDeps,
  mode: MigrationMode,
  documents: Documents<StoredDates>,
  keys: UpstashKeys,
  report: Report,
): { readonly shared: SharedRecordDeps; readonly sessions: SharedRecords } {
  const sealed = createSealedRecords<StoredDates>({
    documents,
    clock,
    toValue(text) {
      const session = sessionIn(text)
      return session && toStored(session)
    },
    toText: ({ $dates: _names, ...fields }) => JSON.stringify(fields),
    setsOf: ({ userId }) => [documents.refOf(`user ${String(userId)}`)],
  })
  const late = createLateRemovals(closing)
  const shared: SharedRecordDeps = {
    ...{ sealed, old, place, late, clock, report },
    keyOf: keys.session,
    endOf: (text) => sessionIn(text)?.expires.getTime() ?? null,
    defaultTtlMs: () => 0,
  }
  return { shared, sessions: shareRecords(mode, shared) }
}

export function createUpstashSessions(deps: {
  readonly mode: MigrationMode
  readonly shared: SharedRecordDeps
  readonly sessions: SharedRecords
  readonly documents: Documents<StoredDates>
  readonly keys: UpstashKeys
  readonly ours: CoatcheckAuthJsAdapter
  readonly getUser: (id: string) => Promise<AuthJsUser | null>
}): SessionMethods {
  const { mode, shared, sessions, documents, keys, ours } = deps
  const { old, clock } = shared
  const life = ({ expires }: AuthJsSession): number => expires.getTime() - clock.now()

  const find = async (token: string): Promise<AuthJsSession | null> => {
    const text = await sessions.find(token)
    const session = text === null ? null : sessionIn(text)
    return session && life(session) > 0 ? session : null
  }

  /** Adopts the last session of a user, the only one that the old library lists. The adoption adds it to the user's set. */
  const findLast = async (userId: string): Promise<void> => {
    const record = await old.read(keys.lastSession(userId))
    const token = record && keys.tokenOf(nameIn(record.text))
    if (token) await sessions.find(token)
  }

  return {
    async createSession(session) {
      const ttlMs = life(session)
      if (ttlMs <= 0) return session
      const isStored = await sessions.store(session.sessionToken, JSON.stringify(session), ttlMs, true)
      if (mode === 'read' && isStored) {
        await writeText(old, keys.lastSession(session.userId), keys.session(session.sessionToken), null)
      }
      return session
    },

    async getSessionAndUser(token) {
      const session = await find(token)
      const user = session && (await deps.getUser(session.userId))
      return user && { session, user }
    },

    async updateSession(changes) {
      const text = await sessions.change(changes.sessionToken, (before) => {
        const session = sessionIn(before)
        if (!session) return null
        const next = { ...session, ...definedOf(changes) }
        return { text: JSON.stringify(next), ttlMs: Math.max(1, life(next)) }
      })
      return text === null ? null : sessionIn(text)
    },

    async deleteSession(token) {
      const session = await find(token)
      await sessions.end(token)
      if (session) await removeName(old, keys.lastSession(session.userId), keys.session(token))
      return session
    },

    async listSessionsByUser(userId) {
      await findLast(userId)
      const listed = await ours.listSessionsByUser(userId)
      const alive = await Promise.all(listed.map(({ id }) => isAlive({ documents, old }, id)))
      return listed.filter((_session, i) => alive[i])
    },

    revokeSession: (id) => ours.revokeSession(id),

    async revokeSessionsByUser(userId, options) {
      await findLast(userId)
      return ours.revokeSessionsByUser(userId, options)
    },
  }
}
