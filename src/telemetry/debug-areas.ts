/** Reads `DEBUG` like the package "debug": names separated by commas or spaces, `*` for any text, `-` in front to exclude a name. */
import type { LogArea } from './log-lines.ts'

/** Returns whether the variable selects this area, such as `coatcheck:session`. */
export function debugAreas(variable: string): (area: LogArea) => boolean {
  const patterns = variable.split(/[\s,]+/).filter((pattern) => pattern !== '')
  const matches = (pattern: string, name: string): boolean =>
    new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`).test(name)
  return (area) => {
    const name = `coatcheck:${area}`
    const isMeant = (pattern: string): boolean => matches(pattern, name) || matches(pattern, 'coatcheck')
    const isExcluded = patterns.some((pattern) => pattern.startsWith('-') && isMeant(pattern.slice(1)))
    return !isExcluded && patterns.some((pattern) => !pattern.startsWith('-') && isMeant(pattern))
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
}
