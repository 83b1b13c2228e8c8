/**
 * `coatcheck/koa-session`: a store for koa-session 7. Parallel requests keep each other's changes, a destroyed session stays
 * destroyed, ids are hashed and values sealed, and a user's sessions can be listed and ended. docs/koa-session.md lists the limits of the
 * contract. This module does not load koa-session.
 */
import { boundedLifeMs } from '../../core/time-to-live.ts'
import type { HandedOut } from '../../documents/library-sessions.ts'
import type { JsonObject } from '../../documents/json-merge.ts'
import { createDropInSessions, type DropInSessions, DropInStore, type SessionStoreOptions } from '../drop-in-store.ts'

export type { LibrarySessionInfo, SessionStoreOptions, UserSessions } from '../drop-in-store.ts'

/** What koa-session passes with each call. */
export interface KoaStoreCall {
  /** Context of the request. */
  readonly ctx?: unknown
  /** Whether the life starts again at each response. */
  readonly rolling?: boolean | undefined
  /** Whether the session changed. */
  readonly changed?: boolean | undefined
}

/**
 * A session store for koa-session 7 on Redis: sealed, with compare and set, and with an index of each user's sessions. During an outage
 * it reports a `RedisError`, never a missing session.
 */
export class CoatcheckStore extends DropInStore {
  readonly #dropIn: DropInSessions
  /** By the context of the request. */
  readonly #known = new WeakMap<object, HandedOut>()
  /** The session that a request (`ctx`) could not create: a second write of the same request does not create it either. */
  readonly #refused = new WeakMap<object, string>()

  /**
   * Creates a store. It checks the shapes of the options; environment, keys and connection wait for the first use.
   * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
   */
  constructor(options: SessionStoreOptions = {}) {
    const dropIn = createDropInSessions('koa-session', options)
    super(dropIn)
    this.#dropIn = dropIn
  }

  /** Returns a copy of the session's data. `undefined`: there is no session. */
  async get(key: string, _maxAge?: unknown, { ctx }: KoaStoreCall = {}): Promise<Record<string, unknown> | undefined> {
    const known = await (await this.#dropIn.open()).find(key)
    if (!known) return undefined
    if (isObject(ctx)) this.#known.set(ctx, known)
    return JSON.parse(known.json) as Record<string, unknown>
  }

  /**
   * Stores a session in one atomic step, merged with the changes of parallel requests. A session that has ended is not stored again.
   * @param maxAge milliseconds, at most ten years. `'session'`, absent or no number: the option `ttl`
   */
  async set(key: string, session: object, maxAge?: unknown, { ctx }: KoaStoreCall = {}): Promise<void> {
    const sessions = await this.#dropIn.open()
    const json = JSON.stringify(session)
    const ttlMs = this.#dropIn.ttlMsOf(session as JsonObject) ?? boundedLifeMs(maxAge, this.#dropIn.defaultTtlMs)
    if (ttlMs <= 0) return this.destroy(key)
    const handedOut = isObject(ctx) ? this.#known.get(ctx) : undefined
    // The application may have regenerated the session within the request: then it has another id.
    const name = sessions.idOf(key)
    const known = handedOut?.ref.name === name ? handedOut : null
    // A request that read no session of this id creates one. A late write comes from a request that did read one.
    const isNew = isObject(ctx) && !known && this.#refused.get(ctx) !== name
    const saved = await sessions.save(key, json, { ttlMs, known, isNew })
    if (!isObject(ctx)) return
    if (saved) this.#known.set(ctx, saved)
    else this.#refused.set(ctx, name)
  }

  /** Ends a session in one atomic step. A session that does not exist is no error. */
  async destroy(key: string, { ctx }: KoaStoreCall = {}): Promise<void> {
    await (await this.#dropIn.open()).end(key)
    // `regenerate()`: from now on, a write of this request creates a session, also under the same id.
    if (isObject(ctx)) this.#known.delete(ctx)
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
