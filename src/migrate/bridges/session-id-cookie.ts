/** Verifies cookies with a signed session id. The data of the session is in a store of express-session or @fastify/session. */
import type { BridgeContext } from '../cookie-bridge.ts'
import type { Verify } from './bridge.ts'
import { callbackSessions, type CallbackSessionStore, isSessionOrigin, type OldSessionOrigin } from './old-sessions.ts'
import { requireStore } from './options.ts'

/**
 * @param library as origins name it
 * @param isTouched as in `OldSessionsContext`
 * @param idIn returns the id in a cookie with a valid signature, otherwise `null`
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` if `store` is no store
 */
export function idVerifier(
  store: CallbackSessionStore | OldSessionOrigin,
  caller: string,
  library: string,
  isTouched: boolean,
  idIn: (value: string) => string | null,
): (context: BridgeContext) => Verify {
  requireStore(store, library, ['get', 'destroy'], caller)
  return ({ clock, oldRecords }) => {
    const now = (): number => clock.now()
    const sessions = isSessionOrigin(store)
      ? store.openSessions({ oldRecords, now, isTouched })
      : callbackSessions(store, now, isTouched)
    return ({ value }) => {
      const id = idIn(value)
      if (id === null || id === '') return null
      return { identity: id, endsAtMs: null, load: () => sessions.read(id), end: () => sessions.end(id) }
    }
  }
}
