/**
 * Three-way merge of JSON. The changes between the JSON that a library received and the JSON that it returns are applied to the
 * stored JSON. Objects are merged field by field, to any depth. Arrays and other values are replaced as a whole; the later change wins.
 */
import { isDeepStrictEqual } from 'node:util'

export type JsonObject = { readonly [key: string]: unknown }

/** @returns `stored` with the changes; `stored` itself when there are none */
export function mergeChanges(handedOut: JsonObject, handedBack: JsonObject, stored: JsonObject): JsonObject {
  const names = new Set([...Object.keys(handedOut), ...Object.keys(handedBack)])
  const changed = [...names].filter((name) => !isDeepStrictEqual(own(handedOut, name), own(handedBack, name)))
  if (changed.length === 0) return stored
  const entries = new Map(Object.entries(stored))
  for (const name of changed) {
    const [before, after, now] = [own(handedOut, name), own(handedBack, name), own(stored, name)]
    if (after === undefined) entries.delete(name)
    else if (isObject(before) && isObject(after) && isObject(now)) entries.set(name, mergeChanges(before, after, now))
    else entries.set(name, after)
  }
  // Defines own fields, so that `__proto__` is an ordinary field.
  return Object.fromEntries(entries)
}

function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
