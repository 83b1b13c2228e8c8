/**
 * Response sink for Next. `cookies().set()` only works in route handlers and server actions. Other headers can only be put on the response
 * of a route handler, so the sink keeps them until that response exists.
 */
import { partsOfSetCookie, type ResponseSink, setCookiesOf } from '../../http/cookie.ts'
import { copyHeaders } from '../../http/node-bridge.ts'

/** The part of the result of `await cookies()` that is used here. */
export interface NextCookies {
  set(cookie: object): unknown
}

export class NextSink implements ResponseSink {
  /** True after the response of a route handler was handed over. */
  headersSent = false
  /** True until `routeHandler()` or `withUser()` wraps the handler: Next does not report when it takes the response. */
  mayLeaveUnnoticed = true
  /** Cookies of the current phase. After a server action Next continues to render, and cookies are read-only again. */
  cookies: NextCookies | null = null
  #hasTicket = false
  readonly #headers = new Map<string, string | readonly string[]>()

  get isReadOnly(): boolean {
    return !this.cookies || !canSet(this.cookies)
  }

  getHeader(name: string): string | readonly string[] | undefined {
    return this.#headers.get(name.toLowerCase())
  }

  setHeader(name: string, value: string | readonly string[]): void {
    const before = new Set(setCookiesOf(this))
    this.#headers.set(name.toLowerCase(), value)
    for (const line of setCookiesOf(this)) {
      if (before.has(line)) continue
      const { name: cookie, value: text, ...attributes } = partsOfSetCookie(line)
      this.cookies?.set({ name: cookie, value: text ?? '', ...attributes })
    }
  }

  keepUncached(): void {
    this.#hasTicket = true
  }

  /**
   * Returns the response with all headers except cookies, which Next adds itself. It may copy the response, because a response may be
   * immutable.
   */
  finish(response: Response): Response {
    this.headersSent = true
    const kept = new Headers(
      [...this.#headers].filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    )
    if ([...kept].length === 0) return response
    const finished = new Response(response.body, response)
    copyHeaders(kept, {
      headersSent: false,
      getHeader: (name) => finished.headers.get(name) ?? undefined,
      setHeader: (name, value) => {
        finished.headers.set(name, String(value))
      },
    })
    return this.#hasTicket ? neverReused(finished) : finished
  }
}

/**
 * Prevents caching by `Vary: *`. A `Cache-Control` of `headers()` in next.config.js, or of a server in front of Next, wins over that of a
 * route handler, which Next drops. Next keeps `Vary`, and a cache never reuses a response with `Vary: *` (RFC 9111 section 4.1).
 */
export function neverReused(response: Response): Response {
  const result = new Response(response.body, response)
  result.headers.append('Vary', '*')
  return result
}

class Probe extends Error {}

/**
 * Next does not report whether cookies can be set: it throws when code sets one. A cookie whose name getter throws passes the check of the
 * phase and then fails, so it never sets a cookie. A test covers this on Next 15 and 16.
 */
function canSet(cookies: NextCookies): boolean {
  try {
    cookies.set({
      get name(): never {
        throw new Probe()
      },
    })
    return false
  } catch (error) {
    return error instanceof Probe
  }
}
