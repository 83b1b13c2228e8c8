/** What the report says about files that the run does not change. */
import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
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
    if (!existsSync(resolve(options.cwd, path))) return [`There is no ${path}.`]
  }
  if (sources.length === 0) return ['No TypeScript or JavaScript file was found.']
  if (named.length === 0) return [`No import of ioredis was found in ${sources.length} files.`]
  if (selected.length === 0) return ['--include, --exclude or the paths leave no file.']
  const left = named.filter((path) => !selected.includes(path))
  return left.length === 0
    ? []
    : [`Files with ioredis that were not selected: ${left.map((path) => relative(options.cwd, path)).join(', ')}.`]
}
