/** What the report says about files that the run does not change. */
import { existsSync, readFileSync } from 'node:fs'
import { relative, resolve, sep } from 'node:path'
import type { MigrationOptions } from './report.ts'

/** A text that imports ioredis, a part of its package, or ioredis-mock. */
export const NAMES_IOREDIS = /['"]ioredis(?:['"/]|-mock)/

export function notesBefore(
  options: MigrationOptions,
  sources: readonly string[],
  selected: readonly string[],
  texts: ReadonlyMap<string, string>,
): string[] {
  const named = sources.filter((path) => NAMES_IOREDIS.test(texts.get(path) ?? ''))
  for (const path of options.paths) {
    if (!existsSync(resolve(options.cwd, path))) return [`The path ${path} does not exist.`]
  }
  if (sources.length === 0) return ['No TypeScript or JavaScript file was found.']
  if (named.length === 0) return [`No import of ioredis was found in ${sources.length} files.`]
  if (selected.length === 0) return ['--include, --exclude or the paths leave no file.']
  const left = named.filter((path) => !selected.includes(path))
  return left.length === 0
    ? []
    : [`Files with ioredis that were not selected: ${left.map((path) => relative(options.cwd, path)).join(', ')}.`]
}

/**
 * @param unread files that name ioredis
 * @param built folders that the run does not read, with their sources
 */
export function notesOfUnread(
  { cwd }: MigrationOptions,
  unread: readonly string[],
  built: ReadonlyMap<string, readonly string[]>,
): string[] {
  const pathOf = (path: string): string => relative(cwd, path).split(sep).join('/')
  const named = [...built].flatMap(([folder, paths]) => {
    const count = paths.filter((path) => NAMES_IOREDIS.test(readFileSync(path, 'utf8'))).length
    return count === 0 ? [] : [{ folder: pathOf(folder), count }]
  })
  const notes: string[] = []
  if (unread.length > 0)
    notes.push(`The codemod does not read these files, and they name ioredis: ${unread.map(pathOf).join(', ')}.`)
  if (named.length > 0) {
    const files = named.reduce((sum, { count }) => sum + count, 0)
    const folders = named.map(({ folder }) => folder)
    notes.push(
      `The codemod does not read folders with these names, and ${files} of their files name ioredis: ${folders.join(', ')}. Built files need a new build. To rewrite files that people write, add the folder to the paths: coatcheck migrate ioredis . ${folders.join(' ')}`,
    )
  }
  return notes
}
