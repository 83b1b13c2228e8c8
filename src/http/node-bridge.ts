/**
 * Converts between Node and Web requests and responses, for all adapters of Node frameworks.
 *
 * Node to Web: the URL is the configured origin plus the path of the request line. `Host`, `Forwarded` and `X-Forwarded-*` come from the
 * client, so they are removed, and later code cannot trust them.
 * Web to Node: headers of earlier middleware stay, and cookies are added, never replaced. A client that disconnects only ends its own
 * stream. The request is not aborted with its client: a callback that has begun is completed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { OidcError } from '../core/errors.ts'
import { type ResponseSink, setCookiesOf } from './cookie.ts'
import { isBelievedByNobody } from './local-request.ts'
import { bytesOfParsedBody } from './parsed-body.ts'
import { keepUncached } from './uncached-response.ts'

/** Largest body that a route reads. A `form_post` response with an ID token of 250 groups has about 16 KiB. */
const BODY_BYTES = 128 * 1024

/** What frameworks add to Node's request: the parsed body, and the URL before a mount point was removed. */
export type NodeRequest = IncomingMessage & { readonly body?: unknown; readonly originalUrl?: string }

/** Path and query of the request line. Of any form (`//host/path`, an absolute URL, `*`), only the path counts. */
export function targetOf(request: NodeRequest): { readonly path: string; readonly search: string } {
  const target = request.originalUrl ?? request.url ?? '/'
  const local = target.startsWith('/') ? target : pathOfAbsolute(target)
  const at = local.indexOf('?')
  return at < 0 ? { path: local, search: '' } : { path: local.slice(0, at), search: local.slice(at) }
}

/** The URL as browsers see it. Takes only the path from the request, never a host. */
export function urlOf(request: NodeRequest, baseUrl: URL): URL {
  const { path, search } = targetOf(request)
  const url = new URL(baseUrl.origin)
  url.pathname = path
  url.search = search
  return url
}

/**
 * Converts the whole request, body included. Used for the routes, whose bodies are small.
 *
 * @throws {OidcError} `COATCHECK_REQUEST_INVALID` for a body of more than 128 KiB, and if the client disconnects before the body ends
 */
export async function toWebRequest(request: NodeRequest, baseUrl: URL): Promise<Request> {
  const method = request.method ?? 'GET'
  const carriesBody = method !== 'GET' && method !== 'HEAD'
  const body = carriesBody ? await bodyOf(request) : null
  return new Request(urlOf(request, baseUrl), {
    method,
    headers: headersOf(request),
    ...(body && { body: body as Uint8Array<ArrayBuffer> }),
  })
}

/** Returns an own header of the request. Node's `headers` would also return values that another library has put on `Object.prototype`. */
export function headerOf({ headers }: Pick<IncomingMessage, 'headers'>, name: string): string | string[] | undefined {
  return Object.hasOwn(headers, name) ? headers[name] : undefined
}

/** Returns a header as one text. Node keeps one line of such a header or joins its lines (except `cookie` and `set-cookie`). */
export function textHeaderOf(request: Pick<IncomingMessage, 'headers'>, name: string): string | undefined {
  const value = headerOf(request, name)
  return typeof value === 'string' ? value : undefined
}

/** The headers without body or URL: enough to find a session. */
export function headersOf(request: IncomingMessage): Headers {
  const headers = new Headers()
  // Injected requests of test tools have no `headersDistinct`.
  const all = (request.headersDistinct as typeof request.headersDistinct | undefined) ?? request.headers
  for (const [name, values] of Object.entries(all)) {
    if (isBelievedByNobody(name)) continue
    // Several lines of one name form one list. For `cookie` the separator is "; " (RFC 9113, section 8.2.3).
    if (values) headers.set(name, typeof values === 'string' ? values : values.join(name === 'cookie' ? '; ' : ', '))
  }
  return headers
}

/**
 * Writes a response of Coatcheck, which no cache may store. Resolves when the response was handed over or the client disconnected. Never
 * rejects because of the client.
 */
export async function sendWebResponse(
  answer: Response,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (response.headersSent || response.destroyed) {
    await answer.body?.cancel()
    return
  }
  response.statusCode = answer.status
  if (answer.statusText) response.statusMessage = answer.statusText
  copyHeaders(answer.headers, response)
  keepUncached(response)
  if (!answer.body || request.method === 'HEAD') {
    await answer.body?.cancel()
    response.end()
    return
  }
  await pump(answer.body, response)
}

/** Adds headers to the existing ones: cookies and `Vary` are extended, all other headers are replaced. */
export function copyHeaders(headers: Headers, sink: ResponseSink): void {
  for (const [name, value] of headers) {
    if (name === 'set-cookie') sink.setHeader(name, [...setCookiesOf(sink), value])
    else if (name === 'vary') addToVary(sink, value)
    else sink.setHeader(name, value)
  }
}

function addToVary(sink: ResponseSink, value: string): void {
  const there = sink.getHeader('vary')
  const present = there === undefined ? [] : String(there).split(/\s*,\s*/)
  const known = new Set(present.map((name) => name.toLowerCase()))
  const added = value.split(/\s*,\s*/).filter((name) => !known.has(name.toLowerCase()))
  if (!known.has('*')) sink.setHeader('vary', [...present, ...added].join(', '))
}

async function pump(body: ReadableStream<Uint8Array>, response: ServerResponse): Promise<void> {
  const reader = body.getReader()
  const gone = new Promise<'gone'>((resolve) => response.once('close', () => resolve('gone')))
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), gone])
      if (next === 'gone') {
        await reader.cancel()
        return
      }
      if (next.done) return void response.end()
      if (!response.write(next.value) && (await Promise.race([drained(response), gone])) === 'gone') {
        await reader.cancel()
        return
      }
    }
  } catch (error) {
    // The status was already sent, so closing the connection is the only way to signal an incomplete response.
    response.destroy(error instanceof Error ? error : undefined)
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.once('drain', resolve))
}

async function bodyOf(request: NodeRequest): Promise<Buffer | null> {
  if (request.readableDidRead || request.readableEnded) {
    return bytesOfParsedBody(request.body, textHeaderOf(request, 'content-type'))
  }
  const body = await readStream(request)
  return body.length > 0 ? body : null
}

/** Uses events: leaving a `for await` early would destroy the request and the connection that the response needs. */
function readStream(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const endedEarly = (cause?: unknown): void =>
      reject(new OidcError('COATCHECK_REQUEST_INVALID', { message: 'The request ended within its body.', cause }))
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      // The rest of the stream is read and dropped, so that the client can read the response.
      if (size > BODY_BYTES) reject(tooLarge())
      else chunks.push(chunk)
    })
    request.once('end', () => resolve(Buffer.concat(chunks)))
    request.once('error', endedEarly)
    request.once('close', endedEarly)
  })
}

function tooLarge(): OidcError {
  return new OidcError('COATCHECK_REQUEST_INVALID', { message: `The body is larger than ${BODY_BYTES} bytes.` })
}

function pathOfAbsolute(target: string): string {
  try {
    const { pathname, search } = new URL(target)
    return pathname.startsWith('/') ? pathname + search : '/'
  } catch {
    return '/'
  }
}
