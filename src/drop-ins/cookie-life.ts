/** How long a session of express-session or @fastify/session is to live: what its cookie says, to the millisecond. */
import { boundedLifeMs } from '../core/time-to-live.ts'

interface CookieOfHost {
  readonly expires?: unknown
  readonly originalMaxAge?: unknown
  /** A plain object may have only this. In the libraries' own cookies, it is what is left until `expires`. */
  readonly maxAge?: unknown
}

/**
 * Returns milliseconds from now, at most ten years; 0 or less when the session is over. As in the libraries' own stores, a cookie whose
 * `expires` is empty, `false` or no date does not end the session: `originalMaxAge` counts then, else `maxAge`, else `fallbackMs`.
 */
export function lifeOf(session: object, nowMs: number, fallbackMs: number): number {
  const { cookie } = session as { readonly cookie?: CookieOfHost }
  const { expires, originalMaxAge, maxAge } = cookie ?? {}
  const endMs = expires ? new Date(expires as Date | string).getTime() : Number.NaN
  return boundedLifeMs(Number.isNaN(endMs) ? (originalMaxAge ?? maxAge) : endMs - nowMs, fallbackMs)
}
