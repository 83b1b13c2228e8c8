/** Mode `move`: no old process runs. The first read of a session takes it over. From then on, a lookup is one read of our record. */
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
      // The library did not read this object from Coatcheck, so its id may be the id of an old session.
      if (saved && !known && isNew === false) await removedOld(sid)
      return saved
    },
  }
}
