/** The package as a tarball, and empty projects that install it. Used by the tests that see Coatcheck as its users do. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
export const root: string = resolve(import.meta.dirname, '../..')

export interface Packed {
  readonly tarball: string
  /** Paths in the tarball, sorted. */
  readonly files: readonly string[]
}

/** Packs `dist/` as it stands: `scripts/build.mjs` comes first. @param folder where the tarball goes */
export async function pack(folder: string): Promise<Packed> {
  const packing = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const { stdout } = await run('npm', packing, { cwd: root })
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path).sort() }
}

/** A project whose npm takes packages from its cache, and installs them without scripts and messages. */
export function newProject(folder: string, manifest: object): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', ...manifest }))
  writeFileSync(join(folder, '.npmrc'), QUIET.join('\n'))
  return folder
}

const QUIET = ['audit=false', 'fund=false', 'prefer-offline=true', 'ignore-scripts=true', 'loglevel=error']

/** A temporary folder without a `node_modules` above it: npm and Node would find its packages, and hide that one is missing. */
export function placeWithoutPackages(): string {
  const above = (path: string): string[] => (path === dirname(path) ? [path] : [path, ...above(dirname(path))])
  const place = [tmpdir(), '/var/tmp', homedir()].find(
    (path) => existsSync(path) && !above(path).some((parent) => existsSync(join(parent, 'node_modules'))),
  )
  if (place === undefined)
    throw new Error('every temporary folder lies below a node_modules: remove one, or set TMPDIR')
  return place
}

/** The environment without the settings of the npm that may be running this test. */
export function outsideOfNpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(package|lifecycle|config_(local_prefix|workspace))/.test(name),
    ),
  )
}
