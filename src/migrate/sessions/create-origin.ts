/**
 * Creates an origin of sessions from a format, a mode and a store of old records. `sessions-in-read-mode.ts` and `sessions-in-move-mode.ts`
 * implement the modes.
 */
import { cookieEndOf, type OldSession, recordSessions } from '../bridges/old-sessions.ts'
import { createLateRemovals } from '../late-removals.ts'
import { keysMadeBy } from '../old-keys.ts'
import { placeOf } from '../old-place.ts'
import type { OriginOptions } from '../origin-options.ts'
import { readJson } from '../read-json.ts'
import type { SessionFormat, SessionOrigin } from '../session-origin.ts'
import { createSessionsInReadMode } from './sessions-in-read-mode.ts'
import { createSessionsInMoveMode } from './sessions-in-move-mode.ts'
import { createOldSessionRecords } from './old-session-records.ts'

export function createOrigin(format: SessionFormat, { mode = 'read', store }: OriginOptions): SessionOrigin {
  const made = keysMadeBy(format.keyOf, (text) => format.decode(text) !== null)
  // With any JSON under any key, nothing distinguishes a session from the records of another application.
  const keys = made?.prefix === '' && !format.isRecognizable ? null : made
  return {
    name: format.name,
    libraries: format.libraries,
    mode,
    openSessions(context) {
      const decode = (text: string): OldSession | null => {
        const json = format.decode(text)
        const data = json === null ? null : readJson(json)
        return data && { data, endsAtMs: cookieEndOf(data) }
      }
      return recordSessions({ keyOf: format.keyOf, decode }, store, context)
    },
    ...(store && { store }),
    ...(keys && { keys }),
    async attach({ store: ours, clock, events, loopback, defaultTtlMs }) {
      const opened = store?.open({ prefix: '', clock, events, loopback }) ?? null
      const records = await (opened ?? ours).oldRecords()
      const ends: (() => Promise<void>)[] = []
      const late = createLateRemovals((end) => ends.push(end))
      const place = placeOf(ours, opened)
      const old = createOldSessionRecords({ format, records, place, clock, events, defaultTtlMs, late })
      return {
        links: old,
        over(inner) {
          const pair = { inner, old, clock }
          return mode === 'move' ? createSessionsInMoveMode(pair) : createSessionsInReadMode(pair)
        },
        async close() {
          for (const end of ends) await end()
          await opened?.close()
        },
      }
    },
  }
}
