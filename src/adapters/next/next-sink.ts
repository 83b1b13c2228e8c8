/**
 * Where Next takes cookies: `cookies().set()`, which works in route handlers and server actions and nowhere else. Other headers
 * can only be put on the response of a route handler, so they are kept until there is one.
 */
import { partsOfSetCookie, type ResponseSink, setCookiesOf } from '../../http/cookie.ts'
import { copyHeaders } from '../../http/node-bridge.ts'

/** What `await cookies()` gives, as far as it is used here. */
export interface NextCookies {
  set(cookie: object): unknown
}

export class NextSink implements ResponseSink {
  /** Set when the response of a route handler has been handed over. */
  headersSent = false
  /** Until `routeHandler()` or `withUser()` stands around the handler: Next does not say when it takes the response. */
  mayLeaveUnnoticed = true
  /** Of the phase that is under way: after a server action Next goes on to render, and cookies are read-only again. */
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

  /** The response with the headers that are not cookies: those Next adds by itself. A response may be immutable. */
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
 * A `Cache-Control` of `headers()` in next.config.js, or of a server in front of Next, wins over that of a route handler: Next drops the latter.
 * It keeps `Vary`, and a cache gives a response with `Vary: *` to no other request (RFC 9111 section 4.1).
 */
export function neverReused(response: Response): Response {
  const result = new Response(response.body, response)
  result.headers.append('Vary', '*')
  return result
}

class Probe extends Error {}

/**
 * Next does not say whether cookies can be set, it throws when they are. A cookie whose name cannot be read gets past the
 * check of the phase, and no further: nothing is set either way. Watched by a test on Next 15 and 16.
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
