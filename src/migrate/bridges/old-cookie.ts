/**
 * The cookies of another library in a request: whole or in chunks, decoded once. A name that stands twice may have been planted, so
 * none of its values counts. Reading is linear in the header.
 */
import { type CookiePlace, readCookie, removedCookie } from '../../http/cookie.ts'

/** Node refuses headers above 16 KiB; a server that allows more does not make us work more. */
const LONGEST_CHARACTERS = 32_768
const MOST_CHUNKS = 16

/** One name under which the library sets a cookie. */
export interface OldCookieName {
  readonly name: string
  /** What stands between the name and the number of a chunk. `null`: the value is never split. */
  readonly chunkMark: string | null
}

/** How the library names its cookies. */
export interface OldCookieNames {
  /** In the order of preference: the first one in the request counts. */
  readonly session: readonly OldCookieName[]
  /** Cookies that are removed with those of the session. */
  readonly companions?: readonly OldCookieName[]
}

export type FoundCookie =
  | { readonly status: 'none' }
  | { readonly status: 'one'; readonly name: string; readonly value: string }
  /** Twice, cut or too long: nothing that could be verified. */
  | { readonly status: 'unusable' }

/** Whether one of the names is in the header, whatever its value is. */
export function mayHoldCookie(header: string, { session }: OldCookieNames): boolean {
  return session.some((one) => isThere(header, one.name) || isSplit(header, one))
}

export function findOldCookie(header: string, { session }: OldCookieNames): FoundCookie {
  for (const one of session) {
    const whole = readCookie(header, one.name)
    if (whole.status === 'duplicate') return { status: 'unusable' }
    if (whole.status === 'one' && whole.value !== '') return usable(one.name, whole.value)
    if (one.chunkMark !== null && isSplit(header, one)) return joined(header, one.name, one.chunkMark)
  }
  return { status: 'none' }
}

/** The lines that remove the session cookies of a request and their companions. */
export function clearingLines(
  header: string,
  { session, companions = [] }: OldCookieNames,
  place: CookiePlace,
): readonly string[] {
  const all = [...session, ...companions].flatMap(({ name, chunkMark: mark }) => [
    name,
    ...(mark === null ? [] : Array.from({ length: MOST_CHUNKS }, (_, index) => chunk(name, mark, index))),
  ])
  return [...new Set(all)].filter((name) => isThere(header, name)).map((name) => removedCookie(name, place))
}

function joined(header: string, name: string, mark: string): FoundCookie {
  let value = ''
  for (let index = 0; index < MOST_CHUNKS; index++) {
    const part = readCookie(header, chunk(name, mark, index))
    if (part.status === 'duplicate') return { status: 'unusable' }
    if (part.status === 'none') break
    value += part.value
  }
  return usable(name, value)
}

function usable(name: string, text: string): FoundCookie {
  if (text.length > LONGEST_CHARACTERS) return { status: 'unusable' }
  try {
    return { status: 'one', name, value: decodeURIComponent(text) }
  } catch {
    return { status: 'unusable' }
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
