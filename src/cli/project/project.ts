/** Reads the folder of an application: its manifest, its packages, its package manager. Never writes. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { processEnvironment } from '../../config/environment.ts'
import { UsageError } from '../usage-error.ts'

export interface Manifest {
  readonly name?: string
  readonly type?: string
  readonly main?: string
  /** Name and version, such as `pnpm@10.0.0` (Corepack). */
  readonly packageManager?: string
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const packageManagers = ['npm', 'pnpm', 'yarn', 'bun'] as const
export type PackageManager = (typeof packageManagers)[number]

const LOCK_FILES: readonly (readonly [string, PackageManager])[] = [
  ['package-lock.json', 'npm'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
]

export interface Project {
  readonly folder: string
  /** `null`: there is no package.json. */
  readonly manifest: Manifest | null
  readonly packageManager: PackageManager
  /** Folders of package programs: this folder first, then its parents. */
  readonly binFolders: readonly string[]
  has(file: string): boolean
  /** Whether the manifest lists the package. */
  dependsOn(name: string): boolean
  /** Whether Node would find the package: here, or in a parent folder (a workspace). */
  isInstalled(name: string): boolean
  /** The major version: of the installed package, otherwise from the manifest; `null` if neither shows it. */
  majorOf(name: string): number | null
}

/** @throws {UsageError} if package.json cannot be read */
export function readProject(folder: string): Project {
  const manifest = readManifest(join(folder, 'package.json'))
  const named: Readonly<Record<string, string>> = { ...manifest?.devDependencies, ...manifest?.dependencies }
  const installed = (name: string): string | undefined =>
    withParents(folder)
      .map((parent) => join(parent, 'node_modules', name, 'package.json'))
      .find((path) => existsSync(path))
  return {
    folder,
    manifest,
    packageManager: packageManagerOf(folder),
    binFolders: withParents(folder).map((parent) => join(parent, 'node_modules', '.bin')),
    has: (file) => existsSync(join(folder, file)),
    dependsOn: (name) => Object.hasOwn(named, name),
    isInstalled: (name) => installed(name) !== undefined,
    majorOf(name) {
      const path = installed(name)
      const version = path === undefined ? named[name] : (readManifest(path) as { version?: string } | null)?.version
      const [major] = /\d+/.exec(version ?? '') ?? []
      return major === undefined ? null : Number(major)
    },
  }
}

/**
 * Lock files and the manifest decide: here first, then in the parent folders, because a workspace has its lock file at its root. Without
 * any of them, the program that started this process decides.
 */
function packageManagerOf(folder: string): PackageManager {
  for (const parent of withParents(folder)) {
    const named = nameOf(readManifest(join(parent, 'package.json'))?.packageManager)
    const locked = LOCK_FILES.find(([file]) => existsSync(join(parent, file)))?.[1]
    const found = named ?? locked
    if (found !== undefined) return found
  }
  // For example `pnpm/10.0.0 npm/? node/v22.0.0 linux x64`. All four package managers set it for the programs that they run.
  return nameOf(processEnvironment().npm_config_user_agent) ?? 'npm'
}

function nameOf(text: string | undefined): PackageManager | undefined {
  return packageManagers.find((name) => new RegExp(`^${name}[@/]`).test(text ?? ''))
}

function readManifest(path: string): Manifest | null {
  if (!existsSync(path)) return null
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Manifest
  } catch {
    throw new UsageError(`${path} is no JSON.`)
  }
}

function withParents(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...withParents(parent)]
}
