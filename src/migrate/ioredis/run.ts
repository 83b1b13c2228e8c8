/** A whole run: reads the project, rewrites each file in memory, then writes what changed. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { ts } from 'ts-morph'
import type { Analysis } from './analysis.ts'
import { withoutAnnotations } from './annotations.ts'
import { Proofs } from './arguments.ts'
import { Bindings } from './bindings.ts'
import type { FileContext } from './file-context.ts'
import { declarationFilesBelow } from './declaration-files.ts'
import { FileEdit } from './file-edit.ts'
import { isHelperText } from './generated/compose.ts'
import { HelperFiles } from './helper-files.ts'
import { migrateManifest } from './manifest.ts'
import { injectionsOf } from './injections.ts'
import { countMarks } from './marks.ts'
import { Kinds } from './kinds.ts'
import { localNames } from './local-names.ts'
import { createProgram, type Program } from './program.ts'
import type { FileReport, MigrationOptions, MigrationReport, Site } from './report.ts'
import { markLeftReferences, rewriteImports } from './rules/imports.ts'
import { selectionOf, sourcesBelow, testMapsBelow, unreadBelow } from './source-files.ts'
import { Connections } from './values/connections.ts'
import { ExportedClients } from './values/exported-clients.ts'
import { visitFile } from './visit.ts'
import { Workspace } from './workspace.ts'

const NAMES_IOREDIS = /['"]ioredis(?:['"/]|-mock)/

export function runMigration(given: MigrationOptions): MigrationReport {
  const options = { ...given, cwd: resolve(given.cwd) }
  const written = sourcesBelow(options.cwd)
  // They come last, so that the generated file lies where the sources are.
  const all = [...written, ...declarationFilesBelow(options.cwd, written, new Workspace(options.cwd))]
  const isSelected = selectionOf(options)
  const texts = new Map(all.map((path) => [path, readFileSync(path, 'utf8')]))
  const sources = all.filter((path) => !isHelperText(texts.get(path) ?? ''))
  const selected = sources.filter(isSelected)
  const notes = notesBefore(options, sources, selected, texts)
  const unread = unreadBelow(options.cwd).filter(
    (path) => !all.includes(path) && NAMES_IOREDIS.test(readFileSync(path, 'utf8')),
  )
  const named = [...unread, ...testMapsBelow(options.cwd)].map((path) => relative(options.cwd, path))
  if (named.length > 0) notes.push(`The codemod does not read these files, and they name ioredis: ${named.join(', ')}.`)
  const hasIoredis = sources.some((path) => NAMES_IOREDIS.test(texts.get(path) ?? ''))
  const run = hasIoredis ? migrate(options, sources, selected, notes) : { files: [], helperFiles: [] }
  const after = new Map(texts)
  for (const { path, after: text } of run.files) after.set(join(options.cwd, path), text)
  for (const path of unread) after.set(path, readFileSync(path, 'utf8'))
  const manifests = hasIoredis ? manifestsAfter(options, [...all, ...unread], after, run.helperFiles) : []
  const files = [...run.files, ...manifests]
  if (options.mode === 'write')
    for (const { path, before, after: text } of files) if (before !== text) writeFileSync(join(options.cwd, path), text)
  return {
    files,
    sites: run.files.flatMap(({ sites }) => sites),
    marksLeft: [...after].filter(([path]) => isSelected(path)).reduce((sum, [, text]) => sum + countMarks(text), 0),
    helperFile: run.helperFiles[0] ?? null,
    helperFiles: run.helperFiles,
    notes,
  }
}

function notesBefore(
  options: MigrationOptions,
  sources: readonly string[],
  selected: readonly string[],
  texts: ReadonlyMap<string, string>,
): string[] {
  const named = sources.filter((path) => NAMES_IOREDIS.test(texts.get(path) ?? ''))
  for (const path of options.paths) {
    if (!existsSync(resolve(options.cwd, path))) return [`There is no ${path}.`]
  }
  if (sources.length === 0) return ['No TypeScript or JavaScript file was found.']
  if (named.length === 0) return [`No import of ioredis was found in ${sources.length} files.`]
  if (selected.length === 0) return ['--include, --exclude or the paths leave no file.']
  const left = named.filter((path) => !selected.includes(path))
  return left.length === 0
    ? []
    : [`Files with ioredis that were not selected: ${left.map((path) => relative(options.cwd, path)).join(', ')}.`]
}

interface Run {
  readonly files: FileReport[]
  readonly helperFiles: string[]
}

function migrate(
  options: MigrationOptions,
  sources: readonly string[],
  selected: readonly string[],
  notes: string[],
): Run {
  const { cwd, target } = options
  const workspace = new Workspace(cwd)
  const typed = createProgram(cwd, sources, workspace)
  const connections = new Connections(
    typed.kinds,
    sources.flatMap((path) => typed.source(path) ?? []),
    scriptNamesOf(typed, sources),
  )
  const program: Program = { ...typed, kinds: new Kinds(typed.kinds.checker, connections) }
  const hasKeyPrefix = sources.some((path) => /\bkeyPrefix\b/.test(program.source(path)?.text ?? ''))
  const injected = injectionsOf(
    sources.flatMap((path) => program.source(path) ?? []),
    program.kinds,
  )
  const exportedClients = new ExportedClients(program.kinds, connections)
  const proofs = new Proofs(program.kinds.checker, (file) => workspace.isStrict(file.fileName))
  const contexts = selected.flatMap((path) => {
    const source = program.source(path)
    return source
      ? [
          contextOf(cwd, source, {
            kinds: program.kinds,
            connections,
            exportedClients,
            moduleAt: program.moduleAt,
            proofs,
            target,
            scriptNames: scriptNamesOf(program, sources),
            hasKeyPrefix,
            injected,
            chained: new Set(),
          }),
        ]
      : []
  })
  const decided = contexts.filter((context) => decide(context, cwd, notes))
  const helpers = new HelperFiles(workspace, target)
  helpers.prepare(decided.filter(({ file }) => file.needed.size > 0).map(({ file }) => file.source))
  const files = decided.flatMap((context) => render(context, helpers, cwd, notes))
  const generated = helpers.texts()
  return {
    files: [
      ...files,
      ...generated
        .filter(({ before, after }) => before !== after)
        .map(({ path, before, after }) => ({ path: relative(cwd, path), before, after, sites: [] })),
    ],
    helperFiles: generated.map(({ path }) => relative(cwd, path)),
  }
}

/** A file that the codemod cannot read stays as it is, and the run goes on. */
function decide(context: FileContext, cwd: string, notes: string[]): boolean {
  try {
    visitFile(context)
    markLeftReferences(context)
    return true
  } catch (error) {
    notes.push(
      `${relative(cwd, context.file.source.fileName)} stays as it is: ${error instanceof Error ? error.message : String(error)}`,
    )
    return false
  }
}

