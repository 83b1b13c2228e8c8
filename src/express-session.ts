/**
 * `coatcheck/express-session`: a store for express-session 1, in place of connect-redis and its like. Parallel requests keep
 * each other's changes, a destroyed session stays destroyed, ids are hashed and values sealed, and a user's sessions can be
 * listed and ended. What that contract cannot give is in docs/express-session.md.
 */
import './core/node-version.ts'
import session, { type SessionData } from 'express-session'
import { type Callback, callBack, type CallbackStore, createCallbackStore } from './adapters/hosts/callback-store.ts'
import { systemClock } from './core/clock.ts'
import type { Events } from './core/events.ts'
import type { HandedOut } from './documents/host-sessions.ts'
import {
  createHostedSessions,
  type HostedSessions,
  type HostSessionInfo,
  type SessionStoreOptions,
  type UserSessions,
} from './hosted-sessions.ts'

export type { HostSessionInfo, SessionStoreOptions, UserSessions } from './hosted-sessions.ts'

type Request = Parameters<session.Store['createSession']>[0]

/**
 * A session store for express-session 1 on Redis: sealed, with compare and set, and with an index of each user's sessions. During an outage
 * it reports a `RedisError`, never a missing session.
 */
export class CoatcheckStore extends session.Store implements UserSessions {
  readonly #hosted: HostedSessions
  readonly #store: CallbackStore
  readonly #known = new WeakMap<object, HandedOut>()

  /**
   * Creates a store. It checks the shapes of the options; environment, keys and connection wait for the first use.
   * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
   */
  constructor(options: SessionStoreOptions = {}) {
    super()
    this.#hosted = createHostedSessions('express-session', options)
    this.#store = createCallbackStore({
      open: this.#hosted.open,
      userIdOf: this.#hosted.userIdOf,
      defaultTtlMs: this.#hosted.defaultTtlMs,
      clock: systemClock,
      knownOf: (object) => this.#known.get(object),
      remember: (object, known) => void this.#known.set(object, known),
    })
  }

  /** The events of this store. */
  get events(): Events {
    return this.#hosted.events
  }

  /** Reads a session; without one the callback gets nothing, never an error. */
  override get(sid: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    callBack(this.#store.get(sid) as Promise<SessionData | null>, callback)
  }

  /** Stores a session. Changes of parallel requests are merged; a session that has ended is not stored again. */
  override set(sid: string, session: SessionData, callback?: (error?: unknown) => void): void {
    callBack(this.#store.set(sid, session), callback)
  }

  override touch(sid: string, session: SessionData, callback?: () => void): void {
    callBack(this.#store.touch(sid, session), callback as Callback | undefined)
  }

  /** Ends a session in one atomic step. A session that does not exist is no error. */
  override destroy(sid: string, callback?: (error?: unknown) => void): void {
    callBack(this.#store.destroy(sid), callback)
  }

  /** Creates the session object of a request. Called by express-session with the data that `get` returned. */
  override createSession(request: Request, data: SessionData): session.Session & SessionData {
    const known = this.#known.get(data)
    const created = super.createSession(request, data)
    if (known) this.#known.set(created, known)
    return created
  }

  /** Reads the data of all sessions, in batches. Ids are stored as hashes only, so the result has none. */
  override all(callback: (error: unknown, sessions?: SessionData[] | null) => void): void {
    const collect = async (): Promise<SessionData[]> => {
      const sessions: SessionData[] = []
      for await (const { data } of (await this.#hosted.open()).all()) sessions.push(data as unknown as SessionData)
      return sessions
    }
    callBack(collect(), callback)
  }

  override length(callback: (error: unknown, length?: number) => void): void {
    const count = async (): Promise<number> => {
      let length = 0
      for await (const session of (await this.#hosted.open()).all()) if (session.id !== '') length++
      return length
    }
    callBack(count(), callback)
  }

  override clear(callback?: (error?: unknown) => void): void {
    callBack(
      this.#hosted.open().then((sessions) => sessions.clear()),
      callback as Callback<number> | undefined,
    )
  }

  idOf(sid: string): Promise<string> {
    return this.#hosted.idOf(sid)
  }

  listByUser(userId: string): Promise<HostSessionInfo[]> {
    return this.#hosted.listByUser(userId)
  }

  revoke(id: string): Promise<boolean> {
    return this.#hosted.revoke(id)
  }

  revokeByUser(userId: string, options?: { readonly except?: string }): Promise<number> {
    return this.#hosted.revokeByUser(userId, options)
  }

  close(): Promise<void> {
    return this.#hosted.close()
  }
}
