/** Mode `move`: no old process is left. Each session is taken over at its first read; from then on it is one record of ours, and one read. */
import type { LibrarySessions } from '../../documents/library-sessions.ts'
import { pairedOperations, type SessionPair } from './session-pair.ts'
import { findTakenOver } from './takeover.ts'

export function createSessionsInMoveMode(pair: SessionPair): LibrarySessions {
  const { inner } = pair
  const { removedOld, ...paired } = pairedOperations(pair)
  return {
    ...inner,
    ...paired,
    find: (sid) => findTakenOver(pair, sid),

    async save(sid, json, options) {
      const { known, isNew = false } = options
      if (!known && isNew === 'absent' && (await findTakenOver(pair, sid))) return null
      const saved = await inner.save(sid, json, options)
      // The object was not read here, and its id may be that of an old session.
      if (saved && !known && isNew === false) await removedOld(sid)
      return saved
    },
  }
}
