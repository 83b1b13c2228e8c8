/** Imports of ioredis: what is still referred to stays, the rest becomes an import of the generated file. */
import { ts } from 'ts-morph'
import type { Binding, BindingStatement } from '../bindings.ts'
import type { FileContext } from '../file-context.ts'
import { isTypeOfHelper } from '../generated/compose.ts'
import { isCommonJs } from '../module-kind.ts'
import type { Rule } from '../rule.ts'

export const importsRule: Rule = {
  name: 'imports',
  title: 'Imports',
  why: 'Each file imports the functions and types that it needs from one generated file, which the team keeps and shrinks.',
  examples: [
    {
      before: "import { Redis } from 'ioredis'\n\nexport const redis = new Redis()\n",
      after: "import { createRedis } from './redis-from-ioredis'\n\nexport const redis = createRedis()\n",
    },
    {
      before:
        "import Redis from 'ioredis'\n\nexport const isRedis = (value: unknown): boolean => value instanceof Redis\n",
      after:
        "import Redis from 'ioredis'\n\n// coatcheck-codemod-error class-as-value: node-redis has no class for new, instanceof or injection. Use createRedis, or a name of your own.\nexport const isRedis = (value: unknown): boolean => value instanceof Redis\n",
    },
    {
      before: "import type { Redis } from 'ioredis'\n\nexport type { Redis }\n",
      after: "import type { Redis } from './redis-from-ioredis'\n\nexport type { Redis }\n",
    },
  ],
}

const CLASS_ADVICE = 'node-redis has no class for new, instanceof or injection. Use createRedis, or a name of your own.'

/** Marks references to imported names that no rule has taken. Types and constructions are done before. */
export function markLeftReferences({ file, bindings }: FileContext): void {
  for (const binding of bindings.all) {
    for (const reference of bindings.leftReferences(binding)) {
      if (isInsideDecided(file, reference)) continue
      if (isReplyError(binding, reference)) {
        file.edits.replace(reference.getStart(), reference.getEnd(), file.helper('ReplyError'))
        bindings.consume(reference)
        file.record(reference, 'imports', 'rewritten')
        continue
      }
      const type = exportedType(binding, reference)
      if (type !== null) {
        const { propertyName } = reference.parent as ts.ExportSpecifier
        const text = propertyName ? file.helper(type) : file.exportedHelper(type, reference.text)
        file.edits.replace(reference.getStart(), reference.getEnd(), text)
        bindings.consume(reference)
        file.record(reference, 'imports', 'rewritten')
        continue
      }
      file.mark(reference, 'imports', 'class-as-value', CLASS_ADVICE)
    }
  }
}

const EXPORTED_TYPES = new Set(['Redis', 'Cluster', 'RedisOptions', 'ChainableCommander'])

/** The type of the generated file for a name in `export type { … }`; null for all else. */
function exportedType(binding: Binding, reference: ts.Identifier): string | null {
  const specifier = reference.parent
  if (!ts.isExportSpecifier(specifier) || !(specifier.isTypeOnly || specifier.parent.parent.isTypeOnly)) return null
  const { parent } = binding.name
  const imported = ts.isImportSpecifier(parent) ? (parent.propertyName ?? parent.name).text : 'Redis'
  const name = imported === 'default' ? 'Redis' : imported
  return EXPORTED_TYPES.has(name) && (ts.isImportSpecifier(parent) || ts.isImportClause(parent)) ? name : null
}

function isReplyError(binding: Binding, reference: ts.Identifier): boolean {
  const { parent } = binding.name
  if (!(ts.isImportSpecifier(parent) || ts.isBindingElement(parent))) return false
  const imported = parent.propertyName ?? parent.name
  return (
    ts.isIdentifier(imported) &&
    imported.text === 'ReplyError' &&
    !ts.isShorthandPropertyAssignment(reference.parent) &&
    !ts.isExportSpecifier(reference.parent)
  )
}

/** True if a mark above an outer node speaks about the reference already. */
function isInsideDecided(file: FileContext['file'], node: ts.Node): boolean {
  for (
    let at: ts.Node | undefined = node;
    at && !ts.isBlock(at) && !ts.isSourceFile(at);
    at = at.parent as ts.Node | undefined
  ) {
    if (file.isDecided(at)) return true
  }
  return false
}

/**
 * Removes names of ioredis that nothing refers to, and imports the generated file.
 * @param specifier of the generated file, from this file
 * @param nameOf local name of each helper
 */
export function rewriteImports(context: FileContext, specifier: string, nameOf: (helper: string) => string): void {
  const { file, bindings } = context
  const helpers = [...file.helpers].sort()
  const style = styleOf(file.source, bindings.statements)
  let pending = helpers.length > 0 ? importText(helpers, specifier, nameOf, style) : null
  for (const statement of bindings.statements) {
    const mine = bindings.all.filter((binding) => binding.statement === statement)
    const used = mine.filter((binding) => bindings.isUsed(binding))
    if (file.stands(statement, 'imports')) continue
    if (mine.length === 0 && !(ts.isVariableDeclaration(statement) && ts.isObjectBindingPattern(statement.name)))
      continue
    if (used.length === mine.length && used.length > 0) {
      continue
    }
    const target = statementOf(statement)
    if (used.length > 0) keepOnly(context, statement, used)
    else if (pending !== null && target) {
      file.edits.replace(target.getStart(), target.getEnd(), pending)
      pending = null
    } else if (target) removeLine(context, target)
    else if (pending !== null && ts.isVariableDeclaration(statement)) {
      file.edits.replace(statement.getStart(), statement.getEnd(), declaratorText(helpers, specifier, nameOf, style))
      pending = null
    }
    if (used.length === 0) file.record(statement, 'imports', 'rewritten')
  }
  if (pending !== null) insertImport(context, pending)
}

