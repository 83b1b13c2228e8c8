/** Reads database sessions of Auth.js in the layout of @auth/upstash-redis-adapter: one key for the session, one for its user. */
import type { StoreFactory } from '../../stores/store.ts'
import { removeRecord } from '../remove-record.ts'
import { hydrated, removeName, type UpstashKeys, userIn } from '../upstash-records.ts'
import { type OldSessions, type OldSessionsContext, timeOf } from './old-sessions.ts'

/** @param store absent: the store of the instance */
export function upstashOldSessions(
  keys: UpstashKeys,
  store: StoreFactory | undefined,
  { oldRecords, now }: OldSessionsContext,
): OldSessions {
  return {
    async read(token) {
      const records = await oldRecords(store)
      const record = await records.read(keys.session(token))
      if (!record) return null
      const session = sessionIn(record.text, token)
      const endsAtMs = timeOf(session?.['expires'])
      if (session === null || endsAtMs === null) return 'unreadable'
      if (endsAtMs <= now()) return null
      const stored = await records.read(keys.user(session.userId))
      const user = stored && userIn(stored.text)
      return user ? { data: { session, user }, endsAtMs } : null
    },

    async end(token) {
      const records = await oldRecords(store)
      const isSession = (text: string): boolean => sessionIn(text, token) !== null
      const record = await removeRecord(records, keys.session(token), isSession)
      const session = record && sessionIn(record.text, token)
      // Removes the key that names the last session of the user, unless a later sign-in has replaced it.
      if (session) await removeName(records, keys.lastSession(session.userId), keys.session(token))
    },
  }
}

/** Reads a session. The value contains the token too, so a key of another kind never counts as a session. */
function sessionIn(text: string, token: string): Readonly<Record<string, unknown> & { userId: string }> | null {
  const session = hydrated(text)
  const userId = session?.['userId']
  return session?.['sessionToken'] === token && typeof userId === 'string' ? { ...session, userId } : null
}
