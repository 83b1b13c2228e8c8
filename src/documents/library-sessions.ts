/**
 * Sessions whose ids and life another library decides (express-session, @fastify/session, koa-session, …). They are found by that
 * library's id, of which only a keyed hash is stored. Changes are merged into the stored session. An ended session never comes
 * back. If the application names the users of its sessions, they are listed and ended by user.
 * A session enters its user's set before it is stored (`library-session-users.ts`), and ending it leaves a marker under its name. So the end
 * of all sessions of a user covers every stored session, and also each session that is about to be stored, which the marker then refuses.
 * A session that is about to change from another user to this one stays: its sign-in counts as the later event.
 */
import { ENDED_REMEMBERED_MS } from '../core/time-to-live.ts'
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { Random } from '../core/random.ts'
import type { DocumentRef } from './document-driver.ts'
import type { Documents, Saved, StoredDocument } from './documents.ts'
import { cookieOf, differsInEndOnly, mergedJson, type LibrarySession, withoutLink } from './library-session-record.ts'
import { createLibrarySessionLists, type LibrarySessionLists, type SessionLinks } from './library-session-lists.ts'
import { createLibrarySessionUsers, type UserIdOf } from './library-session-users.ts'
import type { JsonObject } from './json-merge.ts'

/** Requests that touch a session within this time need one write for all of them. */
const TOUCHED_TOGETHER_MS = 1000
const BIRTH_BYTES = 9

/** The session as the drop-in library received it. Its changes are computed from this copy. */
export interface HandedOut {
  readonly ref: DocumentRef
  readonly json: string
  /** Replaces the field `cookie` of `json`. The caller copies it before a change. */
  readonly cookie?: JsonObject
  stored: StoredDocument<LibrarySession>
  /** The text of the old record that `json` was read from. Absent: no old record exists, or it decides nothing. */
  readonly old?: string
  /** True: the old record is gone, and the next write drops the link to it. */
  readonly isUnlinked?: boolean
}

export interface LibrarySessions extends LibrarySessionLists {
  find(sid: string): Promise<HandedOut | null>
  /**
   * Stores the session that the drop-in library returns. With `known` it stores only the changes since then, and only if that same session
   * is still stored, not a later one of the same id. Without `known` it stores all data. It stores an ended session again only with
   * `isNew`.
   * @param json an object
   * @param options `isNew`: the library has just created the session, and this is its first write. It may replace a session of the same id
   *   that was ended before this call. If the new session is ended during this call, it stays ended. `absent`: stores only if no session of
   *   the id is stored or was ended.
   * @returns the session as it is known from now on; `null`: it was not stored, because the session has ended
   */
  save(
    sid: string,
    json: string,
    options: {
      readonly ttlMs: number
      readonly known?: HandedOut | null
      readonly isNew?: boolean | 'absent'
      /** The key of the old record that a new session is a copy of. */
      readonly link?: string
      /** The servers of that key. */
      readonly place?: string
      /**
       * The session that a new one may replace, as it was read; `null`: none was stored. If another one is stored by now, that one stays, and
       * `save` returns `null`. Absent: any.
       */
      readonly replaces?: HandedOut | null
    },
  ): Promise<HandedOut | null>
  /**
   * Creates a session from an old record, if none is stored.
   * @param endsAtMs end of the old record, epoch milliseconds. The time until the session is stored is part of its life.
   * @param isMoved true: the session is independent from the start
   * @returns the stored session; `isCreated` is false if a parallel request stored it first. `ended`: a session of this id was ended
   */
  adopt(
    sid: string,
    json: string,
    options: { readonly endsAtMs: number; readonly link: string; readonly place: string; readonly isMoved: boolean },
  ): Promise<{ readonly session: HandedOut; readonly isCreated: boolean } | 'ended'>
  /**
   * Changes the stored record itself.
   * @param change as for `Documents.change`. `null`: the record stays
   * @returns the stored session afterwards; `gone`: no session is stored; `ended`: it was ended
   */
  amend(
    known: HandedOut,
    change: (stored: LibrarySession) => LibrarySession | null,
  ): Promise<HandedOut | 'gone' | 'ended'>
  /**
   * Moves its end to `ttlMs` from now. Returns false if the session does not exist (any more).
   * @param cookie replaces the field `cookie` of the session; the other data is not changed
   */
  touch(sid: string, ttlMs: number, known?: HandedOut | null, cookie?: JsonObject): Promise<boolean>
  /**
   * Ends the session: a request that is still under way does not bring it back.
   * @param alsoUnstored leave the ended marker even if no session is stored
   */
  end(sid: string, alsoUnstored?: boolean): Promise<boolean>
  /** Returns the id of this session in `listByUser` and `revoke`. */
  idOf(sid: string): string
}

