/**
 * Checks session values. They are JSON and read back unchanged. Any other value (Date, Map, bigint, class instances, functions,
 * NaN, cycles) is refused with the path to it. `undefined` in an object means that the field is absent.
 */
import { MisuseError } from '../core/errors.ts'
import { describeValue, safeText } from '../core/redact.ts'

const MAX_DEPTH = 64

/**
 * Returns the value as JSON text: a snapshot that later changes by the caller do not affect. `undefined` for `undefined`.
 * @throws {MisuseError} `COATCHECK_SESSION_VALUE` with the path
 */
export function toJsonText(value: unknown, path: string): string | undefined {
  if (value === undefined) return undefined
  // Two passes: the first builds no path, and nearly every value passes it. The second finds the path for the error.
  if (!isJson(value, [])) assertJson(value, path, 0, [])
  return JSON.stringify(value)
}

/**
 * Returns whether `assertJson` accepts the value.
 * @param above the objects that contain the value, outermost first; the same afterwards as before
 */
function isJson(value: unknown, above: object[]): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || above.length >= MAX_DEPTH || above.includes(value)) return false
  above.push(value)
  const isValid = Array.isArray(value) ? isJsonArray(value, above) : isJsonObject(value, above)
  above.pop()
  return isValid
}

function isJsonArray(values: readonly unknown[], above: object[]): boolean {
  for (let i = 0; i < values.length; i++) if (!isJson(values[i], above)) return false
  return true
}

function isJsonObject(value: object, above: object[]): boolean {
  if (!isPlainObject(value) || Object.getOwnPropertySymbols(value).length > 0) return false
  for (const key of Object.keys(value)) {
    if (key === '__proto__') return false
    const member = (value as Record<string, unknown>)[key]
    if (member !== undefined && !isJson(member, above)) return false
  }
  return true
}

/** @param above the objects that contain the value, outermost first */
function assertJson(value: unknown, path: string, depth: number, above: readonly object[]): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return
    case 'number':
      if (Number.isFinite(value)) return
      break
    case 'object':
      if (value === null) return
      if (above.includes(value)) throw refusal(path, 'an object that lies within itself, a cycle')
      if (depth >= MAX_DEPTH) throw refusal(path, `nested deeper than ${MAX_DEPTH} levels`)
      if (Array.isArray(value)) return assertArray(value, path, depth, [...above, value])
      if (isPlainObject(value)) return assertObject(value, path, depth, [...above, value])
      break
    default:
  }
  throw refusal(path, describe(value))
}

function assertArray(values: readonly unknown[], path: string, depth: number, above: readonly object[]): void {
  for (let i = 0; i < values.length; i++) assertJson(values[i], `${path}[${i}]`, depth + 1, above)
}

function assertObject(value: object, path: string, depth: number, above: readonly object[]): void {
  if (Object.getOwnPropertySymbols(value).length > 0) throw refusal(path, 'an object with symbol keys')
  for (const [key, member] of Object.entries(value)) {
    const memberPath = path === '' ? safeText(key, 60) : `${path}.${safeText(key, 60)}`
    // Own "__proto__" keys survive JSON and become prototypes in the next careless assignment.
    if (key === '__proto__') throw refusal(memberPath, 'a key that would change a prototype')
    if (member !== undefined) assertJson(member, memberPath, depth + 1, above)
  }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

function describe(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (typeof value === 'bigint') return 'a bigint'
  const name: unknown = typeof value === 'object' ? (value as object).constructor.name : undefined
  return typeof name === 'string' && name !== 'Object' ? `an instance of ${safeText(name, 60)}` : describeValue(value)
}

function refusal(path: string, got: string): MisuseError {
  return new MisuseError(
    'COATCHECK_SESSION_VALUE',
    `The session value "${path}" is ${got}, which JSON cannot represent.`,
  )
}
