/** The package.json of each package whose dependencies a run changes. */
import { existsSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { migrateManifest } from './manifest.ts'
import { NAMES_IOREDIS } from './notes.ts'
import type { FileReport, MigrationOptions } from './report.ts'
import { Workspace } from './workspace.ts'

/** Each package.json whose package uses ioredis. */
export function manifestsAfter(
  { cwd, target }: MigrationOptions,
  all: readonly string[],
  after: ReadonlyMap<string, string>,
  helperFiles: readonly string[],
): FileReport[] {
  const workspace = new Workspace(cwd)
  const folders = new Map<string, string[]>()
  for (const path of all) {
    const { folder } = workspace.packageOf(path)
    folders.set(folder, [...(folders.get(folder) ?? []), path])
  }
  return [...folders].flatMap(([folder, paths]) => {
    const path = join(folder, 'package.json')
    const hasHelper = helperFiles.some((file) => workspace.packageOf(join(cwd, file)).folder === folder)
    if (!existsSync(path) || !hasHelper) return []
    const before = readFileSync(path, 'utf8')
    const usesIoredis = paths.some((one) => NAMES_IOREDIS.test(after.get(one) ?? ''))
    const text = migrateManifest(before, target, usesIoredis)
    return text === before ? [] : [{ path: relative(cwd, path).split(sep).join('/'), before, after: text, sites: [] }]
  })
}
