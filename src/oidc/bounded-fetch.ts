/**
 * Sends requests to identity providers. It follows no redirects and limits the size of an answer. The whole request,
 * including reading the body, ends with the caller's signal. A provider's answer is untrusted input: a wrong or hostile
 * server must not cost unlimited memory or time.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { CustomFetch, CustomFetchOptions } from 'openid-client'
import { parseJson } from '../core/json.ts'
import { safeUrl } from '../core/redact.ts'

/** Far above real metadata, key sets and token answers (Entra ID: 2 KB to 60 KB). */
const MAX_ANSWER_BYTES = 1024 * 1024

/** Marks answers above the limit; `oidc-errors.ts` reads it. */
const ANSWER_TOO_LARGE = 'ANSWER_TOO_LARGE'

// Statuses for which the Response constructor accepts no body.
const WITHOUT_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304])

/** Facts about a request that openid-client does not pass on. */
export interface RequestNote {
  /** The URL without credentials, query and fragment. */
  readonly url: string
  /** The JSON of an answer that reports an OAuth error (RFC 6749 section 5.2). The library reads it only in some cases. */
  readonly refusal: Readonly<Record<string, unknown>> | null
}

// Keyed by the Response, or by the error of `fetch`.
const notes = new WeakMap<object, RequestNote>()

/** Returns the request that a `Response` answers, or that an error ended. `null` if `boundedFetch` did not send it. */
export function noteOf(outcome: object): RequestNote | null {
  return notes.get(outcome) ?? null
}

/** `Response.clone()`, with its note. */
export function copyOf(answer: Response): Response {
  const copy = answer.clone()
  const note = notes.get(answer)
  if (note) notes.set(copy, note)
  return copy
}

/** The last answer of a call, even if the library throws an error that does not hold the answer. */
export interface SeenAnswer {
  /** `null`: no complete answer has arrived. */
  status: number | null
  /** The text of the body; the caller decides what to read of it. */
  text: string
}

const watched = new AsyncLocalStorage<SeenAnswer>()

/** Runs a call, and records the last answer that `boundedFetch` read for it. */
export function watchAnswer<T>(run: () => Promise<T>): { readonly result: Promise<T>; readonly seen: SeenAnswer } {
  const seen: SeenAnswer = { status: null, text: '' }
  return { result: watched.run(seen, run), seen }
}

function see(status: number, body: Buffer): void {
  const seen = watched.getStore()
  if (seen) Object.assign(seen, { status, text: body.toString('utf8') })
}

/** `fetch` with those limits. @param send the transport; `globalThis.fetch` outside of tests. */
export function boundedFetch(send: typeof fetch = globalThis.fetch): CustomFetch {
  return async (url, options) => {
    try {
      const answer = await send(url, { ...requestInit(options), redirect: 'manual' })
      const body = await readBounded(answer)
      see(answer.status, body)
      const bounded = new Response(WITHOUT_BODY.has(answer.status) ? null : (body as Uint8Array<ArrayBuffer> | null), {
        // An opaque redirect has status 0, which the Response constructor refuses.
        status: answer.status === 0 ? 502 : answer.status,
        statusText: answer.statusText,
        headers: answer.headers,
      })
      notes.set(bounded, { url: safeUrl(url), refusal: refusalIn(bounded, body) })
      return bounded
    } catch (error) {
      if (typeof error === 'object' && error !== null) notes.set(error, { url: safeUrl(url), refusal: null })
      throw error
    }
  }
}

function refusalIn({ status, headers }: Response, body: Buffer): RequestNote['refusal'] {
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(headers.get('content-type') ?? '')
  if (status < 400 || !isJson) return null
  try {
    const json = parseJson(body.toString('utf8'))
    const isRefusal = typeof json === 'object' && json !== null && 'error' in json && typeof json.error === 'string'
    return isRefusal ? json : null
  } catch {
    return null
  }
}

function requestInit({ body, headers, method, signal }: CustomFetchOptions): RequestInit {
  return {
    method,
    headers,
    ...(body !== null && body !== undefined && { body: body as string | URLSearchParams }),
    ...(signal ? { signal } : {}),
  }
}

async function readBounded(answer: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  if (answer.body) {
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength
      // Leaving the loop cancels the stream, which closes the connection.
      if (bytes > MAX_ANSWER_BYTES) {
        // An answer arrived, so the provider carried out the request: repeating it does not help.
        see(answer.status, Buffer.alloc(0))
        throw Object.assign(new TypeError('the answer is larger than 1 MiB'), { code: ANSWER_TOO_LARGE })
      }
      chunks.push(chunk)
    }
  }
  return Buffer.concat(chunks, bytes)
}