function contextOf(cwd: string, source: ts.SourceFile, analysis: Analysis): FileContext {
  return {
    analysis,
    file: new FileEdit(source, relative(cwd, source.fileName).split(sep).join('/')),
    bindings: new Bindings(source, analysis.kinds.checker),
  }
}

const scriptNames = new WeakMap<Program, ReadonlySet<string>>()

/** Names of `defineCommand('name', …)` anywhere in the program: a script of one file is called in others. */
function scriptNamesOf(program: Program, sources: readonly string[]): ReadonlySet<string> {
  const known = scriptNames.get(program)
  if (known) return known
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      node.expression.name.text === 'defineCommand'
    ) {
      const [name] = node.arguments
      if (name && ts.isStringLiteralLike(name)) names.add(name.text)
    }
    ts.forEachChild(node, visit)
  }
  for (const path of sources) {
    const source = program.source(path)
    if (source && /defineCommand|scripts\s*:/.test(source.text)) visit(source)
  }
  scriptNames.set(program, names)
  return names
}

function render(context: FileContext, helpers: HelperFiles, cwd: string, notes: string[]): FileReport[] {
  const { file, bindings, analysis } = context
  const path = relative(cwd, file.source.fileName).split(sep).join('/')
  const before = withoutAnnotations(file.source.text)
  if (file.sites.length === 0 && bindings.statements.length === 0) return []
  const nameOf = localNames(file.source, bindings)
  let specifier = ''
  const needed = [...file.needed]
  if (needed.length > 0) {
    const helper = helpers.fileFor(file.source)
    for (const name of needed) helper.names.add(name)
    for (const name of analysis.chained) helper.chained.add(name)
    specifier = helpers.specifierFor(file.source, helper)
  } else if (analysis.chained.size > 0) {
    const helper = helpers.fileFor(file.source)
    for (const name of analysis.chained) helper.chained.add(name)
  }
  rewriteImports(context, specifier, nameOf)
  const sites: Site[] = file.sites.map((site) => ({ ...site, text: withoutAnnotations(site.text) }))
  try {
    return [{ path, before, after: withoutAnnotations(file.render(nameOf, specifier)), sites }]
  } catch (error) {
    notes.push(`${path} stays as it is: ${error instanceof Error ? error.message : String(error)}`)
    return []
  }
}

/** Each package.json whose package uses ioredis. */
function manifestsAfter(
  { cwd, target }: MigrationOptions,
  all: readonly string[],
  after: ReadonlyMap<string, string>,
  helperFiles: readonly string[],
): FileReport[] {
  const workspace = new Workspace(cwd)
  const folders = new Map<string, string[]>()
  for (const path of all) {
    const { folder } = workspace.packageOf(path)
    folders.set(folder, [...(folders.get(folder) ?? []), path])
  }
  return [...folders].flatMap(([folder, paths]) => {
    const path = join(folder, 'package.json')
    const hasHelper = helperFiles.some((file) => workspace.packageOf(join(cwd, file)).folder === folder)
    if (!existsSync(path) || !hasHelper) return []
    const before = readFileSync(path, 'utf8')
    const usesIoredis = paths.some((one) => NAMES_IOREDIS.test(after.get(one) ?? ''))
    const text = migrateManifest(before, target, usesIoredis)
    return text === before ? [] : [{ path: relative(cwd, path).split(sep).join('/'), before, after: text, sites: [] }]
  })
}
