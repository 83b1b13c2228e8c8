/**
 * JSON documents that may name the key of another library that they were copied from. The name is sealed with the document. The value
 * carries it under a symbol that no spread copies: a value that the drop-in makes anew stands on its own.
 */
import type { DocumentCodec } from './documents.ts'

const LINK = Symbol('coatcheck.link')
/** No field of the libraries that keep documents here has this name. */
const FIELD = '$old'

/** The key that the value is a copy of. `null`: it stands on its own. */
export function linkOf(value: object): string | null {
  return (value as { readonly [LINK]?: string })[LINK] ?? null
}

/** Returns a copy of the value with this link; `null`: with none. */
export function withLink<T extends object>(value: T, link: string | null): T {
  const copy = { ...value }
  if (link !== null) Object.defineProperty(copy, LINK, { value: link })
  return copy
}

/** Writes the link as one more field of the JSON, and takes it out again. */
export function linkedJson<T extends object>(): DocumentCodec<T> {
  return {
    encode(value) {
      const link = linkOf(value)
      return JSON.stringify(link === null ? value : { ...value, [FIELD]: link })
    },
    decode(text) {
      const { [FIELD]: link, ...value } = JSON.parse(text) as T & { readonly [FIELD]?: unknown }
      return withLink(value as unknown as T, typeof link === 'string' ? link : null)
    },
  }
}
