/** How long a session of express-session or @fastify/session is to live: what its cookie says, to the millisecond. */
interface CookieOfHost {
  readonly expires?: Date | string | null | undefined
  readonly originalMaxAge?: number | null | undefined
}

/** Milliseconds from now; 0 or less when it is over. `fallbackMs` for a cookie that ends with the browser. */
export function lifeOf(session: object, nowMs: number, fallbackMs: number): number {
  const { cookie } = session as { readonly cookie?: CookieOfHost }
  const { expires, originalMaxAge } = cookie ?? {}
  if (expires !== undefined && expires !== null) {
    const endMs = new Date(expires).getTime()
    if (!Number.isNaN(endMs)) return endMs - nowMs
  }
  return originalMaxAge ?? fallbackMs
}
