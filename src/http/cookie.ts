/**
 * The only file that reads Coatcheck cookies and writes `Set-Cookie`. Reading is a byte-exact search for one name: no decoding, no quotes,
 * no `$Version`, no trimming of names. Every leniency of a cookie parser is a way to plant a cookie (RFC 6265bis section 5.7, "cookie
 * tossing"). The work is linear in the length of the header.
 */
import { parseSetCookie, type SetCookie, stringifySetCookie } from 'cookie'
import type { ResolvedConfig } from '../config/types.ts'
import { own } from '../core/json.ts'

type CookieConfig = ResolvedConfig<object>['cookie']

export type CookieValue =
  | { readonly status: 'none' }
  | { readonly status: 'one'; readonly value: string }
  /** The name occurs more than once. An attacker may have planted one of the cookies, so none of them counts. */
  | { readonly status: 'duplicate'; readonly count: number }

/** Destination of response headers. Structurally a Node `ServerResponse`; `headers-sink.ts` creates one from Web `Headers`. */
export interface ResponseSink {
  readonly headersSent: boolean
  /** True in a place that can read cookies but never set one, such as a server component. Default: false. */
  readonly isReadOnly?: boolean
  /** True if `headersSent` may still be false after the response has left: the framework does not report when it sends it. */
  readonly mayLeaveUnnoticed?: boolean
  /**
   * Called after a ticket was put on the response. It ensures that no cache stores this response, even if `Cache-Control` is set later.
   * Absent for a Node response, or where no header can be set afterwards.
   */
  keepUncached?(): void
  getHeader(name: string): number | string | readonly string[] | undefined
  setHeader(name: string, value: string | readonly string[]): unknown
}

/** Cookies of one configuration. All kinds are HttpOnly, for `Path=/`, without `Domain`, and Secure on https. */
export interface Cookies {
  readTicket(header: string): CookieValue
  ticket(value: string, maxAgeSeconds: number): string
  clearTicket(): string
  /**
   * Whether the user signed out in this browser and has not signed in since. The cookie holds no secret. It only makes the next sign-in ask
   * for the account.
   */
  hasSignedOut(header: string): boolean
  signedOut(): string
  clearSignedOut(): string
  /**
   * One sealed sign-in transaction. Lax even if the ticket is Strict, because the cookie must arrive with the redirect from the provider.
   */
  readTransaction(header: string, id: string): CookieValue
  transaction(id: string, value: string, maxAgeSeconds: number): string
  clearTransaction(id: string): string
  /** Ids of the transactions for which this browser has cookies. Checks at most 50. */
  transactionIds(header: string): readonly string[]
}

/** How long the browser remembers a sign-out: longer than a visit to a shared computer. */
const SIGNED_OUT_SECONDS = 24 * 3600
const TRANSACTION_ID = /^[A-Za-z0-9_-]{22}$/
const MAX_EXAMINED_TRANSACTIONS = 50

export function createCookies({ name, secure, sameSite }: CookieConfig): Cookies {
  const base: Omit<SetCookie, 'name' | 'value'> = { path: '/', httpOnly: true, secure }
  const transactionPrefix = `${name}-signin-`
  const signedOutName = `${name}-signed-out`
  const write = (cookie: Pick<SetCookie, 'name' | 'value' | 'maxAge' | 'sameSite'>): string =>
    // Coatcheck writes base64url, so the serializer must not escape anything.
    stringifySetCookie(own({ ...base, ...cookie }), { encode: (text) => text })
  return {
    readTicket: (header) => readCookie(header, name),
    ticket: (value, maxAge) => write({ name, value, maxAge, sameSite }),
    clearTicket: () => write({ name, value: '', maxAge: 0, sameSite }),
    hasSignedOut: (header) => readCookie(header, signedOutName).status !== 'none',
    signedOut: () => write({ name: signedOutName, value: '1', maxAge: SIGNED_OUT_SECONDS, sameSite: 'lax' }),
    clearSignedOut: () => write({ name: signedOutName, value: '', maxAge: 0, sameSite: 'lax' }),
    readTransaction: (header, id) => readCookie(header, transactionPrefix + id),
    transaction: (id, value, maxAge) => write({ name: transactionPrefix + id, value, maxAge, sameSite: 'lax' }),
    clearTransaction: (id) => write({ name: transactionPrefix + id, value: '', maxAge: 0, sameSite: 'lax' }),

    transactionIds(header) {
      const ids = new Set<string>()
      let examined = 0
      for (const at of positionsOf(header, transactionPrefix)) {
        if (++examined > MAX_EXAMINED_TRANSACTIONS) break
        const end = header.indexOf('=', at + transactionPrefix.length)
        const id = end < 0 ? '' : header.slice(at + transactionPrefix.length, end)
        if (TRANSACTION_ID.test(id)) ids.add(id)
      }
      return [...ids]
    },
  }
}

