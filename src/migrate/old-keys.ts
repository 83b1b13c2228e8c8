/** The old keys of an origin, as far as a key alone tells: for status, and for taking over all records at once. */

export interface OldKeys {
  /** Literal beginning of the keys. Empty: any key may be one. */
  readonly prefix: string
  /** True: keys of others begin like these, so a count by the prefix says nothing. */
  readonly sharesPrefix?: boolean
  /** The family of a key, as people read it, such as `sess:*`. `null`: the key is none of this origin. */
  familyOf(key: string): string | null
  /** What the drop-in calls the record of this key. Called for keys with a family only. */
  idOf(key: string): string
  /** Whether the value is a record of this origin. Called for keys with a family only. */
  isReadable(key: string, text: string): boolean
  /** The end that a value names itself, epoch milliseconds. `null`: it names none. Absent: only the key has an expiry. */
  endOf?(key: string, text: string): number | null
}

/** Keys that are a prefix and the id. */
export function keysBehind(
  prefix: string,
  isReadable: (text: string, id: string) => boolean,
  isId: (id: string) => boolean = (id) => id !== '',
): OldKeys {
  const idOf = (key: string): string => key.slice(prefix.length)
  return {
    prefix,
    familyOf(key) {
      if (!key.startsWith(prefix) || !isId(idOf(key))) return null
      return key === prefix ? key : `${prefix}*`
    },
    idOf,
    isReadable: (key, text) => isReadable(text, idOf(key)),
  }
}

/** Stands for any id. No key holds it. */
const PLACE = '\0id\0'

/**
 * Keys that a function of the application makes.
 * @returns `null`: the function changes the id, so no id can be read from a key
 */
export function keysMadeBy(keyOf: (id: string) => string, isReadable: (text: string) => boolean): OldKeys | null {
  let pattern: readonly string[]
  try {
    pattern = keyOf(PLACE).split(PLACE)
  } catch {
    return null
  }
  const [prefix, suffix] = pattern
  if (prefix === undefined || suffix === undefined || pattern.length !== 2) return null
  const idOf = (key: string): string => key.slice(prefix.length, key.length - suffix.length)
  const fits = (key: string): boolean =>
    key.startsWith(prefix) && key.endsWith(suffix) && key.length > prefix.length + suffix.length
  return {
    prefix,
    familyOf: (key) => (fits(key) && keyOf(idOf(key)) === key ? `${prefix}*${suffix}` : null),
    idOf,
    isReadable: (_key, text) => isReadable(text),
  }
}
