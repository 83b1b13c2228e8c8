/** Options of sessions as applications write them, and the settings that the code reads. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Duration } from '../core/duration.ts'

/** Options of the session cookie (RFC 6265). */
export interface CookieOptions {
  /** Name without prefix, at most 64 characters. On https, Coatcheck adds the prefix `__Host-`. Default `coatcheck`. */
  readonly name?: string
  /** The `SameSite` attribute. Default `lax`. */
  readonly sameSite?: 'lax' | 'strict'
}

/**
 * The result for a caller while the store does not answer. `fail`: an error, which the adapters answer with status 503. `stale`:
 * the session as this process last read or wrote it, within `session.staleFor`. `anonymous`: a session without a user.
 */
export type OutagePolicy = 'fail' | 'stale' | 'anonymous'

/**
 * Options of sessions. An invalid value is a `COATCHECK_CONFIG_INVALID`. A timeout below one hour must have a unit
 * (`'30 min'`), because a small number is most likely meant in seconds.
 */
export interface SessionOptions<D extends object> {
  /**
   * Ends a session that was not used for this time. Each use extends it. Default `8h`, or that of `preset`, but at most
   * `absoluteTimeout`.
   */
  readonly idleTimeout?: Duration
  /** Ends a session this time after its creation, in any case. At most 3,650 days. Default `24h`, or that of `preset`. */
  readonly absoluteTimeout?: Duration
  /**
   * Timeouts of NIST SP 800-63B-4. `aal1`: 30 days. `aal2`: 24 hours, 1 hour idle. `aal3`: 12 hours, 15 minutes idle. Explicit
   * timeouts win. Default: none.
   */
  readonly preset?: 'aal1' | 'aal2' | 'aal3'
  /**
   * Standard Schema of `session.data` (zod, valibot, arktype, …). It types the data and validates every write. It must be
   * synchronous and accept `{}`. Default: any JSON object.
   */
  readonly schema?: StandardSchemaV1<unknown, D>
  /** Version of the shape that `schema` describes, from 1. Data of an older version passes through `upcasts`. Default 1. */
  readonly schemaVersion?: number
  /**
   * Converts older data: `upcasts[n]` receives data of version n and returns version n + 1. Without gaps up to `schemaVersion`.
   * Default: none.
   */
  readonly upcasts?: Readonly<Record<number, (data: Record<string, unknown>) => Record<string, unknown>>>
  /**
   * Limits the sessions of one user, 1 to 10,000. A number alone has the action `end-oldest`. Default: no limit.
   */
  readonly maxPerUser?:
    | number
    | {
        /** Highest number of sessions, 1 to 10,000. */
        readonly max: number
        /**
         * What a sign-in above the limit does. `end-oldest` ends the session that would expire first. `refuse` refuses the sign-in with `COATCHECK_SESSION_LIMIT`.
         */
        readonly action: 'end-oldest' | 'refuse'
      }
  /** Largest size of the data as JSON, bytes. A larger write is refused with `COATCHECK_SESSION_TOO_LARGE`. Default 65,536. */
  readonly maxBytes?: number
  /**
   * What `getSession` returns during an outage of the store; each call may name another policy. Sessions of `stale` and `anonymous`
   * are read-only, and the cookie stays as it is. Default `fail`.
   */
  readonly onUnavailable?: OutagePolicy
  /** How long after its last verification a session may be `stale`. Default `60s` if `onUnavailable` is `stale`, else 0. */
  readonly staleFor?: Duration
  /** Options of the session cookie. */
  readonly cookie?: CookieOptions
}

export interface SessionLimit {
  readonly max: number
  readonly action: 'end-oldest' | 'refuse'
}

export interface ResolvedSession<D extends object> {
  readonly idleTimeoutMs: number
  readonly absoluteTimeoutMs: number
  readonly schema: StandardSchemaV1<unknown, D> | null
  readonly schemaVersion: number
  readonly upcasts: NonNullable<SessionOptions<D>['upcasts']>
  readonly limit: SessionLimit | null
  readonly maxBytes: number
  readonly onUnavailable: OutagePolicy
  /** 0: no session is kept for it. */
  readonly staleForMs: number
}
