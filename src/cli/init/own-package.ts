/**
 * Decides how `init` installs this copy of the package into a project. A copy from the registry is installed by its name. A copy
 * from a tarball or a checkout is installed from there, because the registry may not have it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface OwnPackage {
  /** Argument for the package manager: a name, or the path of a tarball. */
  readonly spec: string
  /** Version range for the manifest of a new project. */
  readonly range: string
  /** Commands that create the file of `spec`. The running copy is already built, so no build script runs. */
  readonly before: readonly (readonly string[])[]
}

export interface OwnManifest {
  readonly version: string
  readonly peerDependencies: Readonly<Record<string, string>>
}

const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '')

export function ownManifest(): OwnManifest {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as OwnManifest
}

/** @param place folder of this package; a test passes another one */
export function ownPackage(place = root): OwnPackage {
  const { version } = ownManifest()
  if (basename(dirname(place)) !== 'node_modules') {
    const spec = `./coatcheck-${version}.tgz`
    return {
      spec,
      range: `file:${spec}`,
      before: [['npm', 'pack', place, '--ignore-scripts', '--pack-destination', '.']],
    }
  }
  const tarball = tarballOf(place)
  if (tarball !== null) return { spec: tarball, range: `file:${tarball}`, before: [] }
  return { spec: 'coatcheck', range: `^${version}`, before: [] }
}

/** npm records the source of each package, a local tarball as `file:../coatcheck-0.1.0.tgz`. */
function tarballOf(place: string): string | null {
  const packages = dirname(place)
  const notes = join(packages, '.package-lock.json')
  if (!existsSync(notes)) return null
  const { packages: installed = {} } = JSON.parse(readFileSync(notes, 'utf8')) as {
    packages?: Readonly<Record<string, { resolved?: string }>>
  }
  const [, path] = /^file:(.+\.tgz)$/.exec(installed[`node_modules/${basename(place)}`]?.resolved ?? '') ?? []
  if (path === undefined) return null
  const tarball = resolve(dirname(packages), path)
  return existsSync(tarball) ? tarball : null
}
