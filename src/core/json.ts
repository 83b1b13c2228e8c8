/**
 * The only module that parses JSON from the store or from other parties. Its objects have no prototype. So a missing name is
 * `undefined`, even if another library has changed `Object.prototype`, and `constructor` and `__proto__` are ordinary names.
 */

/** A JSON value (RFC 8259): the type of session data and claims. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** @throws {SyntaxError} for a text that is not JSON */
export function parseJson(text: string): unknown {
  return withoutPrototypes(JSON.parse(text))
}

/**
 * Parses an object whose nested objects keep `Object.prototype`. Only for `read-only.ts`, which removes the prototypes of what it returns,
 * when it returns it.
 * @throws {SyntaxError} for a text that is not JSON
 */
export function parseShallowJson(text: string): object {
  const value = JSON.parse(text) as object
  Object.setPrototypeOf(value, null)
  return value
}

/**
 * Removes the prototype of plain objects, in place and at every depth. Arrays keep theirs. Only for values that the caller has made:
 * JSON, or a copy.
 */
function withoutPrototypes<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (const member of value) withoutPrototypes(member)
    return value
  }
  // First: the loop would also visit names that another library has put on `Object.prototype`.
  Object.setPrototypeOf(value, null)
  for (const key in value) withoutPrototypes(value[key])
  return value
}

/** Returns a copy of the object's own fields. For options and inputs: an inherited name counts as absent. */
export function own<T extends object>(value: T): T {
  return Object.assign(Object.create(null) as T, value)
}
