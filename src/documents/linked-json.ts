/**
 * JSON documents that may name the key of another library's record that they come from. The key is sealed with the document. The value
 * holds it under a symbol that no spread copies: a value that the drop-in library makes anew names no key.
 */
import type { DocumentCodec } from './documents.ts'

/** The key of another library's record that a document comes from. */
export interface Link {
  readonly key: string
  /** Identifies the servers of the key, if they are others than those of the documents. Empty: the same. Absent: unknown. */
  readonly place?: string
  /** False: the document is independent, and the key is about to be deleted. */
  readonly isCopy: boolean
  /** The text of the record that the document has taken in. Absent: not recorded. */
  readonly text?: string
}

const LINK = Symbol('coatcheck.link')
/** No field of the libraries that keep documents here has one of these names. */
const COPY_OF = '$old'
const MADE_FROM = '$from'
const PLACE = '$place'
const TAKEN_TEXT = '$text'

/** Returns the link to the record that the value is a copy of. `null`: the value is independent. */
export function linkOf(value: object): Link | null {
  const link = (value as { readonly [LINK]?: Link })[LINK]
  return link?.isCopy ? link : null
}

/** Returns the key of the record that the value comes from, even if the value is independent now. `null`: none, or it was written since. */
export function oldKeyOf(value: object): string | null {
  return (value as { readonly [LINK]?: Link })[LINK]?.key ?? null
}

/** Returns the text of the old record that the value has taken in. `null`: the value names no key, or the text was not recorded. */
export function takenTextOf(value: object): string | null {
  return (value as { readonly [LINK]?: Link })[LINK]?.text ?? null
}

/** Returns a copy of the value with this link; `null`: without a link. */
export function withLink<T extends object>(value: T, link: Link | null): T {
  const copy = { ...value }
  if (link !== null) Object.defineProperty(copy, LINK, { value: link })
  return copy
}

/** Writes the link as one more field of the JSON, and removes it when it reads. */
export function linkedJson<T extends object>(): DocumentCodec<T> {
  return {
    encode(value) {
      const link = (value as { readonly [LINK]?: Link })[LINK]
      if (!link) return JSON.stringify(value)
      // `JSON.stringify` leaves out what was not recorded.
      const { key, place, text } = link
      return JSON.stringify({ ...value, [link.isCopy ? COPY_OF : MADE_FROM]: key, [PLACE]: place, [TAKEN_TEXT]: text })
    },
    decode(text) {
      const parsed = JSON.parse(text) as T &
        Readonly<Record<typeof COPY_OF | typeof MADE_FROM | typeof PLACE | typeof TAKEN_TEXT, unknown>>
      const { [COPY_OF]: copyOf, [MADE_FROM]: madeFrom, [PLACE]: place, [TAKEN_TEXT]: taken, ...value } = parsed
      const key = copyOf ?? madeFrom
      if (typeof key !== 'string') return value as unknown as T
      return withLink(value as unknown as T, {
        key,
        isCopy: copyOf !== undefined,
        ...(typeof place === 'string' && { place }),
        ...(typeof taken === 'string' && { text: taken }),
      })
    },
  }
}
