/**
 * `coatcheck/fastify-session`: a store for @fastify/session 11. Parallel requests keep each other's changes, a destroyed session
 * stays destroyed, ids are hashed and values sealed, and a user's sessions can be listed and ended. docs/fastify-session.md lists the limits
 * of the contract. This module does not load the plugin.
 */
import { callBack, type Callback, type CallbackStore, createCallbackStore } from '../../drop-ins/callback-store.ts'
import { systemClock } from '../../core/clock.ts'
import type { HandedOut } from '../../documents/library-sessions.ts'
import { createDropInSessions, DropInStore, type SessionStoreOptions } from '../drop-in-store.ts'

export type { LibrarySessionInfo, SessionStoreOptions, UserSessions } from '../drop-in-store.ts'

/**
 * The plugin creates its own session object from the result of `get`, and passes no request by which the store could recognize it. But it copies
 * the result of the cookie's `toJSON`, with symbols, to the options of that object. So the store puts its state there.
 */
const KNOWN = Symbol('coatcheck.handed-out')

/** Replaces the handed-out state if the session could not be read. */
const UNREAD = Symbol('coatcheck.unread')

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the application augments the session's type, which the store contract names
type FastifySessionObject = any

/**
 * A session store for @fastify/session 11 on Redis: sealed, with compare and set, and with an index of each user's sessions. During an outage
 * it reports a `RedisError`, never a missing session.
 */
export class CoatcheckStore extends DropInStore {
  readonly #store: CallbackStore
  readonly #known = new WeakMap<object, HandedOut>()
  /** Session objects that a call of `set` has stored, or is about to store. */
  readonly #written = new WeakSet()

  /**
   * Creates a store. It checks the shapes of the options; environment, keys and connection wait for the first use.
   * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
   */
  constructor(options: SessionStoreOptions = {}) {
    const dropIn = createDropInSessions('fastify-session', options)
    super(dropIn)
    this.#store = createCallbackStore({
      open: dropIn.open,
      defaultTtlMs: dropIn.defaultTtlMs,
      ttlMsOf: dropIn.ttlMsOf,
      clock: systemClock,
      knownOf: (session) => {
        const known = this.#known.get(session) ?? knownInside(session)
        return known === UNREAD ? undefined : known
      },
      remember: (session, known) => {
        this.#known.set(session, known)
        leaveInside(session, known)
      },
    })
  }

  /** Reads a session. If there is none, the callback gets nothing, never an error. Without a callback, every method returns a promise. */
  get(sid: string): Promise<FastifySessionObject>
  get(sid: string, callback: (error: unknown, session?: FastifySessionObject) => void): void
  get(sid: string, callback?: Callback<FastifySessionObject>): Promise<FastifySessionObject> | undefined {
    return callBack(this.#store.get(sid), returningErrors(callback, unreadSession))
  }

  /** Stores a session. Changes of parallel requests are merged; a session that has ended is not stored again. */
  set(sid: string, session: FastifySessionObject): Promise<void>
  set(sid: string, session: FastifySessionObject, callback: (error?: unknown) => void): void
  set(sid: string, session: FastifySessionObject, callback?: Callback): Promise<void> | undefined {
    const object = session as object
    const isNew = !this.#written.has(object) && isMadeByPlugin(object, this)
    const write = this.#store.set(sid, object, knownInside(object) === UNREAD ? 'absent' : isNew)
    if (isNew) {
      this.#written.add(object)
      // If the write fails, the next write of the object is the first one that arrives.
      write.catch(() => this.#written.delete(object))
    }
    return callBack(write, returningErrors(callback))
  }

  /** Ends a session in one atomic step. A session that does not exist is no error. */
  destroy(sid: string): Promise<void>
  destroy(sid: string, callback: (error?: unknown) => void): void
  destroy(sid: string, callback?: Callback): Promise<void> | undefined {
    return callBack(this.#store.destroy(sid), callback)
  }
}

/**
 * Calls back again, with an error, if the callback throws. The rest of the request runs inside the callback of the plugin: if a handler
 * sends a reply twice, Fastify throws there. With the error in hand, Fastify logs it, as it does for an asynchronous hook. An
 * exception that leaves the callback ends the process.
 * @param failed the result beside an error
 */
function returningErrors<T>(callback: Callback<T> | undefined, failed?: () => T): Callback<T> | undefined {
  if (!callback) return undefined
  return (error, result) => {
    try {
      callback(error, error ? failed?.() : result)
    } catch (cause) {
      // A new error, because the plugin would misread a `code` of the exception, such as ENOENT.
      const text = cause instanceof Error ? cause.message : String(cause)
      callback(new Error(`The request failed inside the callback of the session store: ${text}`, { cause }), failed?.())
    }
  }
}

/**
 * The result beside an error. `session.reload()` creates an empty session object under the same id even then, and the plugin saves it. The store
 * must recognize this object, or it would replace the stored session.
 */
function unreadSession(): FastifySessionObject {
  return { cookie: { toJSON: () => ({ [KNOWN]: UNREAD }) } }
}

/** JSON, `for … in` and comparisons ignore the property. It is only on results of `get`; the plugin's own objects stay unchanged. */
function leaveInside(session: object, known: HandedOut): void {
  if (!isPlain(session)) return
  const { cookie } = session as { readonly cookie?: object | null }
  const toJSON = { value: () => ({ ...cookie, [KNOWN]: known }), enumerable: false }
  if (cookie === undefined)
    Object.defineProperty(session, 'cookie', { value: Object.defineProperty({}, 'toJSON', toJSON) })
  else if (cookie && !('toJSON' in cookie)) Object.defineProperty(cookie, 'toJSON', toJSON)
}

/**
 * Returns whether the plugin created this session object for a new session of this store. Such an object has no state of `get`, so its first
 * write is no late write of an ended session.
 */
function isMadeByPlugin(session: object, store: object): boolean {
  if (isPlain(session)) return false
  return Object.getOwnPropertySymbols(session).some((key) => (session as Record<symbol, unknown>)[key] === store)
}

function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype
}

function knownInside(session: object): HandedOut | typeof UNREAD | undefined {
  for (const symbol of Object.getOwnPropertySymbols(session)) {
    const value = (session as Readonly<Record<symbol, unknown>>)[symbol]
    if (typeof value === 'object' && value !== null && KNOWN in value) return value[KNOWN] as HandedOut | typeof UNREAD
  }
  return undefined
}
