/** The packages that an application needs and lacks, and how they are installed. Versions follow what this package supports. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Manifest, Project } from '../project/project.ts'
import type { Template } from './template.ts'

export interface MissingPackages {
  /** Named in package.json already, and not installed. */
  readonly named: readonly string[]
  readonly run: readonly string[]
  readonly dev: readonly string[]
}

/** What no peer dependency of ours says. */
const OTHER_RANGES: Readonly<Record<string, string>> = {
  '@hono/node-server': '^2.0.0',
  react: '^19.0.0',
  'react-dom': '^19.0.0',
  typescript: '^6.0.0',
  '@types/node': '^20.19.0',
  '@types/react': '^19.0.0',
  tsx: '^4.0.0',
}

const needsOf = ({ packages, devPackages }: Template): Omit<MissingPackages, 'named'> => ({
  run: ['coatcheck', 'redis', ...packages],
  dev: ['oidc-provider', ...devPackages],
})

export function missingPackages(project: Project, template: Template): MissingPackages {
  const { run, dev } = needsOf(template)
  const missing = [...run, ...dev].filter((name) => !project.isInstalled(name))
  const isNew = (name: string): boolean => missing.includes(name) && !project.dependsOn(name)
  return { named: missing.filter((name) => project.dependsOn(name)), run: run.filter(isNew), dev: dev.filter(isNew) }
}

/** None when nothing is missing. What stands in package.json, or in the one that we write, is installed as it stands there. */
export function installCommands(project: Project, missing: MissingPackages): readonly (readonly string[])[] {
  const { packageManager: manager, manifest } = project
  const { named, run, dev } = missing
  if (manifest === null) return run.length + dev.length > 0 ? [[manager, 'install']] : []
  const add = manager === 'npm' ? 'install' : 'add'
  const asDev = manager === 'npm' ? '--save-dev' : '-D'
  return [
    ...(named.length > 0 ? [[manager, 'install']] : []),
    ...(run.length > 0 ? [[manager, add, ...run.map(withRange)]] : []),
    ...(dev.length > 0 ? [[manager, add, asDev, ...dev.map(withRange)]] : []),
  ]
}

/** @returns whether it went well; its output goes to stderr */
export function install([file = '', ...args]: readonly string[], folder: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: folder, stdio: ['ignore', 2, 2] })
    child.once('error', () => resolve(false))
    child.once('close', (code) => resolve(code === 0))
  })
}

/** For a folder that has no package.json. */
export function newManifest(name: string, template: Template): string {
  const { run, dev } = needsOf(template)
  const ranges = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries([...names].sort().map((one) => [one, rangeOf(one) ?? '*']))
  const manifest: Manifest & { private: true } = {
    name,
    private: true,
    type: 'module',
    scripts: template.scripts,
    dependencies: ranges(run),
    devDependencies: ranges(dev),
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** A name that npm takes, from one that a folder has. */
export function packageNameOf(folderName: string): string {
  const name = folderName
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return name || 'app'
}

function withRange(name: string): string {
  const range = rangeOf(name)
  return name === 'coatcheck' || range === undefined ? name : `${name}@${range}`
}

function rangeOf(name: string): string | undefined {
  const { version, peerDependencies } = ownManifest()
  // The newest that is supported.
  return name === 'coatcheck' ? `^${version}` : (OTHER_RANGES[name] ?? peerDependencies[name]?.split(' || ').at(-1))
}

function ownManifest(): { readonly version: string; readonly peerDependencies: Readonly<Record<string, string>> } {
  return JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as ReturnType<
    typeof ownManifest
  >
}
