/** Finds the packages that an application needs and lacks, and the commands that install them. */
import { spawn } from 'node:child_process'
import type { PackageManager, Project } from '../project/project.ts'
import { ownManifest, ownPackage } from './own-package.ts'

export interface NeededPackages {
  /** At run time. */
  readonly run: readonly string[]
  /** During development only. */
  readonly dev: readonly string[]
}

export interface MissingPackages extends NeededPackages {
  /** Listed in package.json, but not installed. */
  readonly named: readonly string[]
}

type Command = readonly string[]

/** Version ranges of packages that are not a peer dependency of this package. */
const OTHER_RANGES: Readonly<Record<string, string>> = {
  '@hono/node-server': '^2.0.0',
  react: '^19.0.0',
  'react-dom': '^19.0.0',
  typescript: '^6.0.0',
  '@types/express': '^5.0.0',
  '@types/node': '^20.19.0',
  '@types/react': '^19.0.0',
  tsx: '^4.0.0',
}

const MANAGERS: Readonly<Record<PackageManager, { add: Command; addDev: Command; run: string }>> = {
  npm: { add: ['npm', 'install'], addDev: ['npm', 'install', '--save-dev'], run: 'npx' },
  pnpm: { add: ['pnpm', 'add'], addDev: ['pnpm', 'add', '--save-dev'], run: 'pnpm exec' },
  yarn: { add: ['yarn', 'add'], addDev: ['yarn', 'add', '--dev'], run: 'yarn' },
  bun: { add: ['bun', 'add'], addDev: ['bun', 'add', '--dev'], run: 'bunx' },
}

/** Packages of the framework, and of every application with Coatcheck. */
export function neededPackages(packages: readonly string[], devPackages: readonly string[]): NeededPackages {
  return { run: ['coatcheck', 'redis', ...packages], dev: ['oidc-provider', ...devPackages] }
}

export function missingPackages(project: Project, { run, dev }: NeededPackages): MissingPackages {
  const missing = [...run, ...dev].filter((name) => !project.isInstalled(name))
  const isNew = (name: string): boolean => missing.includes(name) && !project.dependsOn(name)
  return { named: missing.filter((name) => project.dependsOn(name)), run: run.filter(isNew), dev: dev.filter(isNew) }
}

/**
 * Commands in the order in which they run; none if nothing is missing. A package that package.json lists is installed in that version, and
 * so is every package of a manifest that `init` writes.
 */
export function installCommands(project: Project, { named, run, dev }: MissingPackages): readonly Command[] {
  const { packageManager, manifest } = project
  const { add, addDev } = MANAGERS[packageManager]
  const before = needsTarball(project, named, run) ? ownPackage().before : []
  if (manifest === null) return run.length + dev.length > 0 ? [...before, [packageManager, 'install']] : []
  return [
    ...before,
    ...(named.length > 0 ? [[packageManager, 'install']] : []),
    ...(run.length > 0 ? [[...add, ...run.map(specOf)]] : []),
    ...(dev.length > 0 ? [[...addDev, ...dev.map(specOf)]] : []),
  ]
}

/** Whether a command will install the tarball of a checkout that does not exist yet. */
function needsTarball(project: Project, named: readonly string[], run: readonly string[]): boolean {
  const { spec, range } = ownPackage()
  const isNamed = named.includes('coatcheck') && project.manifest?.dependencies?.coatcheck === range
  return (isNamed || run.includes('coatcheck')) && !project.has(spec)
}

/** Command that starts programs of the project's packages, such as `npx` for npm. */
export function runnerOf({ packageManager }: Project): string {
  return MANAGERS[packageManager].run
}

/** @returns whether the command exited with 0; its output goes to stderr */
export function install([file = '', ...args]: Command, folder: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: folder, stdio: ['ignore', 2, 2] })
    child.once('error', () => resolve(false))
    child.once('close', (code) => resolve(code === 0))
  })
}

/** Version ranges for the `dependencies` of a new package.json. */
export function rangesOf(names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries([...names].sort().map((name) => [name, rangeOf(name) ?? '*']))
}

/** `redis@6` installs the newest version 6. The Windows command prompt would drop a caret. */
function specOf(name: string): string {
  if (name === 'coatcheck') return ownPackage().spec
  const [major] = /\d+/.exec(rangeOf(name) ?? '') ?? []
  return major === undefined ? name : `${name}@${major}`
}

function rangeOf(name: string): string | undefined {
  if (name === 'coatcheck') return ownPackage().range
  // The newest supported range.
  return OTHER_RANGES[name] ?? ownManifest().peerDependencies[name]?.split(' || ').at(-1)
}
