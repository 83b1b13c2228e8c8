/** Chooses the place and the language of each generated file, and the path by which a migrated file imports the one of its package. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { ts } from 'ts-morph'
import { isChangedByHand } from './generated/changed-helper.ts'
import { composeHelper, isHelperText, readHelper, textAboveHelper } from './generated/compose.ts'
import { isCommonJs } from './module-kind.ts'
import type { Workspace } from './workspace.ts'

const NAME = 'redis-from-ioredis'
type Language = 'ts' | 'mjs' | 'cjs'

/** Extensions of files that an import of the generated file could find in its place. */
const RIVALS: Readonly<Record<Language, readonly string[]>> = {
  ts: ['ts', 'tsx', 'd.ts', 'js', 'jsx'],
  mjs: ['mjs'],
  cjs: ['cjs'],
}

export interface HelperFile {
  readonly path: string
  readonly language: Language
  readonly names: Set<string>
  readonly chained: Set<string>
  /** Text on disk; null if the run creates the file. */
  readonly before: string | null
}

interface GeneratedText {
  readonly path: string
  readonly before: string | null
  readonly after: string
}

export class HelperFiles {
  readonly #workspace: Workspace
  readonly #target: 5 | 6
  readonly #files = new Map<string, HelperFile>()
  /** Folders of the packages whose migrated JavaScript uses `require`. */
  readonly #commonJs = new Set<string>()

  constructor(workspace: Workspace, target: 5 | 6) {
    this.#workspace = workspace
    this.#target = target
  }

  /** Announces the files that will import helpers. Must run before the first call of `fileFor`. */
  prepare(sources: readonly ts.SourceFile[]): void {
    for (const source of sources) {
      if (isCommonJs(source)) this.#commonJs.add(this.#workspace.packageOf(source.fileName).folder)
    }
  }

  /** The generated file for a migrated file. */
  fileFor(source: ts.SourceFile): HelperFile {
    const { folder } = this.#workspace.packageOf(source.fileName)
    const language = this.#languageFor(source, folder)
    const home =
      existsSync(join(folder, 'src')) && source.fileName.startsWith(join(folder, 'src') + sep)
        ? join(folder, 'src')
        : folder
    const path = this.#pathFor(folder, home, language)
    let file = this.#files.get(path)
    if (!file) {
      const before = existsSync(path) ? readFileSync(path, 'utf8') : null
      const known = before === null ? { names: [], chained: [] } : readHelper(before)
      file = { path, language, names: new Set(known.names), chained: new Set(known.chained), before }
      this.#files.set(path, file)
    }
    return file
  }

