/** Database sessions of Auth.js in the layout of @auth/upstash-redis-adapter: a session and its user are two keys. */
import type { StoreFactory } from '../../store.ts'
import { hydrated, type UpstashKeys, userIn } from '../upstash-records.ts'
import { type OldSessions, type OldSessionsGround, timeOf } from './old-sessions.ts'

/** @param store absent: the store of the instance */
export function upstashOldSessions(
  keys: UpstashKeys,
  store: StoreFactory | undefined,
  { oldRecords, now }: OldSessionsGround,
): OldSessions {
  return {
    async read(token) {
      const records = await oldRecords(store)
      const record = await records.read(keys.session(token))
      if (!record) return null
      const session = hydrated(record.text)
      const endsAtMs = timeOf(session?.['expires'])
      // The token stands in the value too: a key of another kind never passes for a session.
      if (session?.['sessionToken'] !== token || typeof session['userId'] !== 'string' || endsAtMs === null) {
        return 'unreadable'
      }
      if (endsAtMs <= now()) return null
      const stored = await records.read(keys.user(session['userId']))
      const user = stored && userIn(stored.text)
      return user ? { data: { session, user }, endsAtMs } : null
    },

    async end(token) {
      const records = await oldRecords(store)
      const record = await records.read(keys.session(token))
      await records.remove(keys.session(token))
      const userId = record && hydrated(record.text)?.['userId']
      // The name of the last session of the user, unless a later sign-in has replaced it.
      if (typeof userId === 'string') await records.remove(keys.lastSession(userId), keys.session(token))
    },
  }
}
