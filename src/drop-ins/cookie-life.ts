/** Reads the life of a session of express-session or @fastify/session from its cookie, in milliseconds. */
import { boundedLifeMs } from '../core/time-to-live.ts'

interface SessionCookie {
  readonly expires?: unknown
  readonly originalMaxAge?: unknown
  /** A plain object may have only this field. In the libraries' own cookies, it is the time left until `expires`. */
  readonly maxAge?: unknown
}

/**
 * Returns milliseconds from now, at most ten years; 0 or less if the session is over. As in the libraries' own stores, a cookie whose
 * `expires` is empty, `false` or not a date does not end the session: `originalMaxAge` counts then, otherwise `maxAge`, otherwise
 * `fallbackMs`.
 */
export function lifeOf(session: object, nowMs: number, fallbackMs: number): number {
  const { cookie } = session as { readonly cookie?: SessionCookie }
  const { expires, originalMaxAge, maxAge } = cookie ?? {}
  const endMs = expires ? new Date(expires as Date | string).getTime() : Number.NaN
  return boundedLifeMs(Number.isNaN(endMs) ? (originalMaxAge ?? maxAge) : endMs - nowMs, fallbackMs)
}
