/** Names that bundlers and loaders give to folders of a project: `@config/redis` for `src/config/redis.js`. */
import { existsSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, resolve } from 'node:path'

const BUILTIN = new Set(builtinModules)

/** Aliases of the package module-alias, as `paths` for the type checker. */
export function moduleAliases(folder: string, manifest: Readonly<Record<string, unknown>>): Record<string, string[]> {
  const aliases = manifest['_moduleAliases']
  if (typeof aliases !== 'object' || aliases === null) return {}
  return Object.fromEntries(
    Object.entries(aliases).flatMap(([name, target]) =>
      typeof target === 'string'
        ? [
            [name, [resolve(folder, target)]],
            [`${name}/*`, [join(resolve(folder, target), '*')]],
          ]
        : [],
    ),
  )
}

/** The file that an alias the codemod cannot read seems to mean, by the end of its path; null for packages. */
export function aliasedFile(specifier: string, from: string, files: Iterable<string>): string | null {
  const name = specifier
    .split('/', specifier.startsWith('@') ? 2 : 1)
    .join('/')
    .replace(/^node:/, '')
  if (BUILTIN.has(name) || isInstalled(name, dirname(from))) return null
  const whole = specifier.replace(/^[@~#]\/?/, '')
  const ends = [whole, whole.slice(whole.indexOf('/') + 1)].map((end) => `/${end}`)
  for (const file of files) {
    const bare = file.replace(/(?:\/index)?\.[cm]?[jt]sx?$/, '')
    if (ends.some((end) => bare.endsWith(end) || file.endsWith(end))) return file
  }
  return null
}

/** True if a package.json from the folder upwards names the package, or `node_modules` holds it. */
function isInstalled(name: string, folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, 'node_modules', name))) return true
    const manifest = join(at, 'package.json')
    if (existsSync(manifest) && readFileSync(manifest, 'utf8').includes(`"${name}"`)) return true
    if (dirname(at) === at) return false
  }
}
