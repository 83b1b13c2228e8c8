/** Reads session values that are JSON objects. */
import { isTooDeep } from '../read-json.ts'

/** Returns the object in a text. `null`: the text is no JSON object, or one that is nested too deeply. */
export function jsonObjectIn(text: string): Readonly<Record<string, unknown>> | null {
  // Cheaper than the exception of `JSON.parse` for a value of another kind.
  if (!text.startsWith('{') || isTooDeep(text)) return null
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return null
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
