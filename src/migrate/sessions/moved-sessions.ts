/**
 * Mode `move`: no old process is left. A session is taken over at its first read: our record takes the old data in and stands alone from then
 * on, and then the old record is removed. A crash in between leaves an old record that decides nothing; the link to it stays until it
 * is gone, so the end of the session still finds it.
 */
import { type HostSession, isMirror, mergedJson } from '../../documents/host-session-record.ts'
import type { HandedOut, HostSessions } from '../../documents/host-sessions.ts'
import type { OldSession } from './old-sessions.ts'
import { endedHere, isLinked, pairedOperations, repeated, type SessionPair, taken, withoutOld } from './session-pair.ts'

export function createMovedSessions(pair: SessionPair): HostSessions {
  const { inner, old, clock } = pair
  const { format, records } = old
  const { removedOld, ...paired } = pairedOperations(pair)

  /** Removes the old record of a session that stands alone. A `read` process may have changed it: its changes are taken in first. */
  const removeOld = async (sid: string, ours: HandedOut, session: OldSession): Promise<HandedOut | null> => {
    let [current, moved] = [session, ours]
    return repeated('migrate.move', async () => {
      const isRemoved = await records.remove(current.key, current.text)
      const now = isRemoved ? null : await old.read(current.key)
      if (isRemoved) old.tell('moved')
      if (now === null || now === 'unreadable') return { ...moved, isUnlinked: true }
      const change = (stored: HostSession): HostSession => {
        const { cookie: _merged, ...kept } = stored
        return { ...kept, json: mergedJson({ json: current.json }, now.json, stored) }
      }
      const changed = await inner.amend(moved, change)
      if (changed === 'ended') return endedHere(pair, sid)
      if (changed === 'gone') return null
      current = now
      moved = changed
      return 'again'
    })
  }

  /** Our record takes the old session in, unless another process has done that. */
  const takeIn = (ours: HandedOut, session: OldSession): Promise<HandedOut | 'gone' | 'ended'> =>
    inner.amend(ours, (stored) => (isMirror(stored) ? { ...taken(stored, session, clock.now()), isMoved: true } : null))

  const adopt = async (sid: string, session: OldSession): Promise<HandedOut | 'ended'> => {
    const { key: link, json, ttlMs } = session
    const adopted = await inner.adopt(sid, json, { ttlMs, link, isMoved: true })
    if (adopted === 'ended') return adopted
    if (adopted.isCreated) old.tellAdoption(session)
    return adopted.session
  }

  const findOnce = async (sid: string): Promise<HandedOut | 'again' | null> => {
    const ours = await inner.find(sid)
    if (ours && !isLinked(ours)) {
      if (ours.stored.value.link === undefined) return ours
      await old.end(ours.stored.value.link)
      return { ...ours, isUnlinked: true }
    }
    const session = await old.read(format.keyOf(sid))
    if (session === null) return withoutOld(pair, sid)
    if (session === 'unreadable') {
      old.tell('unreadable')
      return null
    }
    const moved = ours ? await takeIn(ours, session) : await adopt(sid, session)
    if (moved === 'ended') return endedHere(pair, sid)
    // Gone, or a `read` process has adopted it at the same time.
    return moved === 'gone' || isLinked(moved) ? 'again' : removeOld(sid, moved, session)
  }

  return {
    ...inner,
    ...paired,
    find: (sid) => repeated('migrate.find', () => findOnce(sid)),

    async save(sid, json, options) {
      const saved = await inner.save(sid, json, options)
      // The object was not read here, and its id may be that of an old session.
      if (!options.known && options.isNew !== true) await removedOld(sid)
      return saved
    },
  }
}
