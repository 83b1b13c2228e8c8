/** The text of an import of the generated file, in the style of the file that gets it, and its place there. */
import { ts } from 'ts-morph'
import type { BindingStatement } from '../bindings.ts'
import type { FileContext } from '../file-context.ts'
import { isTypeOfHelper } from '../generated/compose.ts'
import { isCommonJs } from '../module-kind.ts'

interface Style {
  readonly isCommonJs: boolean
  readonly isTypeScript: boolean
  readonly quote: string
  readonly semicolon: string
}

export function styleOf(source: ts.SourceFile, statements: readonly BindingStatement[]): Style {
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

export function importText(
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

export function declaratorText(
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
export function statementOf(statement: BindingStatement): ts.Statement | null {
  if (!ts.isVariableDeclaration(statement)) return statement
  const list = statement.parent
  if (!ts.isVariableDeclarationList(list) || list.declarations.length !== 1 || !ts.isVariableStatement(list.parent))
    return null
  return list.parent
}

/** Behind the last import or `require` at the top, else behind `#!`, comments and directives. */
export function insertImport({ file }: FileContext, text: string): void {
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
