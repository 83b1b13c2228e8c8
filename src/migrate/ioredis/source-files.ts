/** The files of a project that the codemod reads: TypeScript and JavaScript that people write. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { parseJson } from '../../core/json.ts'
import { hasMapOfIoredis } from './module-maps.ts'

const SOURCE = /\.(?:[cm]?ts|tsx|[cm]?js|jsx)$/
const DECLARATION = /\.d\.[cm]?ts$/
/** Folders of packages and of tools. */
const LEFT_ALONE = new Set([
  'node_modules',
  'bower_components',
  'coverage',
  '.git',
  '.next',
  '.nuxt',
  '.output',
  '.svelte-kit',
  '.turbo',
  '.cache',
  '.yarn',
  '.pnpm-store',
  '.vercel',
  '.serverless',
  '.nyc_output',
])
/** Mostly folders of built files. The codemod reads one if the paths of the run name it. */
const BUILT = new Set(['dist', 'build', 'out', 'vendor'])
/** Longer files are bundles. */
const MOST_BYTES = 1_000_000

/**
 * All sources below a folder, sorted.
 * @param named absolute paths that the run names: a folder of built files is read if one of them is or lies in it
 */
export function sourcesBelow(folder: string, named: readonly string[]): string[] {
  return filesBelow(folder, isSource, (path) => isNamed(path, named))
}

/** Folders of built files that the run does not read, each with its sources. */
export function builtFoldersBelow(folder: string, named: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const folders = new Map<string, readonly string[]>()
  filesBelow(
    folder,
    () => false,
    (path) => {
      if (isNamed(path, named)) return true
      folders.set(path, filesBelow(path, isSource))
      return false
    },
  )
  return folders
}

function isNamed(folder: string, named: readonly string[]): boolean {
  return named.some((path) => path === folder || path.startsWith(folder + sep))
}

/** Files with code that the codemod does not read: declarations, and code inside of other languages. */
export function unreadBelow(folder: string): string[] {
  return filesBelow(folder, (name) => DECLARATION.test(name) || /\.(?:vue|svelte|astro|mdx|coffee)$/.test(name))
}

/** JSON files that give another module in place of ioredis, such as `"^ioredis$": "ioredis-mock"` for tests. */
export function testMapsBelow(folder: string): string[] {
  const configurations = filesBelow(folder, (name) => /^package\.json$|^(?:jest|vitest)[\w.-]*\.json$/.test(name))
  return configurations.filter((path) => {
    const text = readFileSync(path, 'utf8')
    try {
      return text.includes('ioredis') && hasMapOfIoredis(parseJson(text))
    } catch {
      return /"\^?ioredis\$"\s*:/.test(text)
    }
  })
}

/** @param readsBuilt whether a folder of built files is read */
function filesBelow(
  folder: string,
  isWanted: (name: string) => boolean,
  readsBuilt: (folder: string) => boolean = () => false,
): string[] {
  const found: string[] = []
  const visit = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name)
      if (entry.isDirectory()) {
        if (!LEFT_ALONE.has(entry.name) && (!BUILT.has(entry.name) || readsBuilt(path))) visit(path)
      } else if (entry.isFile() && isWanted(entry.name) && statSync(path).size <= MOST_BYTES) found.push(path)
    }
  }
  visit(folder)
  return found.sort()
}

function isSource(name: string): boolean {
  return SOURCE.test(name) && !DECLARATION.test(name) && !/\.min\.[cm]?js$/.test(name)
}

export interface Selection {
  readonly cwd: string
  readonly paths: readonly string[]
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
}

/** Whether the run may change a file. */
export function selectionOf({ cwd, paths, include, exclude }: Selection): (path: string) => boolean {
  const roots = (paths.length === 0 ? ['.'] : paths).map((path) => resolve(cwd, path))
  const wanted = include?.map(patternOf)
  const unwanted = (exclude ?? []).map(patternOf)
  return (path) => {
    const name = relative(cwd, path).split(sep).join('/')
    const isBelow = roots.some((root) => path === root || path.startsWith(root + sep))
    if (!isBelow || unwanted.some((pattern) => pattern.test(name))) return false
    return wanted === undefined || wanted.some((pattern) => pattern.test(name))
  }
}

/** A glob with `*`, `**`, `?` and `{a,b}`; a pattern without `/` means a name at any depth, a folder means all below it. */
function patternOf(glob: string): RegExp {
  const clean = glob.replace(/^\.\//, '').replace(/\/$/, '')
  const deep = clean.includes('/') ? clean : `**/${clean}`
  const source = deep
    .replace(/[.+^$()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*\*|\*|\?|\{([^}]*)\}/g, (match, words?: string) => {
      if (match === '**/') return '(?:.*/)?'
      if (match === '**') return '.*'
      if (match === '*') return '[^/]*'
      if (match === '?') return '[^/]'
      return `(?:${(words ?? '').split(',').join('|')})`
    })
  return new RegExp(`^${source}(?:/.*)?$`)
}
