/**
 * Keeps `Cache-Control: private, no-store` on a response of Node that hands out or removes a ticket (RFC 9111 section 5.2.2.5). Code of
 * the application that runs later may set another value; a cache would then hand the ticket of one visitor to the next.
 */

/** The part of `ServerResponse` that is needed. Arguments are those of `writeHead`. */
export interface HeadWriter {
  writeHead(...args: readonly unknown[]): unknown
  setHeader(name: string, value: string | readonly string[]): unknown
}

export const UNCACHED = 'private, no-store'
const kept = new WeakSet<object>()

/** Every way to send headers goes through `writeHead`, also `end()` and `write()` without it. */
export function keepUncached(response: HeadWriter): void {
  if (kept.has(response)) return
  kept.add(response)
  const writeHead = response.writeHead.bind(response)
  response.writeHead = (...args) => {
    response.setHeader('Cache-Control', UNCACHED)
    return writeHead(...args.map((arg) => withoutCacheControl(arg)))
  }
}

/** Headers as an object, as pairs, or as one flat list. Anything else, such as the status, stays. */
function withoutCacheControl(headers: unknown): unknown {
  if (Array.isArray(headers)) {
    const list: readonly unknown[] = headers
    if (list.every((entry) => Array.isArray(entry))) return list.filter(([name]) => !isCacheControl(name))
    return list.filter((_entry, index) => !isCacheControl(list[index - (index % 2)]))
  }
  if (typeof headers !== 'object' || headers === null) return headers
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isCacheControl(name)))
}

function isCacheControl(name: unknown): boolean {
  return typeof name === 'string' && name.toLowerCase() === 'cache-control'
}
