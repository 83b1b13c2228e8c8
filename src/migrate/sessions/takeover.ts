/**
 * Takes a session over from its old record. Our record takes in the old data, stores which JSON it took, and is independent from then on.
 * Then the old record is removed, if it still contains exactly that JSON.
 *
 * This module reads our record before the old one, and changes ours only if it is still the same. So a slow process never takes in older data
 * after a faster process took in newer data. A crash after our record took the data in leaves the old record behind. It decides nothing, and
 * the next read of the session removes it.
 */
import { type LibrarySession, isCopy, mergedJson } from '../../documents/library-session-record.ts'
import type { HandedOut } from '../../documents/library-sessions.ts'
import { repeated } from '../dual-read-rules.ts'
import type { OldSessionRecord } from './old-session-records.ts'
import { endedHere, oldRecordDecides, type SessionPair, taken, findWithoutOld } from './session-pair.ts'

/** Returns whether the session is independent, and its old record may still exist. */
export function isTakenOver({ stored }: HandedOut): boolean {
  return stored.value.taken !== undefined
}

/**
 * Finds an independent session. It takes over any other session, and completes the takeover of a process that crashed.
 * @returns `null`: there is none
 */
export function findTakenOver(pair: SessionPair, sid: string): Promise<HandedOut | null> {
  return repeated('migrate.move', () => step(pair, sid))
}

async function step(pair: SessionPair, sid: string): Promise<HandedOut | 'again' | null> {
  const { inner, old } = pair
  const ours = await inner.find(sid)
  if (ours && !oldRecordDecides(ours) && !isTakenOver(ours)) return ours
  const session = await old.read(old.format.keyOf(sid))
  if (session === null) return ours && isTakenOver(ours) ? findIndependent(pair, sid) : findWithoutOld(pair, sid)
  if (session === 'unreadable') {
    if (ours && isTakenOver(ours)) return ours
    old.report('unreadable')
    return null
  }
  const moved = ours ? await takeIn(pair, ours, session) : await adopt(pair, sid, session)
  if (moved === 'ended') return endedHere(pair, sid)
  if (moved === 'again') return 'again'
  if (!(await old.records.remove(session.key, session.text))) return 'again'
  old.report('moved')
  return { ...moved, isUnlinked: true }
}

async function adopt(
  { inner, old }: SessionPair,
  sid: string,
  session: OldSessionRecord,
): Promise<HandedOut | 'ended' | 'again'> {
  const { key: link, place, json, endsAtMs } = session
  const adopted = await inner.adopt(sid, json, { endsAtMs, link, place, isMoved: true })
  if (adopted === 'ended') return 'ended'
  if (!adopted.isCreated) return 'again'
  old.reportAdoption(session)
  return adopted.session
}

async function takeIn(
  { inner }: SessionPair,
  ours: HandedOut,
  session: OldSessionRecord,
): Promise<HandedOut | 'ended' | 'again'> {
  const { json } = session
  const met = { isOther: false }
  const change = (stored: LibrarySession): LibrarySession | null => {
    met.isOther = false
    // The first takeover: our record cannot contain newer data.
    if (isCopy(stored)) return { ...taken(stored, session), taken: json }
    const before = stored === ours.stored.value ? stored.taken : undefined
    met.isOther = before === undefined
    if (before === undefined || before === json) return null
    const { cookie: _merged, ...kept } = stored
    return { ...kept, json: mergedJson({ json: before }, json, stored), taken: json }
  }
  const changed = await inner.amend(ours, change)
  return changed === 'gone' || met.isOther ? 'again' : changed
}

/**
 * Finds a session whose old record no longer exists. It reads our record again, because another process may have taken in more data since.
 * The next write of the session drops the link.
 */
async function findIndependent({ inner }: SessionPair, sid: string): Promise<HandedOut | 'again'> {
  const ours = await inner.find(sid)
  return ours && !oldRecordDecides(ours) ? { ...ours, ...(isTakenOver(ours) && { isUnlinked: true }) } : 'again'
}
