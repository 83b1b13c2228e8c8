/** A whole run: reads the project, rewrites each file in memory, then writes what changed. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { Proofs } from './arguments.ts'
import { manifestsAfter } from './changed-manifests.ts'
import { declarationFilesBelow } from './declaration-files.ts'
import { isHelperText } from './generated/compose.ts'
import { HelperFiles } from './helper-files.ts'
import { injectionsOf } from './injections.ts'
import { Kinds } from './kinds.ts'
import { countMarks } from './marks.ts'
import { NAMES_IOREDIS, notesBefore, notesOfUnread } from './notes.ts'
import { createProgram, type Program } from './program.ts'
import type { FileReport, MigrationOptions, MigrationReport } from './report.ts'
import { contextOf, decide, render } from './rewritten-file.ts'
import { scriptNamesOf } from './script-names.ts'
import { builtFoldersBelow, selectionOf, sourcesBelow, testMapsBelow, unreadBelow } from './source-files.ts'
import { ClientValues } from './values/client-values.ts'
import { ExportedClients } from './values/exported-clients.ts'
import { Workspace } from './workspace.ts'

export function runMigration(given: MigrationOptions): MigrationReport {
  const options = { ...given, cwd: resolve(given.cwd) }
  const named = options.paths.map((path) => resolve(options.cwd, path))
  const written = sourcesBelow(options.cwd, named)
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
  notes.push(
    ...notesOfUnread(options, [...unread, ...testMapsBelow(options.cwd)], builtFoldersBelow(options.cwd, named)),
  )
  const hasIoredis = sources.some((path) => NAMES_IOREDIS.test(texts.get(path) ?? ''))
  const run = hasIoredis ? migrate(options, sources, selected, notes) : { files: [], helperFiles: [] }
  const after = new Map(texts)
  for (const { path, after: text } of run.files) after.set(join(options.cwd, path), text)
  for (const path of unread) after.set(path, readFileSync(path, 'utf8'))
  const manifests = manifestsAfter(options, hasIoredis ? [...all, ...unread] : [], after, run.helperFiles)
  notes.push(...manifests.notes)
  const files = [...run.files, ...manifests.files]
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
  const clientValues = new ClientValues(
    typed.kinds,
    sources.flatMap((path) => typed.source(path) ?? []),
    scriptNamesOf(typed, sources),
  )
  const program: Program = { ...typed, kinds: new Kinds(typed.kinds.checker, clientValues) }
  const hasKeyPrefix = sources.some((path) => /\bkeyPrefix\b/.test(program.source(path)?.text ?? ''))
  const injected = injectionsOf(
    sources.flatMap((path) => program.source(path) ?? []),
    program.kinds,
  )
  const exportedClients = new ExportedClients(program.kinds, clientValues)
  const proofs = new Proofs(program.kinds.checker, (file) => workspace.isStrict(file.fileName))
  const contexts = selected.flatMap((path) => {
    const source = program.source(path)
    return source
      ? [
          contextOf(cwd, source, {
            kinds: program.kinds,
            clientValues,
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
  notes.push(...helpers.notes(cwd))
  return {
    files: [
      ...files,
      ...[...generated, ...helpers.replacedTexts()]
        .filter(({ before, after }) => before !== after)
        .map(({ path, before, after }) => ({ path: relative(cwd, path), before, after, sites: [] })),
    ],
    helperFiles: generated.map(({ path }) => relative(cwd, path)),
  }
}
