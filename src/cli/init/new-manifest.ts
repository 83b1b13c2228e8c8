/** The package.json of a project that starts with `coatcheck init`. */
import type { Manifest } from '../project/project.ts'
import { type NeededPackages, rangesOf } from './packages.ts'

export function newManifest(
  folderName: string,
  { run, dev }: NeededPackages,
  scripts: Readonly<Record<string, string>>,
): string {
  const manifest: Manifest & { private: true } = {
    name: packageNameOf(folderName),
    private: true,
    type: 'module',
    scripts,
    dependencies: rangesOf(run),
    devDependencies: rangesOf(dev),
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** Derives a name that npm accepts from the name of a folder. */
function packageNameOf(folderName: string): string {
  const name = folderName
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return name || 'app'
}