interface Style {
  readonly isCommonJs: boolean
  readonly isTypeScript: boolean
  readonly quote: string
  readonly semicolon: string
}

function styleOf(source: ts.SourceFile, statements: readonly BindingStatement[]): Style {
  const [statement] = statements
  const sample = statement
    ? (statementOf(statement) ?? statement).getText()
    : (source.statements.find(ts.isImportDeclaration)?.getText() ?? '')
  const isTypeScript = /\.[cm]?tsx?$/.test(source.fileName)
  const text = source.text
  return {
    isCommonJs: isCommonJs(source),
    isTypeScript,
    quote: sample === '' ? "'" : sample.includes('"') ? '"' : "'",
    semicolon: sample === '' ? (/;\s*$/m.test(text) ? ';' : '') : sample.trimEnd().endsWith(';') ? ';' : '',
  }
}

function importText(
  helpers: readonly string[],
  specifier: string,
  nameOf: (helper: string) => string,
  style: Style,
): string {
  const { quote, semicolon } = style
  if (style.isCommonJs) return `const ${declaratorText(helpers, specifier, nameOf, style)}${semicolon}`
  const visible = style.isTypeScript ? helpers : helpers.filter((name) => !isTypeOfHelper(name))
  const onlyTypes = visible.every(isTypeOfHelper)
  const names = visible.map((name) => {
    const local = nameOf(name)
    return `${isTypeOfHelper(name) && !onlyTypes ? 'type ' : ''}${local === name ? name : `${name} as ${local}`}`
  })
  return `import ${onlyTypes ? 'type ' : ''}{ ${names.join(', ')} } from ${quote}${specifier}${quote}${semicolon}`
}

function declaratorText(
  helpers: readonly string[],
  specifier: string,
  nameOf: (helper: string) => string,
  { quote }: Style,
): string {
  const names = helpers
    .filter((name) => !isTypeOfHelper(name))
    .map((name) => (nameOf(name) === name ? name : `${name}: ${nameOf(name)}`))
  return `{ ${names.join(', ')} } = require(${quote}${specifier}${quote})`
}

/** The whole statement, if it does nothing but bring ioredis. */
function statementOf(statement: BindingStatement): ts.Statement | null {
  if (!ts.isVariableDeclaration(statement)) return statement
  const list = statement.parent
  if (!ts.isVariableDeclarationList(list) || list.declarations.length !== 1 || !ts.isVariableStatement(list.parent))
    return null
  return list.parent
}

function keepOnly({ file }: FileContext, statement: BindingStatement, used: readonly Binding[]): void {
  if (!ts.isImportDeclaration(statement) || !statement.importClause) return
  const kept = new Set(used.map(({ name }) => name))
  const clause = statement.importClause
  const named = clause.namedBindings
  const parts: string[] = []
  if (clause.name && kept.has(clause.name)) parts.push(clause.name.text)
  if (named && ts.isNamespaceImport(named) && kept.has(named.name)) parts.push(named.getText())
  if (named && ts.isNamedImports(named)) {
    const left = named.elements.filter(({ name }) => kept.has(name)).map((element) => element.getText())
    if (left.length > 0) parts.push(`{ ${left.join(', ')} }`)
  }
  const isType = /^import\s+type\b/.test(statement.getText())
  file.edits.replace(clause.getStart(), clause.getEnd(), `${isType ? 'type ' : ''}${parts.join(', ')}`)
}

function removeLine({ file }: FileContext, node: ts.Node): void {
  const end = /^[ \t]*\r?\n/.exec(file.source.text.slice(node.getEnd()))
  file.edits.replace(node.getStart(), node.getEnd() + (end?.[0].length ?? 0), '')
}

/** Behind the last import or `require` at the top, else behind `#!`, comments and directives. */
function insertImport({ file }: FileContext, text: string): void {
  const { source } = file
  let after: ts.Statement | null = null
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) && !isRequireStatement(statement) && !isDirective(statement)) break
    after = statement
  }
  const eol = source.text.includes('\r\n') ? '\r\n' : '\n'
  if (after) {
    file.edits.close(after.getEnd(), `${eol}${text}`, 0)
    return
  }
  const [first] = source.statements
  const at = first ? first.getStart() : 0
  const lineStart = source.text.lastIndexOf('\n', at - 1) + 1
  file.edits.open(lineStart, `${text}${eol}${eol}`, Number.MAX_SAFE_INTEGER - 1)
}

function isRequireStatement(statement: ts.Statement): boolean {
  return ts.isVariableStatement(statement) && /=\s*require\(/.test(statement.getText())
}

function isDirective(statement: ts.Statement): boolean {
  return ts.isExpressionStatement(statement) && ts.isStringLiteral(statement.expression)
}
