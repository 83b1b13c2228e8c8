/**
 * Validates the target after sign-in: a path on the own origin, or none. The URL parser that browsers use parses the value once, and the
 * result is rebuilt from its parts. A value that a browser or a lenient server behind the application could read as another host is
 * dropped. Dropping is silent: the visitor arrives at the start page.
 */
/** Limit for the input and for the result: escaping turns one non-ASCII character into up to nine. A cookie holds the result. */
const MAX_CHARACTERS = 2048

/** Control characters, and the backslash, which browsers read as a slash. */
const REFUSED = /[\u0000-\u001f\u007f\\]/
/** An escaped slash, backslash, space or control character right after the first slash: harmless here, but not in every server. */
const ESCAPED_START = /^\/%(?:2f|5c|20|7f|[01][0-9a-f])/i

/**
 * @param value value of a query or form field
 * @param origin origin of the base URL, e.g. `https://app.example`
 * @param basePath path of the routes: returning to one of them would be a loop
 * @returns path, query and fragment, beginning with one slash, or `null`
 */
export function safeReturnTo(value: unknown, origin: string, basePath: string): string | null {
  if (typeof value !== 'string' || value.length > MAX_CHARACTERS) return null
  if (!value.startsWith('/') || value.startsWith('//') || REFUSED.test(value)) return null
  const url = parse(value, origin)
  if (!url || url.origin !== origin || url.username !== '' || url.password !== '') return null
  const { pathname } = url
  // "/.//host" becomes a path with two slashes after the parser has removed the dot.
  if (pathname.startsWith('//') || ESCAPED_START.test(pathname)) return null
  if (pathname === basePath || pathname.startsWith(`${basePath}/`)) return null
  const path = `${pathname}${url.search}${url.hash}`
  return path.length > MAX_CHARACTERS ? null : path
}

function parse(value: string, origin: string): URL | null {
  try {
    return new URL(value, origin)
  } catch {
    return null
  }
}
