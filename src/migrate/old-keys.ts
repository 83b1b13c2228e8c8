/** Recognizes the old keys of an origin by their names. The status and the bulk commands of `coatcheck migrate` scan Redis with it. */

export interface OldKeys {
  /** Literal beginning of the keys. Empty: any key may be one. */
  readonly prefix: string
  /** True: other keys begin with this prefix too, so a count by prefix is useless. */
  readonly sharesPrefix?: boolean
  /** Returns the family of a key for people, such as `sess:*`. `null`: the key does not belong to this origin. */
  familyOf(key: string): string | null
  /** Returns the id under which the drop-in knows the record of this key. Called for keys with a family only. */
  idOf(key: string): string
  /** Returns whether the value is a record of this origin. Called for keys with a family only. */
  isReadable(key: string, text: string): boolean
  /** Returns the end that the value itself names, epoch milliseconds. `null`: it names none. Absent: only the key has an expiry. */
  endOf?(key: string, text: string): number | null
}

/** Returns the old keys that consist of a prefix and the id. */
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

/** Placeholder of the id, to learn what the function puts around it. No key contains it. */
const PLACE = '\0id\0'

/**
 * Returns the old keys that a function of the application builds.
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
