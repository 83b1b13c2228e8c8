/**
 * Adds types that the checker cannot see to the program in memory: of `require('ioredis')` in TypeScript, and of variables without a type that
 * get a client later. The codemod removes them before it writes a file.
 */
import { ts } from 'ts-morph'
import { isClientKind, type Kind, type Kinds } from './kinds.ts'

const START = '/*coatcheck>*/'
const END = '/*<coatcheck*/'
const IN_TYPESCRIPT = /\/\*coatcheck>\*\/[\s\S]*?\/\*<coatcheck\*\//g
const IN_JAVASCRIPT = /\/\*\* @type \{[^}]*\} coatcheck-annotation \*\/ /g

export function withoutAnnotations(text: string): string {
  return text.replace(IN_TYPESCRIPT, '').replace(IN_JAVASCRIPT, '')
}

/** In TypeScript, `const Redis = require('ioredis')` would be `any`. */
export function withRequiredTypes(file: string, text: string): string {
  if (!/\.[cm]?tsx?$/.test(file)) return text
  return text.replace(
    /\b((?:const|let|var)\s+(?:[\w$]+|\{[^{}=;]*\}))(\s*=\s*require\(\s*['"]ioredis['"]\s*\))(\s*\.\s*(default|Redis|Cluster))?/g,
    (_match, declaration: string, required: string, access: string | undefined, member: string | undefined) =>
      `${declaration}${START}: typeof import('ioredis')${member === undefined ? '' : `['${member}']`}${END}${required}${access ?? ''}`,
  )
}

/** @returns the text with a type for each variable that needs one; null if none does */
export function withAssignedTypes(source: ts.SourceFile, kinds: Kinds): string | null {
  const assigned = new Map<ts.VariableDeclaration | ts.PropertyDeclaration, Kind[]>()
  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node) && isAssignment(node.operatorToken.kind)) {
      const declaration = untypedDeclaration(node.left, kinds)
      if (declaration) assigned.set(declaration, [...(assigned.get(declaration) ?? []), ...kindsOf(node.right, kinds)])
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  const inserts = [...assigned].flatMap(([declaration, found]) => {
    const type = typeOf(found)
    return type === null ? [] : [insertFor(source, declaration, type)]
  })
  if (inserts.length === 0) return null
  let text = source.text
  for (const { at, insert } of inserts.toSorted((a, b) => b.at - a.at))
    text = text.slice(0, at) + insert + text.slice(at)
  return text
}

function isAssignment(kind: ts.SyntaxKind): boolean {
  return (
    kind === ts.SyntaxKind.EqualsToken ||
    kind === ts.SyntaxKind.QuestionQuestionEqualsToken ||
    kind === ts.SyntaxKind.BarBarEqualsToken
  )
}

/** A variable of this file, or a field in JavaScript, that has no type, and no value that gives it one. */
function untypedDeclaration(left: ts.Expression, kinds: Kinds): ts.VariableDeclaration | ts.PropertyDeclaration | null {
  const declaration = kinds.checker.getSymbolAtLocation(left)?.valueDeclaration
  if (!declaration || declaration.getSourceFile() !== left.getSourceFile()) return null
  const isVariable = ts.isVariableDeclaration(declaration) && ts.isIdentifier(declaration.name)
  const isField = ts.isPropertyDeclaration(declaration) && isJavaScript(declaration)
  if (!isVariable && !isField) return null
  if (declaration.type || ts.getJSDocType(declaration) || declaration.getFullText().includes('coatcheck-annotation'))
    return null
  return declaration.initializer && !isNothing(declaration.initializer) ? null : declaration
}

function isNothing(node: ts.Expression): boolean {
  return (
    node.kind === ts.SyntaxKind.NullKeyword ||
    (ts.isIdentifier(node) && node.text === 'undefined') ||
    ts.isVoidExpression(node)
  )
}

/** Kinds of the values; none for null and undefined. */
function kindsOf(value: ts.Expression, kinds: Kinds): Kind[] {
  if (isNothing(value)) return []
  if (ts.isConditionalExpression(value)) return [...kindsOf(value.whenTrue, kinds), ...kindsOf(value.whenFalse, kinds)]
  return [kinds.of(value)]
}

function typeOf(found: readonly Kind[]): string | null {
  if (found.length === 0) return null
  if (!found.every((kind) => isClientKind(kind) || kind === 'chain')) return null
  const names = new Set(
    found.flatMap((kind) =>
      kind === 'either'
        ? ['Redis', 'Cluster']
        : [kind === 'client' ? 'Redis' : kind === 'cluster' ? 'Cluster' : 'ChainableCommander'],
    ),
  )
  return [...names].map((name) => `import('ioredis').${name}`).join(' | ')
}

function insertFor(
  source: ts.SourceFile,
  declaration: ts.VariableDeclaration | ts.PropertyDeclaration,
  type: string,
): { at: number; insert: string } {
  if (isJavaScript(declaration)) {
    return {
      at: declaration.getStart(source),
      insert: `/** @type {${type} | null | undefined} coatcheck-annotation */ `,
    }
  }
  const isNull = declaration.initializer?.kind === ts.SyntaxKind.NullKeyword
  return { at: declaration.name.getEnd(), insert: `${START}: ${type} | ${isNull ? 'null' : 'undefined'}${END}` }
}

function isJavaScript(node: ts.Node): boolean {
  return /\.[cm]?jsx?$/.test(node.getSourceFile().fileName)
}
