/**
 * Which steps of a rewritten application carry a mark of the codemod: in themselves, or in a function of their file that they use. Read from
 * the rewritten text alone, not from the report of the codemod.
 */
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import ts from 'typescript'
import type { Application } from './application.ts'

const MARK = 'coatcheck-codemod-error'

/** Step → codes of its marks. */
export function markedSteps(application: Application): Map<string, string[]> {
  const steps = new Map<string, string[]>()
  for (const file of application.files()) {
    const module = basename(file).replace(/\.[mc]?[jt]sx?$/, '')
    for (const [name, codes] of markedNames(piecesOf(application, file))) steps.set(`${module}: ${name}`, codes)
  }
  return steps
}

/** Of what the compiler says, the lines about code that has no mark and uses none. */
export function complaintsWithoutMark(application: Application, complaints: string): string[] {
  return complaints.split('\n').filter((line) => {
    const [, file = '', at] = /^(src\/[^(]+)\((\d+),\d+\): error/.exec(line) ?? []
    if (at === undefined) return /^\S/.test(line)
    const pieces = piecesOf(application, file)
    const marked = markedNames(pieces)
    const piece = pieces.find(({ from, to }) => from <= Number(at) && Number(at) <= to)
    return !piece || (codesIn(piece.text).length === 0 && !piece.names.some((name) => marked.has(name)))
  })
}

/** A statement at the top of a file. */
interface Piece {
  readonly names: readonly string[]
  readonly text: string
  /** First and last line, from 1. */
  readonly from: number
  readonly to: number
}

function piecesOf(application: Application, file: string): Piece[] {
  const text = readFileSync(join(application.path, file), 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1
  return source.statements.map((statement) => ({
    names: namesOf(statement),
    text: text.slice(statement.getFullStart(), statement.getEnd()),
    from: lineOf(statement.getFullStart()),
    to: lineOf(statement.getEnd()),
  }))
}

function markedNames(pieces: readonly Piece[]): Map<string, string[]> {
  const marked = new Map<string, string[]>()
  for (let isGrowing = true; isGrowing;) {
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
