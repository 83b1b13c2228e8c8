/** `DEBUG` as the package "debug" reads it: names separated by commas or spaces, `*` for anything, `-` in front for "but not". */
import type { LogArea } from './log-lines.ts'

/** Whether the variable asks for what happens in this area, `coatcheck:session`. */
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
