/** Maps of module names, as test runners and bundlers read them: whether one gives another module in place of ioredis. */

/** Maps whose names are patterns. */
const PATTERNS = new Set(['moduleNameMapper'])
/** Maps whose names are names of modules. */
const NAMES = new Set(['alias', '_moduleAliases'])

/**
 * @param map the name of the map
 * @param name a name in the map
 */
export function mapsIoredis(map: string, name: string): boolean {
  if (/^\^ioredis\$$/.test(name)) return true
  if (NAMES.has(map)) return /^ioredis\$?$/.test(name)
  if (!PATTERNS.has(map) || !name.includes('ioredis')) return false
  try {
    return new RegExp(name).test('ioredis')
  } catch {
    return false
  }
}

/** True if a map anywhere in a JSON document gives another module in place of ioredis. */
export function hasMapOfIoredis(document: unknown): boolean {
  if (Array.isArray(document)) return document.some(hasMapOfIoredis)
  if (typeof document !== 'object' || document === null) return false
  return Object.entries(document).some(
    ([key, value]: [string, unknown]) =>
      hasMapOfIoredis(value) ||
      (typeof value === 'object' && value !== null && Object.keys(value).some((name) => mapsIoredis(key, name))),
  )
}
