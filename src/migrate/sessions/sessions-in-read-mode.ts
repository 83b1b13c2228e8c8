/**
 * Mode `read`: old processes may still run. The old record decides whether a session exists and what it contains. Ours is a sealed copy with a
 * link to it. Each change is first a compare and set on the old record. After a crash before the copy is written, the next read adopts the
 * old record.
 */
import { isDeepStrictEqual } from 'node:util'
import { type LibrarySession, isCopy, mergedJson } from '../../documents/library-session-record.ts'
import type { HandedOut, LibrarySessions } from '../../documents/library-sessions.ts'
import { repeated } from '../dual-read-rules.ts'
import type { OldSessionRecord } from './old-session-records.ts'
import { findTakenOver, isTakenOver } from './takeover.ts'
import {
  endedHere,
  oldRecordDecides,
  pairedOperations,
  type SessionPair,
  taken,
  findWithoutOld,
} from './session-pair.ts'

export function createSessionsInReadMode(pair: SessionPair): LibrarySessions {
  const { inner, old, clock } = pair
  const { format, records, place } = old
  const { removedOld: _only, ...paired } = pairedOperations(pair)

  const copyOf =
    (session: OldSessionRecord) =>
    (stored: LibrarySession): LibrarySession | null =>
      isCopy(stored) ? taken(stored, session) : null

  const lifeOf = ({ endsAtMs }: OldSessionRecord): number => Math.max(1, endsAtMs - clock.now())

  /** Adopts the old session, or brings the copy to its data. @returns the session for the library */
  const takeInto = async (
    sid: string,
    ours: HandedOut | null,
    session: OldSessionRecord,
  ): Promise<HandedOut | 'again' | null> => {
    if (!ours) {
      const { key: link, place, json, endsAtMs } = session
      const adopted = await inner.adopt(sid, json, { endsAtMs, link, place, isMoved: false })
      if (adopted === 'ended') return endedHere(pair, sid)
      if (adopted.isCreated) old.reportAdoption(session)
      return adopted.isCreated ? { ...adopted.session, old: session.text } : takeInto(sid, adopted.session, session)
    }
    // A `move` process has begun to take the session over.
    if (!oldRecordDecides(ours)) return isTakenOver(ours) ? findTakenOver(pair, sid) : ours
    const isSame = isSameJson(ours.json, session.json)
    // The old keys have moved to another address, with this session: from now on, the copy names the new one.
    if (isSame && ours.stored.value.place === session.place) {
      old.report('unchanged')
      return { ...ours, old: session.text }
    }
    const synced = await inner.amend(ours, copyOf(session))
    if (synced === 'ended') return endedHere(pair, sid)
    if (synced === 'gone' || !oldRecordDecides(synced)) return 'again'
    old.report(isSame ? 'unchanged' : 'synced')
    return { ...synced, old: session.text }
  }

  const findOnce = async (sid: string): Promise<HandedOut | 'again' | null> => {
    const [ours, session] = await Promise.all([inner.find(sid), old.read(format.keyOf(sid))])
    if (session === null) return findWithoutOld(pair, sid)
    if (session !== 'unreadable') return takeInto(sid, ours, session)
    if (ours && !oldRecordDecides(ours)) return ours
    old.report('unreadable')
    return null
  }
  const find = (sid: string): Promise<HandedOut | null> => repeated('migrate.find', () => findOnce(sid))

  /**
   * Writes the changes into the old record.
   * @returns the old session as written; what `findWithoutOld` returns, if it is missing
   */
  const writeOld = async (
    sid: string,
    json: string,
    known: HandedOut,
    ttlMs: number,
  ): Promise<OldSessionRecord | HandedOut | null> => {
    const key = format.keyOf(sid)
    const endsAtMs = clock.now() + ttlMs
    let current: OldSessionRecord | 'unreadable' | null =
      known.old === undefined ? await old.read(key) : old.parse(key, { text: known.old, endsAtMs })
    return repeated('migrate.save', async () => {
      current ??= await old.read(key)
      if (current === 'unreadable') return null
      if (current) {
        const merged = mergedJson(known, json, { json: current.json })
        const text = format.encode(merged)
        const written = await records.replace(key, current.text, text, ttlMs)
        if (written.status === 'written') return { key, place, text, json: merged, endsAtMs, hasExpiry: true }
        current = null
        if (written.status === 'changed') {
          // A request of this session must not change a later session of the same id.
          const now = await inner.find(sid)
          if (now && now.stored.value.birth !== known.stored.value.birth) return null
          current = old.parse(key, written.current)
          return 'again'
        }
      }
      return findWithoutOld(pair, sid)
    })
  }

  /** Brings the copy to the data of the old record, also if another process has changed that record since. */
  const updateCopy = async (
    sid: string,
    json: string,
    known: HandedOut,
    written: OldSessionRecord,
  ): Promise<HandedOut | null> => {
    let session = written
    let ours = known
    return repeated('migrate.copy', async () => {
      const copied = await inner.amend(ours, copyOf(session))
      if (copied === 'ended') return endedHere(pair, sid)
      if (copied === 'gone') {
        const { key: link, endsAtMs } = session
        const adopted = await inner.adopt(sid, session.json, { endsAtMs, link, place, isMoved: false })
        if (adopted === 'ended') return endedHere(pair, sid)
        ours = adopted.session
        return 'again'
      }
      // A process in mode `move` has taken it over in between, so these changes go into our record.
      if (!oldRecordDecides(copied)) return inner.save(sid, json, { ttlMs: lifeOf(session), known })
      const now = await old.read(session.key)
      if (now === 'unreadable' || now?.text === session.text) return { ...copied, json, old: session.text }
      ours = copied
      if (now) {
        session = now
        return 'again'
      }
      const alone = await findWithoutOld(pair, sid)
      return alone === null || alone === 'again' ? alone : inner.save(sid, json, { ttlMs: lifeOf(session), known })
    })
  }

  /** @returns whether the old record contains this text. False: the key holds another value, which stays */
  const createOld = (key: string, text: string, ttlMs: number, mayReplace: boolean): Promise<boolean> =>
    repeated('migrate.create', async () => {
      let written = await records.create(key, text, ttlMs)
      if (written.status === 'changed') {
        if (!mayReplace || old.parse(key, written.current) === 'unreadable') return false
        written = await records.replace(key, written.current.text, text, ttlMs)
        return written.status === 'written' || 'again'
      }
      return written.status === 'written'
    })

  const create = async (
    sid: string,
    json: string,
    options: { readonly ttlMs: number; readonly isNew?: boolean | 'absent' },
  ): Promise<HandedOut | null> => {
    const link = format.keyOf(sid)
    const text = format.encode(json)
    let before = await inner.find(sid)
    old.begin(link)
    // Writes the old record first: after a crash, the next read adopts the session.
    const isLinkable = await createOld(link, text, options.ttlMs, options.isNew !== 'absent')
    if (!isLinkable) return options.isNew === 'absent' ? null : inner.save(sid, json, options)
    return repeated('migrate.create', async () => {
      const saved = await inner.save(sid, json, {
        ...options,
        link,
        place,
        ...(options.isNew !== 'absent' && { replaces: before }),
      })
      if (saved) return { ...saved, old: text }
      const now = await inner.find(sid)
      if (now && !oldRecordDecides(now)) {
        // A process in mode `move` has taken the new old record over. A copy would point to a key that is gone.
        if (!before || oldRecordDecides(before)) return inner.save(sid, json, { ttlMs: options.ttlMs, known: now })
      }
      if (!now || options.isNew === 'absent') {
        await records.remove(link, text)
        return null
      }
      before = now
      return 'again'
    })
  }

  return {
    ...inner,
    ...paired,
    find,

    async save(sid, json, options) {
      const { known, ttlMs } = options
      if (!known) return create(sid, json, options)
      if (!oldRecordDecides(known)) return inner.save(sid, json, options)
      const written = await writeOld(sid, json, known, ttlMs)
      if (written === null) return null
      if ('stored' in written) return inner.save(sid, json, options)
      return updateCopy(sid, json, known, written)
    },

    async touch(sid, ttlMs, known, cookie) {
      const ours = known ?? (await find(sid))
      if (!ours) return false
      if (!oldRecordDecides(ours)) return inner.touch(sid, ttlMs, known, cookie)
      const key = format.keyOf(sid)
      const found = await repeated('migrate.touch', async () =>
        (await records.expire(key, ttlMs)) ? ours : findWithoutOld(pair, sid),
      )
      if (!found) return false
      if (await inner.touch(sid, ttlMs, known, cookie)) return true
      // The copy has expired, or it was ended here. A read finds out which.
      return (await find(sid)) !== null
    },
  }
}

function isSameJson(one: string, other: string): boolean {
  return one === other || isDeepStrictEqual(JSON.parse(one), JSON.parse(other))
}