export function createLibrarySessions(deps: {
  readonly documents: Documents<LibrarySession>
  readonly kind: string
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  /** Absent: the application does not name the users of its sessions. A session then keeps the user of its record. */
  readonly userIdOf?: UserIdOf | undefined
  /** Absent: no session is linked to a record of another library. */
  readonly links?: SessionLinks | undefined
}): LibrarySessions {
  const { documents, kind, clock, random, events, links } = deps
  const { driver } = documents
  const users = createLibrarySessionUsers(documents, deps, deps.userIdOf)

  const live = async (ref: DocumentRef): Promise<StoredDocument<LibrarySession> | null> => {
    const stored = await documents.read(ref)
    return stored && stored.value.expiresAtMs > clock.now() ? stored : null
  }

  const handedOut = (ref: DocumentRef, stored: StoredDocument<LibrarySession>): HandedOut => {
    const { json, cookie } = stored.value
    return { ref, json, ...(cookie && { cookie }), stored }
  }

  const refused = (ref: DocumentRef): null => {
    events.emit('session.refused', { sessionId: ref.name, why: 'ended' })
    return null
  }

  /** Stores all data of a session that the library has created, or whose read is unknown here. */
  const create = async (
    ref: DocumentRef,
    json: string,
    options: {
      readonly expiresAtMs: number
      readonly ttlMs: number
      readonly isNew: boolean | 'absent'
      readonly old: Pick<LibrarySession, 'link' | 'place'>
      readonly replaces: HandedOut | null | undefined
    },
  ): Promise<HandedOut | null> => {
    const { expiresAtMs, ttlMs, isNew, old, replaces } = options
    const birth = random.bytes(BIRTH_BYTES).toString('base64url')
    const times = { createdAtMs: clock.now(), expiresAtMs }
    const created: LibrarySession = { json, ...times, birth, ...old }
    const hasUser = users.setOf(created) !== undefined
    // Before it enters the set: from then on, the end of all sessions of the user includes this session.
    if (isNew === true && hasUser) await driver.reopen(ref)
    const value = await users.enter(ref, created)
    const put = async (): Promise<Saved<LibrarySession>> => {
      const known = replaces?.stored
      const replace = (now: LibrarySession): LibrarySession | null => (now === known?.value ? value : null)
      const replaced = known && (await documents.change(ref, replace, () => ttlMs, known))
      if (replaced && replaced.status !== 'gone') return replaced
      const put = await documents.put(ref, value, { ttlMs, isNew: isNew === 'absent' || replaces !== undefined })
      // A record that does not open, or has expired, is no session.
      const isReplaceable = put.status === 'taken' && replaces !== undefined && (await live(ref)) === null
      return isReplaceable ? documents.put(ref, value, { ttlMs }) : put
    }
    let saved = await put()
    if (saved.status === 'ended' && isNew === true && !hasUser) {
      // It is in no set, so only an end of its own id can have left the marker, and that happened before this call.
      await driver.reopen(ref)
      saved = await put()
    }
    const isOther = saved.status === 'saved' ? saved.document.value !== value : saved.status === 'taken'
    if (isOther && replaces !== undefined) return null
    return saved.status === 'saved' ? { ref, json, stored: saved.document } : refused(ref)
  }

  /** Merges the changes since the read into the stored session. A later session of the same id stays as it is. */
  const saveChanges = async (
    ref: DocumentRef,
    json: string,
    expiresAtMs: number,
    known: HandedOut,
  ): Promise<HandedOut | null> => {
    const { birth } = known.stored.value
    const change = (stored: LibrarySession): LibrarySession | null => {
      if (stored.birth !== birth) return null
      const { cookie: _merged, ...kept } = known.isUnlinked ? withoutLink(stored) : stored
      return { ...kept, json: mergedJson(known, json, stored), expiresAtMs }
    }
    const changed = await users.change(ref, change, known.stored)
    const isSaved = changed.status === 'saved' && changed.document.value.birth === birth
    return isSaved ? { ref, json, stored: changed.document } : refused(ref)
  }

  return {
    ...createLibrarySessionLists({ documents, kind, clock, users, links }),

    async find(sid) {
      const ref = documents.refOf(sid)
      const stored = await live(ref)
      return stored && handedOut(ref, stored)
    },

    async save(sid, json, { ttlMs, known, isNew = false, link, place, replaces }) {
      const ref = documents.refOf(sid)
      const expiresAtMs = clock.now() + ttlMs
      if (known) return saveChanges(ref, json, expiresAtMs, known)
      const old = { ...(link !== undefined && { link }), ...(place !== undefined && { place }) }
      return create(ref, json, { expiresAtMs, ttlMs, isNew, old, replaces })
    },

    async adopt(sid, json, { endsAtMs: expiresAtMs, link, place, isMoved }) {
      const ref = documents.refOf(sid)
      // Without `birth`: every copy of one old record is the same session.
      const created = { json, createdAtMs: clock.now(), expiresAtMs, link, place, ...(isMoved && { taken: json }) }
      const value = await users.enter(ref, created)
      // An expired session may still be stored for a moment. The old record is still valid, so the session is too.
      const renew = (other: LibrarySession): LibrarySession | null =>
        other.expiresAtMs > clock.now() ? null : { ...value, createdAtMs: other.createdAtMs }
      // The last attempt replaces a record that does not open, such as one of a lost key.
      for (const isNew of [true, true, false]) {
        const ttlMs = Math.max(1, expiresAtMs - clock.now())
        const saved = await documents.put(ref, value, { ttlMs, isNew })
        if (saved.status === 'saved') return { session: handedOut(ref, saved.document), isCreated: true }
        if (saved.status !== 'taken') return 'ended'
        const stored = await documents.read(ref)
        const changed = stored && (await users.change(ref, renew, stored))
        if (changed?.status === 'saved') return { session: handedOut(ref, changed.document), isCreated: false }
        if (changed?.status === 'ended') return 'ended'
      }
      return 'ended'
    },

    async amend(known, change) {
      const changed = await users.change(known.ref, change, known.stored)
      if (changed.status === 'saved') return handedOut(known.ref, changed.document)
      return changed.status === 'ended' ? 'ended' : 'gone'
    },

    async touch(sid, ttlMs, known, cookie) {
      const ref = documents.refOf(sid)
      const stored = known?.stored ?? (await live(ref))
      if (!stored) return false
      const expiresAtMs = clock.now() + ttlMs
      const change = (value: LibrarySession): LibrarySession | null =>
        // A request in between has also moved the end.
        value.birth !== stored.value.birth ||
        (value !== stored.value &&
          value.expiresAtMs >= expiresAtMs - TOUCHED_TOGETHER_MS &&
          (cookie === undefined || differsInEndOnly(cookieOf(value), cookie)))
          ? null
          : { ...(known?.isUnlinked ? withoutLink(value) : value), expiresAtMs, ...(cookie && { cookie }) }
      const changed = await users.change(ref, change, stored)
      const isTouched = changed.status === 'saved' && changed.document.value.birth === stored.value.birth
      if (isTouched && known) known.stored = changed.document
      return isTouched
    },

    end: (sid, alsoUnstored = false) => driver.end(documents.refOf(sid), ENDED_REMEMBERED_MS, alsoUnstored),
    idOf: (sid) => documents.refOf(sid).name,
  }
}
