/** Sessions of a drop-in library: the part that the entries for express-session, @fastify/session and koa-session share. */
import { ownOptions } from '../config/shape.ts'
import { systemClock } from '../core/clock.ts'
import { refuse } from '../config/refusal.ts'
import { type Duration, parseDurationMs } from '../core/duration.ts'
import { MisuseError } from '../core/errors.ts'
import { EventBus, type Events } from '../core/events.ts'
import { systemRandom } from '../core/random.ts'
import { describeValue } from '../core/redact.ts'
import { boundedLifeMs } from '../core/time-to-live.ts'
import { createDocuments } from '../documents/documents.ts'
import { librarySessionCodec } from '../documents/library-session-record.ts'
import type { LibrarySessionInfo } from '../documents/library-session-lists.ts'
import { createLibrarySessions, type LibrarySessions } from '../documents/library-sessions.ts'
import { type BulkAccess, bulkAccess, withBulkAccess } from './bulk-access.ts'
import { countReads } from './drop-in-origin.ts'
import { createDropInRuntime, documentDeps, type DropInOptions } from './drop-in-runtime.ts'
import type { AttachedOrigin, SessionOrigin } from '../migrate/session-origin.ts'

const DEFAULT_TTL_MS = 24 * 3_600_000

export type { LibrarySessionInfo } from '../documents/library-session-lists.ts'

/** Options of `CoatcheckStore`. */
export interface SessionStoreOptions extends DropInOptions {
  /**
   * Life of a session whose cookie ends with the browser. At most 3,650 days. A number counts milliseconds, and must be one day or more.
   * The `ttl` of connect-redis counts seconds: write it as `ttlSeconds`. Default `24h`.
   */
  readonly ttl?: Duration
  /**
   * The `ttl` of connect-redis, in seconds: the life of a session whose cookie ends with the browser. A function returns the life for the
   * data of a session. It decides for every session, whatever the cookie says. 0 or less ends the session. Default: `ttl`.
   */
  readonly ttlSeconds?: number | ((data: Readonly<Record<string, unknown>>) => number)
  /**
   * Returns the user id that the data of a session names. `null` or `undefined`: no user. Needed to list and end the sessions of a user.
   * It gets the data as stored: what `JSON.stringify` keeps, merged with the changes of parallel requests. Default: sessions have no user.
   */
  readonly userId?: (data: Readonly<Record<string, unknown>>) => string | null | undefined
  /**
   * The origin of the sessions in the library's old store, which stay valid: `connectRedis()`, `koaSessionStore()` or `jsonSessions()` of
   * `coatcheck/migrate`. Default: none.
   */
  readonly migrateFrom?: SessionOrigin
}

/**
 * Lists and ends the sessions of a user, which the contract of the other library does not offer. Methods reject with a `RedisError` during an
 * outage.
 */
export interface UserSessions {
  /** Events of this store. */
  readonly events: Events
  /** Returns the id for `revoke` that belongs to a session id of the other library. It is no secret: it opens nothing. */
  idOf(sid: string): Promise<string>
  /** Lists the live sessions of a user with their data. Empty: none. Needs the option `userId`. */
  listByUser(userId: string): Promise<LibrarySessionInfo[]>
  /** Ends one session by an id of `listByUser` or `idOf`, in one atomic step. A write under way does not bring it back. False: it had ended before. */
  revoke(id: string): Promise<boolean>
  /**
   * Ends the sessions of a user.
   * @param options `except`: the id of a session that stays, from `listByUser` or `idOf`
   * @returns the number of sessions that ended
   */
  revokeByUser(userId: string, options?: { readonly except?: string }): Promise<number>
  /** Closes the connection. Calls afterwards are refused with `COATCHECK_CLOSED`. */
  close(): Promise<void>
}

export interface DropInSessions extends UserSessions {
  /** For `coatcheck migrate`. */
  readonly bulk: BulkAccess
  open(): Promise<LibrarySessions>
  readonly defaultTtlMs: number
  /** The life that the function `ttlSeconds` returns for this data, in milliseconds; `undefined` without a function. */
  ttlMsOf(data: Readonly<Record<string, unknown>>): number | undefined
}

/** @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`: shapes only */
export function createDropInSessions(kind: string, given: SessionStoreOptions): DropInSessions {
  const options = ownOptions('CoatcheckStore()', given)
  const events = new EventBus()
  const { userId, ttl, ttlSeconds, migrateFrom } = options
  if (ttl !== undefined && ttlSeconds !== undefined)
    throw refuse({ option: 'CoatcheckStore().ttlSeconds' }, 'got it beside ttl, expected one of the two')
  checkOrigin(kind, migrateFrom)
  const defaultTtlMs = typeof ttlSeconds === 'number' ? ttlSeconds * 1000 : (parseDurationMs(ttl) ?? DEFAULT_TTL_MS)
  let attached: AttachedOrigin | undefined
  const dropIn = createDropInRuntime(options, events, async (runtime, config, closing) => {
    const { store } = runtime
    const clock = systemClock
    if (migrateFrom) await countReads(migrateFrom, runtime, config, events, closing)
    attached = await migrateFrom?.attach({ store, clock, events, loopback: config.loopback, defaultTtlMs })
    const sessions = createLibrarySessions({
      documents: createDocuments(documentDeps(runtime, config, events), kind, librarySessionCodec),
      kind,
      clock,
      random: systemRandom,
      events,
      userIdOf: userId,
      links: attached?.links,
    })
    return attached?.over(sessions) ?? sessions
  })
  return {
    events,
    bulk: bulkAccess(dropIn, {
      origin: migrateFrom,
      events,
      knowsUsers: userId !== undefined,
      adopt: (made, sid) => made.find(sid),
      closed: () => attached?.close(),
    }),
    open: dropIn.open,
    async close() {
      await dropIn.close()
      await attached?.close()
    },
    defaultTtlMs,
    ttlMsOf: (data) => (typeof ttlSeconds === 'function' ? msOfSeconds(ttlSeconds(data)) : undefined),
    idOf: async (sid) => (await dropIn.open()).idOf(sid),
    listByUser: async (user) => (await dropIn.open()).listByUser(user),
    revoke: async (id) => (await dropIn.open()).revoke(id),
    revokeByUser: async (user, { except } = {}) => (await dropIn.open()).revokeByUser(user, { except }),
  }
}

/** @throws {ConfigError} `COATCHECK_CONFIG_INVALID` for sessions of a library that this store is not for */
function checkOrigin(kind: string, origin: SessionOrigin | undefined): void {
  if (!origin?.libraries || origin.libraries.includes(kind)) return
  const stores = origin.libraries.map((library) => `coatcheck/${library}`).join(' and ')
  const complaint = `got old sessions of ${origin.name}, which only the store of ${stores} can read, not that of coatcheck/${kind}`
  throw refuse({ option: 'CoatcheckStore().migrateFrom' }, complaint)
}

function msOfSeconds(seconds: unknown): number {
  if (typeof seconds === 'number' && Number.isFinite(seconds)) return boundedLifeMs(seconds * 1000, 0)
  throw new MisuseError(
    'COATCHECK_INVALID_ARGUMENT',
    `"ttlSeconds" must return a number of seconds; it returned ${describeValue(seconds)}.`,
  )
}

/** Base class of the stores whose library needs no base class of its own. Each subclass adds the contract of its library. */
export class DropInStore implements UserSessions {
  readonly #dropIn: DropInSessions

  constructor(dropIn: DropInSessions) {
    this.#dropIn = dropIn
    withBulkAccess(this, dropIn.bulk)
  }

  get events(): Events {
    return this.#dropIn.events
  }

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
}
