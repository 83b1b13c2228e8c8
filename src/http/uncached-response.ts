/**
 * Keeps `Cache-Control: private, no-store` on a Node response that sets or removes a ticket, or that Coatcheck generated (RFC 9111 section
 * 5.2.2.5). Application code may set another value, before or afterwards. A cache could then hand the ticket of one visitor to the next.
 */

/** The part of `ServerResponse` that is needed. Arguments are those of Node. */
export interface HeadWriter {
  readonly headersSent?: boolean
  getHeaderNames?(): readonly string[]
  /** Missing on a response that a test or a serverless bridge created. */
  writeHead?(...args: readonly unknown[]): unknown
  setHeader(name: string, value: string | readonly string[]): unknown
  appendHeader?(name: string, value: string | readonly string[]): unknown
  removeHeader?(name: string): unknown
}

export const UNCACHED = 'private, no-store'
const kept = new WeakSet<object>()

/** Fields that caches obey in place of `Cache-Control`: RFC 9213, and those of servers and content delivery networks. */
const FOR_CACHES = /^(?:(?:.+-)?cache-control|surrogate-control|edge-control|x-accel-expires)$/

/** The same fields as a list, for places that cannot enumerate the headers that were set. */
export const INSTEAD_OF_CACHE_CONTROL = [
  'cdn-cache-control',
  'cloudflare-cdn-cache-control',
  'netlify-cdn-cache-control',
  'vercel-cdn-cache-control',
  'akamai-cache-control',
  'x-litespeed-cache-control',
  'surrogate-control',
  'edge-control',
  'x-accel-expires',
] as const

/** @param name in lower case */
export function isInsteadOfCacheControl(name: string): boolean {
  return (INSTEAD_OF_CACHE_CONTROL as readonly string[]).includes(name)
}

/**
 * From now on no method of the response changes the cache headers. Every way to send headers calls `writeHead`, including `end()` and
 * `write()` without it. A listener that wrapped `writeHead` earlier, such as `on-headers`, runs inside it and sets headers there.
 */
export function keepUncached(response: HeadWriter): void {
  if (kept.has(response) || response.headersSent) return
  kept.add(response)
  for (const name of response.getHeaderNames?.() ?? []) if (isForCaches(name)) response.removeHeader?.(name)
  response.setHeader('Cache-Control', UNCACHED)
  // `setHeaders()` of Node calls `setHeader()`.
  for (const method of ['setHeader', 'appendHeader', 'removeHeader'] as const) {
    const change = response[method]?.bind(response) as ((name: string, ...rest: unknown[]) => unknown) | undefined
    if (!change) continue
    response[method] = (name: string, ...rest: unknown[]) => (isForCaches(name) ? response : change(name, ...rest))
  }
  const writeHead = response.writeHead?.bind(response)
  if (writeHead) response.writeHead = (...args) => writeHead(...args.map((arg) => withoutCacheFields(arg)))
}

/** Headers as an object, as pairs, or as one flat list. Any other argument, such as the status, stays. */
function withoutCacheFields(headers: unknown): unknown {
  if (Array.isArray(headers)) {
    const list: readonly unknown[] = headers
    if (list.every((entry) => Array.isArray(entry))) return list.filter(([name]) => !isForCaches(name))
    return list.filter((_entry, index) => !isForCaches(list[index - (index % 2)]))
  }
  if (typeof headers !== 'object' || headers === null) return headers
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isForCaches(name)))
}

function isForCaches(name: unknown): boolean {
  return typeof name === 'string' && FOR_CACHES.test(name.toLowerCase())
}
