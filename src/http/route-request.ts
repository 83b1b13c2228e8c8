/** What a route handler receives of a request, and the responses that all handlers share. */
import { OidcError } from '../core/errors.ts'
import type { HeadersSink } from './headers-sink.ts'
import type { RequestSession } from './request-session.ts'
import { acceptsHtml } from './error-response.ts'

const MAX_FORM_BYTES = 64 * 1024 // an authorization code of Entra has 1 to 2 KB

export interface RouteRequest<D extends object> {
  readonly method: string
  readonly headers: Headers
  readonly cookieHeader: string
  /** Path after `basePath`, e.g. `/devices/abc`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly sink: HeadersSink
  readonly requestSession: RequestSession<D>
  /**
   * The body as a form; empty without a body.
   * @throws {OidcError} `COATCHECK_REQUEST_INVALID` for another content type or more than 64 KiB
   */
  form(): Promise<URLSearchParams>
}

export async function readForm(request: Request): Promise<URLSearchParams> {
  if (!request.body) return new URLSearchParams()
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > MAX_FORM_BYTES) throw new OidcError('COATCHECK_REQUEST_INVALID', { details: { reason: 'body-size' } })
    text += decoder.decode(chunk, { stream: true })
  }
  text += decoder.decode()
  if (text === '') return new URLSearchParams()
  if (type === 'application/x-www-form-urlencoded') return new URLSearchParams(text)
  if (type === 'application/json' && /^\s*\{\s*\}\s*$/.test(text)) return new URLSearchParams()
  throw new OidcError('COATCHECK_REQUEST_INVALID', { details: { reason: 'content-type' } })
}

/** 303: the next request is a GET, whatever this one was (RFC 9700 section 4.12). */
export function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { Location: location } })
}

/** Response after a change: a page that submitted a form goes on to `location`, a program gets JSON. */
export function changed(headers: Headers, location: string, body: Readonly<Record<string, unknown>>): Response {
  return acceptsHtml(headers) ? seeOther(location) : Response.json(body)
}
