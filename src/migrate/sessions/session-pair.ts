/**
 * Pairs a session of Coatcheck with the old session that it comes from. Both modes of `migrateFrom` share these steps.
 */
import type { Clock } from '../../core/clock.ts'
import { type LibrarySession, isCopy } from '../../documents/library-session-record.ts'
import type { EndingLink } from '../../documents/library-session-lists.ts'
import type { HandedOut, LibrarySessions } from '../../documents/library-sessions.ts'
import { decideWithoutOld, endOldFirst } from '../dual-read-rules.ts'
import type { OldPlace } from '../old-place.ts'
import type { OldSessionRecord, OldSessionRecords } from './old-session-records.ts'

export interface SessionPair {
  readonly old: OldSessionRecords
  readonly inner: LibrarySessions
  readonly clock: Clock
}

/** Returns whether the old record decides about this session. */
export function oldRecordDecides({ stored }: HandedOut): boolean {
  return isCopy(stored.value)
}

/** `null`: the session is independent. */
function placeIn({ stored: { value } }: HandedOut): OldPlace | null {
  return isCopy(value) && value.link !== undefined ? { key: value.link, place: value.place } : null
}

/** Returns the stored session with the data and the life of the old one. */
export function taken(stored: LibrarySession, { key: link, place, json, endsAtMs }: OldSessionRecord): LibrarySession {
  const { cookie: _replaced, ...kept } = stored
  return { ...kept, json, expiresAtMs: endsAtMs, link, place }
}

/**
 * Decides about a session whose old record was missing.
 * @returns the session, if it is independent; `null`: there is none, or its old record had ended it; `again`: the old record is back
 */
export async function findWithoutOld({ inner, old }: SessionPair, sid: string): Promise<HandedOut | 'again' | null> {
  const found = await decideWithoutOld({
    readOurs: () => inner.find(sid),
    copyOf: placeIn,
    here: { key: old.format.keyOf(sid), place: old.place },
    hasOld: async () => (await old.read(old.format.keyOf(sid))) !== null,
    endOurs: () => inner.end(sid),
    report: (outcome) => {
      old.report(outcome)
    },
  })
  if (found === null) old.report('missing')
  return found === 'ended' ? null : found
}

/** Returns the link to the old record of a session that ends here. */
function endingLink({ inner, old }: SessionPair, sid: string): EndingLink {
  return { key: old.format.keyOf(sid), isStored: async () => (await inner.find(sid)) !== null }
}

/** Removes the old record of a session that Coatcheck has ended. An old process or a late write may have left it behind. */
export async function endedHere(pair: SessionPair, sid: string): Promise<null> {
  const { old } = pair
  await old.end(endingLink(pair, sid))
  old.report('ended')
  return null
}

/** Returns the operations that both modes share: `end`, and for operators `all` and `clear`, over sessions and old records. */
export function pairedOperations(pair: SessionPair): Pick<LibrarySessions, 'end' | 'all' | 'clear'> & {
  readonly removedOld: (sid: string) => Promise<boolean>
} {
  const { inner, old, clock } = pair
  const removedOld = (sid: string): Promise<boolean> => old.end(endingLink(pair, sid))
  return {
    removedOld,

    end: (sid) =>
      endOldFirst(
        () => removedOld(sid),
        (alsoUnstored) => inner.end(sid, alsoUnstored),
      ),

    async *all() {
      yield* inner.all()
      for await (const { sid, old: session } of old.all()) {
        if (await inner.find(sid)) continue
        const { json, endsAtMs: expiresAtMs } = session
        const data = JSON.parse(json) as Record<string, unknown>
        yield { id: inner.idOf(sid), data, createdAtMs: clock.now(), expiresAtMs }
      }
    },

    async clear() {
      let removed = await inner.clear()
      for await (const { sid } of old.all()) if (await removedOld(sid)) removed++
      return removed
    },
  }
}
