/** Finds the dependency sections of a package.json by their position, and edits single entries. Everything else of the text stays. */
import { ts } from 'ts-morph'
import { parseJson } from '../../core/json.ts'

const SECTIONS = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies']

interface Entry {
  readonly name: string
  /** Empty if the value is no text. */
  readonly value: string
  /** Offset of the quote before the name. */
  readonly start: number
  /** Offset behind the value. */
  readonly end: number
  /** The text between name and value, such as `: `. */
  readonly colon: string
}

/** An object of the file with its entries. */
interface Block {
  /** Offset of `{`. */
  readonly open: number
  /** Offset of `}`. */
  readonly close: number
  readonly entries: readonly Entry[]
}

export interface Section extends Block {
  /** Such as `devDependencies`. */
  readonly name: string
}

/** Returns the dependency sections that the file has. `null`: the text is no JSON object. */
export function sectionsOf(text: string): Section[] | null {
  const root = rootOf(text)
  if (root === null) return null
  return root.properties.flatMap((property) => {
    if (!ts.isPropertyAssignment(property) || !ts.isObjectLiteralExpression(property.initializer)) return []
    const name = nameOf(property)
    return SECTIONS.includes(name) ? [{ name, ...blockOf(text, property.initializer) }] : []
  })
}

function rootOf(text: string): ts.ObjectLiteralExpression | null {
  try {
    parseJson(text)
  } catch {
    return null
  }
  const [statement] = ts.parseJsonText('package.json', text).statements
  return statement && ts.isObjectLiteralExpression(statement.expression) ? statement.expression : null
}

function blockOf(text: string, object: ts.ObjectLiteralExpression): Block {
  const entries = object.properties.filter(ts.isPropertyAssignment).map((property) => ({
    name: nameOf(property),
    value: ts.isStringLiteral(property.initializer) ? property.initializer.text : '',
    start: text.indexOf('"', property.pos),
    end: property.end,
    colon: /^\s*:\s*/.exec(text.slice(property.name.end))?.[0] ?? ': ',
  }))
  return { open: text.indexOf('{', object.pos), close: object.end - 1, entries }
}

function nameOf({ name }: ts.PropertyAssignment): string {
  return ts.isStringLiteral(name) ? name.text : ''
}

/** Returns the index at which the name keeps a section in alphabetical order. `null`: the section is in another order. */
export function placeOfName({ entries }: Section, name: string): number | null {
  const isSorted = entries.every((entry, at) => at === 0 || (entries[at - 1]?.name ?? '') < entry.name)
  if (!isSorted) return null
  const before = entries.findIndex((entry) => entry.name > name)
  return before === -1 ? entries.length : before
}

interface NewEntry {
  /** A section of this text, or the name of a section that the file lacks. */
  readonly section: Section | string
  readonly name: string
  readonly value: string
  /** Index of the new entry in the section. */
  readonly at: number
}

export function insertEntry(text: string, { section, name, value, at }: NewEntry): string {
  if (typeof section !== 'string') return insertInto(text, section, name, JSON.stringify(value), at)
  const root = rootOf(text)
  if (root === null) return text
  const block = blockOf(text, root)
  const { colon = ': ' } = block.entries[0] ?? {}
  const isOneLine = block.entries.length > 0 && !text.slice(block.open, block.close).includes('\n')
  const [unit, eol] = [unitOf(text), eolOf(text)]
  const gap = colon.endsWith(' ') ? ' ' : ''
  const entry = `${JSON.stringify(name)}${colon}${JSON.stringify(value)}`
  const body = isOneLine ? `{${gap}${entry}${gap}}` : `{${eol}${unit}${unit}${entry}${eol}${unit}}`
  return insertInto(text, block, section, body, block.entries.length)
}

/** @param value as JSON */
function insertInto(text: string, block: Block, name: string, value: string, at: number): string {
  const { open, close, entries } = block
  const [first] = entries
  if (!first) {
    const [unit, eol] = [unitOf(text), eolOf(text)]
    const outer = /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', open) + 1))?.[0] ?? ''
    const entry = `${JSON.stringify(name)}: ${value}`
    return `${text.slice(0, open + 1)}${eol}${outer}${unit}${entry}${eol}${outer}${text.slice(close)}`
  }
  const entry = `${JSON.stringify(name)}${first.colon}${value}`
  const next = entries[at]
  const last = entries.at(-1) ?? first
  // The whitespace in front of its neighbor also stands in front of the new entry.
  if (next) return `${text.slice(0, next.start)}${entry},${spaceBefore(text, next.start)}${text.slice(next.start)}`
  return `${text.slice(0, last.end)},${spaceBefore(text, last.start)}${entry}${text.slice(last.end)}`
}

export function removeEntry(text: string, { open, close, entries }: Section, name: string): string {
  const at = entries.findIndex((entry) => entry.name === name)
  const [before, entry, next] = [entries[at - 1], entries[at], entries[at + 1]]
  if (!entry) return text
  if (next) return text.slice(0, entry.start) + text.slice(next.start)
  if (before) return text.slice(0, before.end) + text.slice(entry.end)
  return text.slice(0, open + 1) + text.slice(close)
}

function spaceBefore(text: string, offset: number): string {
  return /\s*$/.exec(text.slice(0, offset))?.[0] ?? ''
}

/** One step of indentation. */
function unitOf(text: string): string {
  return /^[ \t]+(?=")/m.exec(text)?.[0] ?? '  '
}

function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}
