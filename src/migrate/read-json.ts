/**
 * Parses JSON that another library stored. A value that is no JSON gives `null`, and its caller leaves it alone. Very deep JSON gives `null`
 * too, because comparing, merging and writing it would overflow the stack.
 */
import { parseJson } from '../core/json.ts'

/** Levels. Data of applications has fewer. A stack overflows far above this. */
const MAX_DEPTH = 256
const [QUOTE, BACKSLASH] = [0x22, 0x5c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

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

/** Returns whether a JSON text has more than 256 levels. It reads the text once, without recursion. */
export function isTooDeep(text: string): boolean {
  // Each level takes two brackets.
  if (text.length <= 2 * MAX_DEPTH) return false
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at)
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT) depth++
    else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) depth--
    if (depth > MAX_DEPTH) return true
  }
  return false
}

function read(text: string): unknown {
  if (isTooDeep(text)) return null
  try {
    return parseJson(text)
  } catch {
    return null
  }
}

/** Returns the index of the quotation mark that closes the string at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++
    if (escapes % 2 === 0) return end
  }
  return text.length
}
