/** The package.json of each package whose dependencies a run changes. */
import { existsSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { migrateManifest, outdatedRedis } from './manifest.ts'
import { NAMES_IOREDIS } from './notes.ts'
import type { FileReport, MigrationOptions } from './report.ts'
import { Workspace } from './workspace.ts'

interface Manifests {
  readonly files: FileReport[]
  readonly notes: string[]
}

/** Each package.json whose package uses ioredis. */
export function manifestsAfter(
  { cwd, target }: MigrationOptions,
  all: readonly string[],
  after: ReadonlyMap<string, string>,
  helperFiles: readonly string[],
): Manifests {
  const workspace = new Workspace(cwd)
  const folders = new Map<string, string[]>()
  for (const path of all) {
    const { folder } = workspace.packageOf(path)
    folders.set(folder, [...(folders.get(folder) ?? []), path])
  }
  const notes: string[] = []
  const files = [...folders].flatMap(([folder, paths]) => {
    const path = join(folder, 'package.json')
    const hasHelper = helperFiles.some((file) => workspace.packageOf(join(cwd, file)).folder === folder)
    if (!existsSync(path) || !hasHelper) return []
    const before = readFileSync(path, 'utf8')
    const usesIoredis = paths.some((one) => NAMES_IOREDIS.test(after.get(one) ?? ''))
    const text = migrateManifest(before, target, usesIoredis)
    const local = relative(cwd, path).split(sep).join('/')
    const outdated = outdatedRedis(before)
    if (outdated !== null)
      notes.push(
        `${local} asks for redis ${outdated}, and the migrated code needs redis ${target}. The run left the version alone, because other code of the package may need the old one. Change that code and the version.`,
      )
    return text === before ? [] : [{ path: local, before, after: text, sites: [] }]
  })
  return { files, notes }
}
