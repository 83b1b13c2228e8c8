/**
 * `coatcheck/express-session`: a store for express-session 1 that replaces connect-redis and similar stores. Parallel requests keep each other's
 * changes, a destroyed session stays destroyed, ids are hashed and values sealed, and a user's sessions can be listed and ended.
 * docs/express-session.md lists the limits of the contract.
 */
import session, { type SessionData } from 'express-session'
import { callBack, type Callback, type CallbackStore, createCallbackStore } from '../../drop-ins/callback-store.ts'
import { systemClock } from '../../core/clock.ts'
import { withBulkAccess } from '../bulk-access.ts'
import type { Events } from '../../core/events.ts'
import type { HandedOut } from '../../documents/library-sessions.ts'
import {
  createDropInSessions,
  type DropInSessions,
  type LibrarySessionInfo,
  type SessionStoreOptions,
  type UserSessions,
} from '../drop-in-store.ts'

export type { LibrarySessionInfo, SessionStoreOptions, UserSessions } from '../drop-in-store.ts'

type Request = Parameters<session.Store['createSession']>[0]

/**
 * A session store for express-session 1 on Redis: sealed, with compare and set, and with an index of each user's sessions. During an outage
 * it reports a `RedisError`, never a missing session.
 */
export class CoatcheckStore extends session.Store implements UserSessions {
  readonly #dropIn: DropInSessions
  readonly #store: CallbackStore
  readonly #known = new WeakMap<object, HandedOut>()
  /** Session objects that express-session has created and not written yet. */
  readonly #fresh = new WeakSet()

  /**
   * Creates a store. It checks the shapes of the options; environment, keys and connection wait for the first use.
   * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
   */
  constructor(options: SessionStoreOptions = {}) {
    super()
    this.#dropIn = createDropInSessions('express-session', options)
    withBulkAccess(this, this.#dropIn.bulk)
    this.#store = createCallbackStore({
      open: this.#dropIn.open,
      defaultTtlMs: this.#dropIn.defaultTtlMs,
      ttlMsOf: this.#dropIn.ttlMsOf,
      clock: systemClock,
      knownOf: (object) => this.#known.get(object),
      remember: (object, known) => void this.#known.set(object, known),
    })
    this.#watchGenerate()
  }

  /** The events of this store. */
  get events(): Events {
    return this.#dropIn.events
  }

  /* eslint-disable @typescript-eslint/no-misused-promises -- the library ignores what its store returns; other callers wait for it */
  /** Reads a session. If there is none, the callback gets nothing, never an error. Without a callback, every method returns a promise. */
  override get(sid: string): Promise<SessionData | null>
  override get(sid: string, callback: (error: unknown, session?: SessionData | null) => void): void
  override get(sid: string, callback?: Callback<SessionData | null>): Promise<SessionData | null> | undefined {
    return callBack(this.#store.get(sid) as Promise<SessionData | null>, callback)
  }

  /** Stores a session. Changes of parallel requests are merged; a session that has ended is not stored again. */
  override set(sid: string, session: SessionData): Promise<void>
  override set(sid: string, session: SessionData, callback?: (error?: unknown) => void): void
  override set(sid: string, session: SessionData, callback?: Callback): Promise<void> | undefined {
    const isNew = this.#fresh.delete(session)
    const write = this.#store.set(sid, session, isNew)
    // If the write fails, the next write of the object is the first one that arrives.
    if (isNew) write.catch(() => this.#fresh.add(session))
    return callBack(write, callback)
  }

  /** Moves the end of a session to that of its cookie, and stores the cookie. */
  override touch(sid: string, session: SessionData): Promise<void>
  override touch(sid: string, session: SessionData, callback?: () => void): void
  override touch(sid: string, session: SessionData, callback?: Callback): Promise<void> | undefined {
    return callBack(this.#store.touch(sid, session), callback)
  }

  /** Ends a session in one atomic step. A session that does not exist is no error. */
  override destroy(sid: string): Promise<void>
  override destroy(sid: string, callback?: (error?: unknown) => void): void
  override destroy(sid: string, callback?: Callback): Promise<void> | undefined {
    return callBack(this.#store.destroy(sid), callback)
  }

  /** Creates the session object of a request. Called by express-session with the data that `get` returned. */
  override createSession(request: Request, data: SessionData): session.Session & SessionData {
    const known = this.#known.get(data)
    const created = super.createSession(request, data)
    if (known) this.#known.set(created, known)
    return created
  }

  /** Reads the data of all sessions, in batches. Ids are stored as hashes only, so the result has none. */
  override all(): Promise<SessionData[]>
  override all(callback: (error: unknown, sessions?: SessionData[] | null) => void): void
  override all(callback?: Callback<SessionData[]>): Promise<SessionData[]> | undefined {
    const collect = async (): Promise<SessionData[]> => {
      const sessions: SessionData[] = []
      for await (const { data } of (await this.#dropIn.open()).all()) sessions.push(data as unknown as SessionData)
      return sessions
    }
    return callBack(collect(), callback)
  }

  /** Counts the live sessions. It scans all sessions. */
  override length(): Promise<number>
  override length(callback: (error: unknown, length?: number) => void): void
  override length(callback?: Callback<number>): Promise<number> | undefined {
    const count = async (): Promise<number> => {
      let length = 0
      for await (const session of (await this.#dropIn.open()).all()) if (session.id !== '') length++
      return length
    }
    return callBack(count(), callback)
  }

  /** Removes all sessions. */
  override clear(): Promise<void>
  override clear(callback?: (error?: unknown) => void): void
  override clear(callback?: Callback): Promise<void> | undefined {
    const clear = async (): Promise<void> => {
      await (await this.#dropIn.open()).clear()
    }
    return callBack(clear(), callback)
  }
  /* eslint-enable @typescript-eslint/no-misused-promises */

  idOf(sid: string): Promise<string> {
    return this.#dropIn.idOf(sid)
  }

  listByUser(userId: string): Promise<LibrarySessionInfo[]> {
    return this.#dropIn.listByUser(userId)
  }

  revoke(id: string): Promise<boolean> {
    return this.#dropIn.revoke(id)
  }

  revokeByUser(userId: string, options?: { readonly except?: string }): Promise<number> {
    return this.#dropIn.revokeByUser(userId, options)
  }

  close(): Promise<void> {
    return this.#dropIn.close()
  }

  /**
   * express-session assigns `generate` to its store, and calls it for each new session, also in `req.session.regenerate()`. The first
   * write of such an object may replace an ended session of the same id. A late write of the ended session may not.
   */
  #watchGenerate(): void {
    let generate: ((request: Request) => void) | undefined
    Object.defineProperty(this, 'generate', {
      configurable: true,
      enumerable: true,
      get: () => generate,
      set: (assigned: (request: Request) => void) => {
        generate = (request) => {
          assigned(request)
          this.#fresh.add(request.session)
        }
      },
    })
  }
}