  /** What a person should know: a file has another name than the marks say, or replaces a text that a person changed. */
  notes(cwd: string): string[] {
    const local = (path: string): string => relative(cwd, path).split(sep).join('/')
    const renamed = [...this.#files.keys()]
      .filter((path) => !basename(path).startsWith(`${NAME}.`))
      .map(
        (path) =>
          `The project has a file ${NAME} of its own, so the helpers are in ${local(path)}. Where a mark names ${NAME}, it means this file.`,
      )
    const replaced = this.replacedTexts().map(
      ({ path, from }) =>
        `${local(from)} differs from what this codemod generates, and this run writes it anew with more helpers. The former text is in ${local(path)}. Copy your changes to the new file, then delete the old one.`,
    )
    return [...renamed, ...replaced]
  }

  /** The path by which `source` imports `file`. */
  specifierFor(source: ts.SourceFile, file: HelperFile): string {
    const path = relative(dirname(source.fileName), file.path).split(sep).join('/')
    const local = path.startsWith('.') ? path : `./${path}`
    return file.language === 'ts' ? local.replace(/\.ts$/, this.#extensionFor(source)) : local
  }

  /** All generated files and their texts. A file that has all helpers already stays as it is, because a person may have changed it. */
  texts(): GeneratedText[] {
    return [...this.#files.values()]
      .filter(({ names }) => names.size > 0)
      .map((file) => {
        const { path, language, names, chained, before } = file
        if (before !== null && isComplete(file, before)) return { path, before, after: before }
        const above = before === null ? '' : textAboveHelper(before)
        return { path, before, after: above + composeHelper({ names, chained, target: this.#target, language }) }
      })
  }

  /** New files for the texts that a person changed and that `texts()` replaces. `from`: where each text was. */
  replacedTexts(): (GeneratedText & { readonly from: string })[] {
    return this.texts().flatMap(({ path, before, after }) => {
      const language = this.#files.get(path)?.language
      if (before === null || before === after || !language) return []
      if (!isChangedByHand(before.slice(textAboveHelper(before).length), language)) return []
      return [{ path: freeName(`${path}.orig`), before: null, after: before, from: path }]
    })
  }

  #pathFor(folder: string, home: string, language: Language): string {
    // One file for a package: a second one would know nothing of the clients of the first.
    const inSrc = join(folder, 'src')
    const known = [...this.#files.keys()].find(
      (path) => [inSrc, folder].includes(dirname(path)) && path.endsWith(`.${language}`),
    )
    return known ?? generatedIn(inSrc, language) ?? generatedIn(folder, language) ?? freePath(home, language)
  }

  #languageFor(source: ts.SourceFile, folder: string): Language {
    if (/\.[cm]?tsx?$/.test(source.fileName)) return 'ts'
    if (this.#workspace.compilerOptions(source.fileName).allowJs === true && existsSync(join(folder, 'tsconfig.json')))
      return 'ts'
    return this.#commonJs.has(folder) ? 'cjs' : 'mjs'
  }

  /** The extension that other imports of the file have, or that Node needs. */
  #extensionFor(source: ts.SourceFile): string {
    // Node adds no extension in a module of this name, whatever the package is.
    if (/\.m[jt]s$/.test(source.fileName)) return '.js'
    const extensions = source.statements.flatMap((statement) => {
      const module =
        (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) && statement.moduleSpecifier
      const match = module && ts.isStringLiteral(module) ? /^\.{1,2}\/.*?(\.[cm]?[jt]sx?)?$/.exec(module.text) : null
      return match ? [match[1] ?? ''] : []
    })
    const [first] = extensions
    if (first !== undefined) return first.includes('t') ? '.ts' : first === '' ? '' : '.js'
    const { module, moduleResolution } = this.#workspace.compilerOptions(source.fileName)
    const isNode =
      moduleResolution === ts.ModuleResolutionKind.NodeNext ||
      moduleResolution === ts.ModuleResolutionKind.Node16 ||
      module === ts.ModuleKind.NodeNext ||
      module === ts.ModuleKind.Node16
    const isModule =
      /\.mts$/.test(source.fileName) || this.#workspace.packageOf(source.fileName).manifest['type'] === 'module'
    return isNode && isModule ? '.js' : ''
  }
}

/** The file that an earlier run generated in this folder, also under another name than the first. */
function generatedIn(folder: string, language: Language): string | undefined {
  if (!existsSync(folder)) return undefined
  const name = new RegExp(`^${NAME}(?:-\\d+)?\\.${language}$`)
  return readdirSync(folder)
    .filter((file) => name.test(file))
    .map((file) => join(folder, file))
    .find(isGenerated)
}

/** A path for a new file. The codemod never overwrites a file that it did not generate: then the name gets a number. */
function freePath(folder: string, language: Language): string {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? NAME : `${NAME}-${count}`
    const rivals = RIVALS[language].map((extension) => join(folder, `${name}.${extension}`))
    if (!rivals.some((path) => existsSync(path) && !isGenerated(path))) return join(folder, `${name}.${language}`)
  }
}

function freeName(path: string): string {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? path : `${path}-${count}`
    if (!existsSync(name)) return name
  }
}

function isComplete({ names, chained }: HelperFile, before: string): boolean {
  const known = readHelper(before)
  return (
    [...names].every((name) => known.names.includes(name)) && [...chained].every((name) => known.chained.includes(name))
  )
}

function isGenerated(path: string): boolean {
  return isHelperText(readFileSync(path, 'utf8'))
}
