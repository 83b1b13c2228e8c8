/** JSON that another library stored, or `null` for what is none: such a value is left alone. */
import { parseJson } from '../core/json.ts'

/** Reads an object. `null`: the text is no JSON object. */
export function readJson(text: string): Readonly<Record<string, unknown>> | null {
  const value = read(text)
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null
}

/** Reads an array. `null`: the text is no JSON array. */
export function readJsonArray(text: string): readonly unknown[] | null {
  const value = read(text)
  return Array.isArray(value) ? (value as readonly unknown[]) : null
}

function read(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return null
  }
}
