/** The packages of a project: where each begins, how its code is checked, and which of them import each other by name. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { ts } from 'ts-morph'
import { parseJson } from '../../core/json.ts'
import { moduleAliases } from './aliases.ts'

export interface PackageFolder {
  readonly folder: string
  readonly manifest: Readonly<Record<string, unknown>>
}

export class Workspace {
  readonly #cwd: string
  readonly #packages = new Map<string, PackageFolder>()
  readonly #options = new Map<string, ts.CompilerOptions>()

  constructor(cwd: string) {
    this.#cwd = cwd
  }

  /** The package that a file belongs to: the nearest folder with a package.json, at most that of the run. */
  packageOf(file: string): PackageFolder {
    const folder = nearest(dirname(file), this.#cwd, 'package.json') ?? this.#cwd
    let found = this.#packages.get(folder)
    if (!found) {
      found = { folder, manifest: readObject(join(folder, 'package.json')) }
      this.#packages.set(folder, found)
    }
    return found
  }

  /** True if the project checks this file for null and undefined: only then does a type say that a value is there. */
  isStrict(file: string): boolean {
    if (/\.[cm]?jsx?$/.test(file)) return false
    const options = this.compilerOptions(file)
    return options.strictNullChecks ?? options.strict ?? false
  }

  /** Options of the nearest tsconfig.json; none without one. */
  compilerOptions(file: string): ts.CompilerOptions {
    const folder = nearest(dirname(file), this.#cwd, 'tsconfig.json')
    if (folder === null) return {}
    let options = this.#options.get(folder)
    if (!options) {
      options = readOptions(join(folder, 'tsconfig.json'))
      this.#options.set(folder, options)
    }
    return options
  }

  /** `paths` for the type checker: those of each tsconfig.json, and packages of the workspace by name. */
  paths(files: readonly string[]): Record<string, string[]> {
    const paths: Record<string, string[]> = {}
    for (const folder of new Set(files.map((file) => this.packageOf(file).folder))) {
      const { manifest } = this.packageOf(join(folder, 'x'))
      if (typeof manifest['name'] === 'string' && folder !== this.#cwd)
        Object.assign(paths, pathsOfPackage(folder, manifest['name'], manifest))
      Object.assign(paths, moduleAliases(folder, manifest))
      const { baseUrl, paths: ofJavaScript }: { baseUrl?: string; paths?: ts.MapLike<string[]> } = readOptions(
        join(folder, 'jsconfig.json'),
      )
      for (const [pattern, targets] of Object.entries(ofJavaScript ?? {}))
        paths[pattern] ??= targets.map((target) => resolve(baseUrl ?? folder, target))
    }
    for (const file of files) {
      const options: { paths?: ts.MapLike<string[]>; baseUrl?: string; pathsBasePath?: unknown } =
        this.compilerOptions(file)
      if (options.baseUrl !== undefined) paths['*'] = [...new Set([...(paths['*'] ?? []), join(options.baseUrl, '*')])]
      const base = options.baseUrl ?? (options.pathsBasePath as string | undefined)
      if (base === undefined) continue
      for (const [pattern, targets] of Object.entries(options.paths ?? {}))
        paths[pattern] ??= targets.map((target) => resolve(base, target))
    }
    // What bundlers and test runners often call the sources; a tsconfig.json that says otherwise has been read before.
    for (const folder of new Set(files.map((file) => this.packageOf(file).folder))) {
      for (const alias of ['@/*', '~/*']) {
        paths[alias] = [...(paths[alias] ?? []), join(folder, 'src/*'), join(folder, '*')]
      }
    }
    return paths
  }
}

/** The nearest folder with the file, from `from` up to `top`; null if there is none. */
function nearest(from: string, top: string, name: string): string | null {
  for (let at = from; ; at = dirname(at)) {
    if (existsSync(join(at, name))) return at
    if (at === top || !at.startsWith(top + sep)) return null
  }
}

function readOptions(path: string): ts.CompilerOptions {
  if (!existsSync(path)) return {}
  const { config } = ts.readConfigFile(path, (file) => readFileSync(file, 'utf8')) as { config?: unknown }
  if (typeof config !== 'object' || config === null) return {}
  const host: ts.ParseConfigHost = {
    useCaseSensitiveFileNames: true,
    // Only the options count here, not which files the configuration names.
    readDirectory: () => [],
    fileExists: (file) => existsSync(file),
    readFile: (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined),
  }
  return ts.parseJsonConfigFileContent(config, host, dirname(path), undefined, path).options
}

const ENTRIES = [
  'src/index.ts',
  'src/index.tsx',
  'src/main.ts',
  'index.ts',
  'lib/index.ts',
  'src/index.js',
  'index.js',
  'lib/index.js',
  'src/index.mjs',
  'index.mjs',
  'index.cjs',
]

/** A package of the workspace by its source, since nothing may be built or installed. */
function pathsOfPackage(
  folder: string,
  name: string,
  manifest: Readonly<Record<string, unknown>>,
): Record<string, string[]> {
  const written = [manifest['source'], manifest['types'], manifest['typings'], manifest['module'], manifest['main']]
    .filter((entry): entry is string => typeof entry === 'string')
    .flatMap((entry) => [entry, entry.replace(/^(?:\.\/)?(?:dist|build|lib|out)\//, 'src/')])
    .flatMap((entry) => [entry.replace(/(?:\.d)?\.[cm]?[jt]s$/, '.ts'), entry])
    .filter((entry) => !/\.d\.[cm]?ts$/.test(entry) && !/^(?:\.\/)?(?:dist|build|out)\//.test(entry))
  const entry = [...written, ...ENTRIES].map((one) => join(folder, one)).find((path) => existsSync(path))
  return {
    ...(entry === undefined ? {} : { [name]: [entry] }),
    [`${name}/*`]: [join(folder, 'src/*'), join(folder, '*')],
  }
}

function readObject(path: string): Readonly<Record<string, unknown>> {
  if (!existsSync(path)) return {}
  try {
    const value: unknown = parseJson(readFileSync(path, 'utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** Folders `node_modules/@types` from a folder upwards, and those of packages below it. */
export function typeRoots(cwd: string, packageFolders: readonly string[]): string[] {
  const roots = packageFolders.map((folder) => join(folder, 'node_modules/@types'))
  for (let at = cwd; ; at = dirname(at)) {
    roots.push(join(at, 'node_modules/@types'))
    if (dirname(at) === at) break
  }
  return [...new Set(roots)].filter((root) => existsSync(root) && readdirSync(root).includes('node'))
}
