/** One file of a run: first all rules decide about it, then its new text is written. */
import { relative, sep } from 'node:path'
import type { ts } from 'ts-morph'
import type { Analysis } from './analysis.ts'
import { withoutAnnotations } from './annotations.ts'
import { Bindings } from './bindings.ts'
import type { FileContext } from './file-context.ts'
import { FileEdit } from './file-edit.ts'
import type { HelperFiles } from './helper-files.ts'
import { localNames } from './local-names.ts'
import type { FileReport, Site } from './report.ts'
import { rewriteImports } from './rules/imports.ts'
import { markLeftReferences } from './rules/left-references.ts'
import { visitFile } from './visit.ts'

/** A file that the codemod cannot read stays as it is, and the run goes on. */
export function decide(context: FileContext, cwd: string, notes: string[]): boolean {
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

export function contextOf(cwd: string, source: ts.SourceFile, analysis: Analysis): FileContext {
  return {
    analysis,
    file: new FileEdit(source, relative(cwd, source.fileName).split(sep).join('/')),
    bindings: new Bindings(source, analysis.kinds.checker),
  }
}

export function render(context: FileContext, helpers: HelperFiles, cwd: string, notes: string[]): FileReport[] {
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
