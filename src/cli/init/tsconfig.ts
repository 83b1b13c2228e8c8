/** Reads the module and folder options of tsconfig.json and of the files that it extends. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export interface CompilerOptions {
  readonly module?: string
  readonly moduleResolution?: string
  readonly target?: string
  readonly rootDir?: string
  readonly outDir?: string
  readonly noEmit?: boolean
  readonly verbatimModuleSyntax?: boolean
  readonly allowImportingTsExtensions?: boolean
  readonly rewriteRelativeImportExtensions?: boolean
  readonly [other: string]: unknown
}

export interface TsConfig {
  readonly options: CompilerOptions
  readonly include: readonly string[]
}

interface RawConfig {
  readonly extends?: string | readonly string[]
  readonly compilerOptions?: CompilerOptions
  readonly include?: readonly string[]
}

/** Limit for chains of `extends`, so that a circular chain ends. */
const MAX_PARENTS = 10

/** @returns the readable parts; `null` if the folder has no tsconfig.json */
export function readTsConfig(folder: string): TsConfig | null {
  const path = join(folder, 'tsconfig.json')
  return existsSync(path) ? configOf(path, MAX_PARENTS) : null
}

function configOf(path: string, parentsLeft: number): TsConfig {
  const { extends: parents = [], compilerOptions, include } = parsed(path)
  let options: CompilerOptions = {}
  for (const parent of parentsLeft > 0 ? [parents].flat() : []) {
    const place = placeOf(parent, dirname(path))
    if (place !== null) options = { ...options, ...configOf(place, parentsLeft - 1).options }
  }
  return { options: { ...options, ...compilerOptions }, include: include ?? [] }
}

/** Resolves a path as the compiler does: a path, with or without extension, or a file in a package. */
function placeOf(name: string, folder: string): string | null {
  const bases = /^\.{0,2}\//.test(name)
    ? [resolve(folder, name)]
    : parentsOf(folder).map((parent) => join(parent, 'node_modules', name))
  const places = bases.flatMap((base) => [base, `${base}.json`, join(base, 'tsconfig.json')])
  return places.find((place) => place.endsWith('.json') && existsSync(place)) ?? null
}

function parentsOf(folder: string): readonly string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...parentsOf(parent)]
}

/** tsconfig.json is JSON with comments and trailing commas. */
function parsed(path: string): RawConfig {
  const text = readFileSync(path, 'utf8').replace(
    /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_all, quoted?: string) => quoted ?? '',
  )
  const json = text.replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, (_all, quoted?: string) => quoted ?? '')
  try {
    return JSON.parse(json) as RawConfig
  } catch {
    return {}
  }
}
