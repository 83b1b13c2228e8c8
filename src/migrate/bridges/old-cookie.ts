/**
 * Reads the cookies of another library from a request: whole or in chunks, decoded once. If a name occurs twice, or both whole and in chunks,
 * one of the cookies may have been planted, so none counts. Reading takes linear time in the length of the header.
 */
import { type CookiePlace, readCookie, readEveryCookie, removedCookie } from '../../http/cookie.ts'

/** Limits the work if a server allows more than the 16 KiB of headers that Node allows. */
const MAX_CHARACTERS = 32_768
const MAX_CHUNKS = 16
/** Cookies of one name that a sign-out examines. A browser sends one for each domain and path that match, so few. */
const MAX_SAME_NAME = 10
/** Copies of a split cookie that a sign-out joins. */
const MAX_JOINED_COPIES = 3

/** One name under which the library sets a cookie. */
export interface OldCookieName {
  readonly name: string
  /** Separates the name and the number of a chunk. `null`: the value is never split. */
  readonly chunkMark: string | null
}

/** How the library names its cookies. */
export interface OldCookieNames {
  /** In the order of preference. A name whose value may be split in two ways occurs twice. */
  readonly session: readonly OldCookieName[]
  /** Cookies that are removed with those of the session. */
  readonly companions?: readonly OldCookieName[]
}

/** The cookie of a request under one name. */
export interface FoundCookie {
  readonly name: string
  /** `null`: the cookie occurs twice or in two forms, or it is cut or too long. It cannot be verified. */
  readonly value: string | null
}

/** Returns whether the header contains one of the names, with any value. */
export function mayHoldCookie(header: string, { session }: OldCookieNames): boolean {
  return session.some((one) => isThere(header, one.name) || isSplit(header, one))
}

/**
 * Returns what the request has under the names, in two groups: first the names that a browser protects, `__Host-` and `__Secure-`. A page
 * without TLS cannot set those. The caller tries the other names only if no protected cookie verifies.
 */
export function findOldCookies(header: string, { session }: OldCookieNames): readonly (readonly FoundCookie[])[] {
  const names = [...new Set(session.map(({ name }) => name))]
  const found = names.flatMap((name) => {
    const marks = session.flatMap((one) => (one.name === name && one.chunkMark !== null ? [one.chunkMark] : []))
    return findCookie(header, name, marks) ?? []
  })
  const isProtected = ({ name }: FoundCookie): boolean => /^__(?:Host|Secure)-/.test(name)
  return [found.filter(isProtected), found.filter((one) => !isProtected(one))]
}

function findCookie(header: string, name: string, marks: readonly string[]): FoundCookie | null {
  const whole = readCookie(header, name)
  if (whole.status === 'duplicate') return { name, value: null }
  const splits = marks.filter((chunkMark) => isSplit(header, { name, chunkMark }))
  const isWhole = whole.status === 'one' && whole.value !== ''
  // The old library removes one form when it writes the other, so both forms mean a planted cookie.
  if (splits.length + Number(isWhole) > 1) return { name, value: null }
  if (isWhole) return { name, value: decoded(whole.value) }
  const [mark] = splits
  return mark === undefined ? null : { name, value: joined(header, name, mark) }
}

/**
 * Returns every value that the request has under the names, for a sign-out: whole ones, and those joined from chunks. Of several cookies of
 * one name, one belongs to the visitor and the others may have been planted, so a sign-out ends the session of each one that verifies.
 */
export function everyOldCookie(header: string, { session }: OldCookieNames): readonly FoundCookie[] {
  const names = [...new Set(session.map(({ name }) => name))]
  const whole = names.flatMap((name) => readEveryCookie(header, name, MAX_SAME_NAME).map((value) => ({ name, value })))
  const joinedOnes = session.flatMap((one) =>
    isSplit(header, one) ? everyJoined(header, one.name, one.chunkMark) : [],
  )
  return [...whole, ...joinedOnes].flatMap(({ name, value }) => (value === '' ? [] : [{ name, value: decoded(value) }]))
}

/**
 * Joins the first chunks of each number, then the second ones, and so on. A browser sends the chunks of one place in the same order. A planted chunk
 * may follow the last one of the visitor, so shorter joins count too. Planted chunks that sort between those of the visitor are not recognized.
 */
function everyJoined(header: string, name: string, mark: string | null): readonly { name: string; value: string }[] {
  const chunks: (readonly string[])[] = []
  for (let index = 0; mark !== null && index < MAX_CHUNKS; index++) {
    const parts = readEveryCookie(header, chunk(name, mark, index), MAX_JOINED_COPIES)
    if (parts.length === 0) break
    chunks.push(parts)
  }
  const copies = Math.max(0, ...chunks.map((parts) => parts.length))
  return Array.from({ length: copies }, (_, copy) =>
    chunks.map((_chunk, last) => ({
      name,
      value: chunks
        .slice(0, last + 1)
        .map((parts) => parts[Math.min(copy, parts.length - 1)] ?? '')
        .join(''),
    })),
  ).flat()
}

/** Returns the `Set-Cookie` lines that remove the session cookies of a request and their companions. */
export function clearingLines(
  header: string,
  { session, companions = [] }: OldCookieNames,
  place: CookiePlace,
): readonly string[] {
  const all = [...session, ...companions].flatMap(({ name, chunkMark: mark }) => [
    name,
    ...(mark === null ? [] : Array.from({ length: MAX_CHUNKS }, (_, index) => chunk(name, mark, index))),
  ])
  return [...new Set(all)].filter((name) => isThere(header, name)).map((name) => removedCookie(name, place))
}

function joined(header: string, name: string, mark: string): string | null {
  let value = ''
  for (let index = 0; index < MAX_CHUNKS; index++) {
    const part = readCookie(header, chunk(name, mark, index))
    if (part.status === 'duplicate') return null
    if (part.status === 'none') break
    value += part.value
  }
  return decoded(value)
}

function decoded(text: string): string | null {
  if (text.length > MAX_CHARACTERS) return null
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

function chunk(name: string, mark: string, index: number): string {
  return `${name}${mark}${index}`
}

function isSplit(header: string, { name, chunkMark }: OldCookieName): boolean {
  return chunkMark !== null && isThere(header, chunk(name, chunkMark, 0))
}

function isThere(header: string, name: string): boolean {
  return readCookie(header, name).status !== 'none'
}
