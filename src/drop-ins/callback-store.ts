/**
 * The store contract that express-session and @fastify/session share: `get`, `set`, `destroy` with callbacks. The store remembers the state
 * in which it handed out each session object, so that a later `set` stores only the changes.
 */
import type { Clock } from '../core/clock.ts'
import type { HandedOut, LibrarySessions } from '../documents/library-sessions.ts'
import type { JsonObject } from '../documents/json-merge.ts'
import { lifeOf } from './cookie-life.ts'

export type Callback<T = void> = (error: unknown, result?: T) => void

type Session = Record<string, unknown>

export interface CallbackStoreDeps {
  readonly open: () => Promise<LibrarySessions>
  readonly defaultTtlMs: number
  /** TTL that the application sets for this data, in milliseconds. `undefined`: the TTL of the cookie. */
  readonly ttlMsOf: (data: JsonObject) => number | undefined
  readonly clock: Clock
  /** The state in which the session object was handed out; `undefined` for an unknown object. */
  readonly knownOf: (session: object) => HandedOut | undefined
  readonly remember: (session: object, known: HandedOut) => void
}

export interface CallbackStore {
  /** Returns a copy that the caller owns. */
  get(sid: string): Promise<Session | null>
  /**
   * @param isNew true if the library has just created the session, see `LibrarySessions.save`; `absent`: only if no session is stored under
   * the id. Default false: unknown
   */
  set(sid: string, session: object, isNew?: boolean | 'absent'): Promise<void>
  touch(sid: string, session: object): Promise<void>
  destroy(sid: string): Promise<void>
}

export function createCallbackStore(deps: CallbackStoreDeps): CallbackStore {
  const { open, clock } = deps
  const knownFor = (sessions: LibrarySessions, sid: string, session: object): HandedOut | undefined => {
    const known = deps.knownOf(session)
    // A library may move an object to a new id. Its handed-out state belongs to the old id.
    return known?.ref.name === sessions.idOf(sid) ? known : undefined
  }
  const lifeFrom = (session: object): number =>
    deps.ttlMsOf(session as JsonObject) ?? lifeOf(session, clock.now(), deps.defaultTtlMs)

  return {
    async get(sid) {
      const known = await (await open()).find(sid)
      if (!known) return null
      const session = JSON.parse(known.json) as Session
      if (known.cookie) session['cookie'] = { ...known.cookie }
      deps.remember(session, known)
      return session
    },

    async set(sid, session, isNew = false) {
      const sessions = await open()
      const json = JSON.stringify(session)
      const ttlMs = lifeFrom(session)
      if (ttlMs <= 0) {
        await sessions.end(sid)
        return
      }
      const known = knownFor(sessions, sid, session) ?? null
      const saved = await sessions.save(sid, json, { ttlMs, known, isNew: known === null ? isNew : false })
      // If the session has ended, it is not stored. For the library that is not an error, because the session is over either way.
      if (saved) deps.remember(session, saved)
    },

    async touch(sid, session) {
      const sessions = await open()
      const { cookie } = JSON.parse(JSON.stringify({ cookie: (session as Session)['cookie'] })) as {
        cookie?: JsonObject
      }
      const ttlMs = Math.max(1, lifeFrom(session))
      await sessions.touch(sid, ttlMs, knownFor(sessions, sid, session) ?? null, cookie)
    },

    async destroy(sid) {
      await (await open()).end(sid)
    },
  }
}

/**
 * Calls the callback once, outside of the promise, so that an exception of the callback does not reject it. Without a callback it returns
 * the promise. Libraries ignore both (`request.session.destroy()`), so a rejection that no caller awaits never ends the process.
 */
export function callBack<T>(work: Promise<T>, callback: Callback<T> | undefined): Promise<T> | undefined {
  work.then(
    (result) => {
      if (callback) process.nextTick(callback, null, result)
    },
    (error: unknown) => {
      if (callback) process.nextTick(callback, error)
    },
  )
  return callback ? undefined : work
}
