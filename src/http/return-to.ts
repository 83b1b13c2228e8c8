/**
 * Where to go after sign-in: a path on our own origin, or nothing. Parsed once by the URL parser that browsers use and put
 * together again from what it understood; whatever a browser or a lenient server behind us could read as another host is
 * dropped. Dropping is silent: the visitor lands on the start page.
 */
/** Of what is asked for, and of what is left of it: characters beyond ASCII are escaped with up to nine. A cookie holds it. */
const MAX_CHARACTERS = 2048

/** Control characters, and the backslash that browsers read as a slash. */
const REFUSED = /[\u0000-\u001f\u007f\\]/
/** An escaped slash, backslash, space or control character right behind the first slash: harmless here, not everywhere. */
const ESCAPED_START = /^\/%(?:2f|5c|20|7f|[01][0-9a-f])/i

/**
 * @param value what a query or form said
 * @param origin of the base URL, e.g. `https://app.example`
 * @param basePath of our routes: returning to one of them would be a loop
 * @returns path, query and fragment, beginning with one slash, or `null`
 */
export function safeReturnTo(value: unknown, origin: string, basePath: string): string | null {
  if (typeof value !== 'string' || value.length > MAX_CHARACTERS) return null
  if (!value.startsWith('/') || value.startsWith('//') || REFUSED.test(value)) return null
  const url = parse(value, origin)
  if (!url || url.origin !== origin || url.username !== '' || url.password !== '') return null
  const { pathname } = url
  // "/.//host" is a path with two slashes once the parser has removed the dot.
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
