/**
 * Reads sessions that another library stores on a server, by the id from its cookie. `callbackSessions` uses the store that the application
 * configured for the old library. `recordSessions` reads the keys of that store directly.
 */
import type { StoreFactory } from '../../stores/store.ts'
import type { OldRecordDriver } from '../old-record-driver.ts'
import { removeRecord } from '../remove-record.ts'

/** A session of the old library. */
export interface OldSession {
  /** The data that the application stored, as the old library returns it. */
  readonly data: unknown
  /** When the old session ends unless the old library extends it, epoch milliseconds. `null`: no end is known. */
  readonly endsAtMs: number | null
  /**
   * The end that the old library has written, epoch milliseconds, where `endsAtMs` counts from this read. `null`: it has written none. Absent:
   * `endsAtMs`.
   */
  readonly writtenEndMs?: number | null
  /** When the old session began or its cookie was issued, epoch milliseconds. `null` or absent: the old library does not say. */
  readonly beganAtMs?: number | null
}

/** `unreadable`: the value is no session, and stays as it is. */
export type OldSessionRead = OldSession | 'unreadable' | null

/** Sessions of the old library, by the id from its cookie. */
export interface OldSessions {
  /** `null`: there is none, or it has ended. Rejects when the store cannot answer. */
  read(id: string): Promise<OldSessionRead>
  /** Ends the session. An absent session is no error. A value that is no session with this id stays as it is. */
  end(id: string): Promise<void>
}

/** A session store of express-session or @fastify/session, such as the `RedisStore` of connect-redis. */
export interface CallbackSessionStore {
  /** Reads a session. */
  get(id: string, callback: (error: unknown, session?: unknown) => void): unknown
  /** Ends a session. */
  destroy(id: string, callback: (error?: unknown) => void): unknown
  /** connect-redis: true if requests do not extend the TTL of the key. Absent: they do. */
  readonly disableTouch?: boolean
}

/** The parts that a bridge gives to the origin of its old sessions. */
export interface OldSessionsContext {
  /** Opens the old records. @param store absent: the store of the instance */
  readonly oldRecords: (store?: StoreFactory) => Promise<OldRecordDriver>
  /** The current time, epoch milliseconds. */
  readonly now: () => number
  /**
   * True: the library extends a session with each request by `store.touch()`, which changes the TTL of the key and leaves the stored
   * `cookie.expires`. So the end of the key decides. Default false.
   */
  readonly isTouched?: boolean
}

/** An origin of `coatcheck/migrate` that can read one session by its id. */
export interface OldSessionOrigin {
  /** Name of the library and format. */
  readonly name: string
  /** Libraries whose bridge can take it. `null`: all whose session is named by an id. Absent: the one of its name. */
  readonly libraries?: readonly string[] | null
  /** For bridges: the sessions of this origin. */
  openSessions(context: OldSessionsContext): OldSessions
}

export function isSessionOrigin(store: unknown): store is OldSessionOrigin {
  return typeof (store as Partial<OldSessionOrigin> | null | undefined)?.openSessions === 'function'
}

/** @param isTouched as in `OldSessionsContext` */
export function callbackSessions(store: CallbackSessionStore, now: () => number, isTouched = false): OldSessions {
  /** Requests move the TTL of the key, which the store does not tell. */
  const isEndHidden = isTouched && store.disableTouch !== true
  return {
    async read(id) {
      const data = await calledBack((done) => store.get(id, done)).catch(absentOrUnreadable)
      if (data === null || data === undefined) return null
      if (typeof data !== 'object') return 'unreadable'
      const writtenEndMs = cookieEndOf(data)
      const endsAtMs = isEndHidden ? touchedEndOf(data, now()) : writtenEndMs
      return endsAtMs !== null && endsAtMs <= now() ? null : { data, endsAtMs, ...(isEndHidden && { writtenEndMs }) }
    },
    async end(id) {
      await calledBack((done) => store.destroy(id, done))
    },
  }
}

/**
 * Turns a method with a callback into a promise. It also rejects if the method throws or rejects, because an asynchronous method may fail
 * without a call of its callback, and the request would wait forever.
 */
function calledBack(call: (done: (error?: unknown, value?: unknown) => void) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const returned = call((error, value) => {
      if (isNothing(error)) resolve(value)
      else reject(asError(error))
    })
    Promise.resolve(returned).catch((error: unknown) => reject(asError(error)))
  })
}

/** How an origin stores one session in one key. */
export interface RecordFormat {
  /** The old key of a session id. */
  readonly keyOf: (id: string) => string
  /**
   * Returns the session in a value, with the end that it states itself. The end of the key counts too. `null`: the value is no session
   * with this id, and is left alone.
   */
  readonly decode: (text: string, id: string) => OldSession | null
}

/** Returns sessions that are one text in Redis each. @param store absent: the store of the instance */
export function recordSessions(
  { keyOf, decode }: RecordFormat,
  store: StoreFactory | undefined,
  { oldRecords, now, isTouched = false }: OldSessionsContext,
): OldSessions {
  return {
    async read(id) {
      const record = await (await oldRecords(store)).read(keyOf(id))
      if (!record) return null
      const found = decode(record.text, id)
      if (found === null) return 'unreadable'
      const isKeyDeciding = isTouched && record.endsAtMs !== null
      const ends = [isKeyDeciding ? null : found.endsAtMs, record.endsAtMs].filter((end) => end !== null)
      const endsAtMs = ends.length === 0 ? null : Math.min(...ends)
      return endsAtMs !== null && endsAtMs <= now() ? null : { ...found, endsAtMs }
    },
    async end(id) {
      await removeRecord(await oldRecords(store), keyOf(id), (text) => decode(text, id) !== null)
    },
  }
}

/** Returns `cookie.expires` of express-session and @fastify/session as epoch milliseconds. It is a date, or its text from JSON. */
export function cookieEndOf(data: object): number | null {
  const { cookie } = data as { readonly cookie?: { readonly expires?: unknown } | null }
  return timeOf(cookie?.expires)
}

/** Returns the end that express-session gives to a session at this request: `cookie.originalMaxAge` from now on. */
function touchedEndOf(data: object, nowMs: number): number | null {
  const { cookie } = data as { readonly cookie?: { readonly originalMaxAge?: unknown } | null }
  const maxAgeMs = cookie?.originalMaxAge
  return typeof maxAgeMs === 'number' && Number.isFinite(maxAgeMs) ? nowMs + maxAgeMs : cookieEndOf(data)
}

/** Returns `session.createdAt` of better-auth as epoch milliseconds. */
export function beginOf(data: object): number | null {
  const { session } = data as { readonly session?: { readonly createdAt?: unknown } | null }
  return timeOf(session?.createdAt)
}

/** Converts a date or its ISO text to epoch milliseconds. `null`: the value is neither. */
export function timeOf(value: unknown): number | null {
  if (!(value instanceof Date) && typeof value !== 'string') return null
  const ms = new Date(value).getTime()
  return Number.isNaN(ms) ? null : ms
}

/** Maps the errors of stores: `ENOENT` means a missing session, a `SyntaxError` a value that is no JSON. Others are thrown again. */
function absentOrUnreadable(error: unknown): unknown {
  if ((error as { readonly code?: unknown }).code === 'ENOENT') return null
  if (error instanceof SyntaxError) return 'unreadable'
  throw error
}

function isNothing(error: unknown): error is null | undefined {
  return error === null || error === undefined
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('The old session store reported an error.', { cause: error })
}
