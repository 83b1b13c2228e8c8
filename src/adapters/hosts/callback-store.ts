/**
 * The store that express-session and @fastify/session agree on: `get`, `set`, `destroy` with callbacks. What a session object
 * was handed out as is remembered with the object, so that a later `set` stores its changes and not all of it.
 */
import type { Clock } from '../../core/clock.ts'
import type { HandedOut, HostSessions } from '../../documents/host-sessions.ts'
import type { JsonObject } from '../../documents/json-merge.ts'
import { lifeOf } from './cookie-life.ts'

export type Callback<T = void> = (error: unknown, result?: T) => void

export interface CallbackStoreDeps {
  readonly open: () => Promise<HostSessions>
  readonly userIdOf: (data: JsonObject) => string | null | undefined
  readonly defaultTtlMs: number
  readonly clock: Clock
  /** What the session object was handed out as; `undefined` for one that is new to us. */
  readonly knownOf: (session: object) => HandedOut | undefined
  readonly remember: (session: object, known: HandedOut) => void
}

export interface CallbackStore {
  /** A copy that is the caller's. */
  get(sid: string): Promise<Record<string, unknown> | null>
  set(sid: string, session: object): Promise<void>
  touch(sid: string, session: object): Promise<void>
  destroy(sid: string): Promise<void>
}

export function createCallbackStore(deps: CallbackStoreDeps): CallbackStore {
  const { open, clock } = deps
  const knownFor = (sessions: HostSessions, sid: string, session: object): HandedOut | undefined => {
    const known = deps.knownOf(session)
    // A host may carry an object over to a new id; what it was handed out as belongs to the old one.
    return known?.ref.name === sessions.idOf(sid) ? known : undefined
  }
  const lifeFrom = (session: object): number => lifeOf(session, clock.now(), deps.defaultTtlMs)

  return {
    async get(sid) {
      const known = await (await open()).find(sid)
      if (!known) return null
      const session = JSON.parse(known.json) as Record<string, unknown>
      deps.remember(session, known)
      return session
    },

    async set(sid, session) {
      const sessions = await open()
      const json = JSON.stringify(session)
      const ttlMs = lifeFrom(session)
      if (ttlMs <= 0) {
        await sessions.end(sid)
        return
      }
      const known = knownFor(sessions, sid, session) ?? null
      const saved = await sessions.save(sid, json, { ttlMs, userId: deps.userIdOf(session as JsonObject), known })
      // Not stored, because it has ended: for the host that is no error, the session is over either way.
      if (saved) deps.remember(session, saved)
    },

    async touch(sid, session) {
      const sessions = await open()
      await sessions.touch(sid, Math.max(1, lifeFrom(session)), knownFor(sessions, sid, session) ?? null)
    },

    async destroy(sid) {
      await (await open()).end(sid)
    },
  }
}

/** Calls back once, outside of the promise, so that what a callback throws is its own. */
export function callBack<T>(work: Promise<T>, callback: Callback<T> | undefined): void {
  work.then(
    (result) => {
      if (callback) process.nextTick(callback, null, result)
    },
    (error: unknown) => {
      if (callback) process.nextTick(callback, error)
    },
  )
}