/** Puts one cookie on the response, in place of an earlier one of the same name. Other cookies stay. */
export function putSetCookie(sink: ResponseSink, setCookie: string): void {
  const start = setCookie.slice(0, setCookie.indexOf('=') + 1)
  sink.setHeader('Set-Cookie', [...setCookiesOf(sink).filter((other) => !other.startsWith(start)), setCookie])
}

/** @param name compared byte for byte; `name=` must begin a pair */
export function readCookie(header: string, name: string): CookieValue {
  let value = ''
  let count = 0
  for (const at of positionsOf(header, `${name}=`)) {
    const start = at + name.length + 1
    const end = header.indexOf(';', start)
    if (++count === 1) value = header.slice(start, end < 0 ? undefined : end)
  }
  if (count === 0) return { status: 'none' }
  return count === 1 ? { status: 'one', value } : { status: 'duplicate', count }
}

/** Returns every value of a name in the order of the header, at most `max` of them. */
export function readEveryCookie(header: string, name: string, max: number): readonly string[] {
  const values: string[] = []
  for (const at of positionsOf(header, `${name}=`)) {
    if (values.length === max) break
    const start = at + name.length + 1
    const end = header.indexOf(';', start)
    values.push(header.slice(start, end < 0 ? undefined : end))
  }
  return values
}

/** Positions at which `text` begins a pair: at the start of the header or after `;`, with optional spaces or tabs. */
function* positionsOf(header: string, text: string): Generator<number> {
  for (let at = header.indexOf(text); at >= 0; at = header.indexOf(text, at + text.length)) {
    let before = at - 1
    while (before >= 0 && (header[before] === ' ' || header[before] === '\t')) before--
    if (before < 0 || header[before] === ';') yield at
  }
}

/** Attributes with which another library set a cookie. A browser removes it only with the same path and domain. */
export interface CookiePlace {
  /** The `Path` attribute. Default `/`. */
  readonly path?: string | undefined
  /** The `Domain` attribute. Default: none. */
  readonly domain?: string | undefined
  /** The `Secure` attribute. Default: true for the prefixes `__Secure-` and `__Host-`, else false. */
  readonly secure?: boolean | undefined
  /** The `SameSite` attribute. Default: none. */
  readonly sameSite?: 'lax' | 'strict' | 'none' | undefined
  /** The `Partitioned` attribute. Default false. */
  readonly partitioned?: boolean | undefined
}

/** Builds the line that removes a cookie of another library. */
export function removedCookie(
  name: string,
  { path = '/', domain, secure, sameSite, partitioned }: CookiePlace,
): string {
  const isSecure = secure ?? (sameSite === 'none' || /^__(?:Secure|Host)-/i.test(name))
  return stringifySetCookie(
    own({
      ...{ name, value: '', path, maxAge: 0, httpOnly: true, secure: isSecure },
      ...(domain !== undefined && { domain }),
      ...(sameSite !== undefined && { sameSite }),
      ...(partitioned !== undefined && { partitioned }),
    }),
  )
}

/** Parses one `Set-Cookie` line that this file has written, for frameworks that take cookies as parts (Next's `cookies().set`). */
export function partsOfSetCookie(line: string): SetCookie {
  return parseSetCookie(line, { decode: (text) => text })
}

/** The cookies that a sink has collected, as lines. */
export function setCookiesOf(sink: ResponseSink): readonly string[] {
  const lines = sink.getHeader('set-cookie')
  return lines === undefined ? [] : typeof lines === 'object' ? lines : [String(lines)]
}

/** Returns a header of Web `Headers` as a sink stores it: cookies as a list, every other header as one text. */
export function sinkHeaderOf(headers: Headers, name: string): string | readonly string[] | undefined {
  if (name.toLowerCase() !== 'set-cookie') return headers.get(name) ?? undefined
  const cookies = headers.getSetCookie()
  return cookies.length > 0 ? cookies : undefined
}
