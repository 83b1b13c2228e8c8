/**
 * The one place that parses JSON which is stored, or which others sent. Its objects have no prototype: a name that is not there is
 * `undefined`, whatever another library has put on `Object.prototype`, and `constructor` or `__proto__` are names like any other.
 */

/** A JSON value (RFC 8259): what session data and claims hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** @throws {SyntaxError} for what is not JSON */
export function parseJson(text: string): unknown {
  return withoutPrototypes(JSON.parse(text))
}

/**
 * Takes the prototype from plain objects, in place and at every depth. Arrays keep theirs. Only for values that the caller has made:
 * JSON, or a copy.
 */
function withoutPrototypes<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (const member of value) withoutPrototypes(member)
    return value
  }
  // First: the loop would also visit what another library has put on `Object.prototype`.
  Object.setPrototypeOf(value, null)
  for (const key in value) withoutPrototypes(value[key])
  return value
}

/** A copy of what the object holds itself. For options and inputs: an inherited name is one that was not given. */
export function own<T extends object>(value: T): T {
  return Object.assign(Object.create(null) as T, value)
}
