/**
 * Which steps of a rewritten application carry a mark of the codemod: in themselves, or in a function of their file that they use. Read from
 * the rewritten text alone, not from the report of the codemod.
 */
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import ts from 'typescript'
import type { Application } from './application.ts'

export const MARK = 'coatcheck-codemod-error'

/** Step → codes of its marks. */
export function markedSteps(application: Application): Map<string, string[]> {
  const steps = new Map<string, string[]>()
  for (const file of application.files()) {
    const text = readFileSync(join(application.path, file), 'utf8')
    const module = basename(file).replace(/\.[mc]?[jt]sx?$/, '')
    for (const [name, codes] of markedDeclarations(file, text)) steps.set(`${module}: ${name}`, codes)
  }
  return steps
}

interface Piece {
  readonly names: readonly string[]
  readonly text: string
}

function markedDeclarations(file: string, text: string): Map<string, string[]> {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const pieces = source.statements.map((statement): Piece => ({
    names: namesOf(statement),
    text: text.slice(statement.getFullStart(), statement.getEnd()),
  }))
  const marked = new Map<string, string[]>()
  for (let isGrowing = true; isGrowing; ) {
    isGrowing = false
    for (const { names, text: own } of pieces) {
      const used = [...marked].filter(([name]) => new RegExp(`\\b${name}\\b`).test(own)).flatMap(([, codes]) => codes)
      const codes = [...new Set([...codesIn(own), ...used])]
      for (const name of names) {
        if (codes.length <= (marked.get(name)?.length ?? 0)) continue
        marked.set(name, codes)
        isGrowing = true
      }
    }
  }
  return marked
}

function codesIn(text: string): string[] {
  return [...text.matchAll(new RegExp(`${MARK} ([\\w-]+)`, 'g'))].map(([, code = '']) => code)
}

/** What a statement declares; of `exports.name = …`, the name. */
function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => name.getText())
  if ((ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) && statement.name)
    return [statement.name.text]
  if (ts.isExpressionStatement(statement) && ts.isBinaryExpression(statement.expression)) {
    const { left } = statement.expression
    if (ts.isPropertyAccessExpression(left)) return [left.name.text]
  }
  return []
}
