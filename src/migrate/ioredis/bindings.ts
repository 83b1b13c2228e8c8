/**
 * Collects the names that imports and `require` of ioredis bring into a file, and the references to them. The codemod removes a name that has
 * no reference left.
 */
import { ts } from 'ts-morph'

export interface Binding {
  /** The local name, where it is declared. */
  readonly name: ts.Identifier
  /** The import or the variable declaration that brings it. */
  readonly statement: BindingStatement
}

export type BindingStatement = ts.ImportDeclaration | ts.ImportEqualsDeclaration | ts.VariableDeclaration

export class Bindings {
  readonly statements: readonly BindingStatement[]
  readonly all: readonly Binding[]
  readonly #checker: ts.TypeChecker
  readonly #bySymbol = new Map<ts.Symbol, Binding>()
  /** References that an edit covers. */
  readonly #consumed = new Set<ts.Identifier>()
  readonly #references = new Map<Binding, ts.Identifier[]>()

  constructor(source: ts.SourceFile, checker: ts.TypeChecker) {
    this.#checker = checker
    this.statements = bindingStatements(source)
    this.all = this.statements.flatMap((statement) => namesOf(statement).map((name) => ({ name, statement })))
    for (const binding of this.all) {
      const symbol = checker.getSymbolAtLocation(binding.name)
      if (symbol) this.#bySymbol.set(symbol, binding)
    }
    if (this.all.length > 0) this.#collect(source)
  }

  /** An edit takes this reference away. Also takes the start of `IORedis.Redis`. */
  consume(node: ts.Node): void {
    const visit = (at: ts.Node): void => {
      if (ts.isIdentifier(at)) this.#consumed.add(at)
      ts.forEachChild(at, visit)
    }
    visit(node)
  }

  isUsed(binding: Binding): boolean {
    return this.leftReferences(binding).length > 0
  }

  leftReferences(binding: Binding): readonly ts.Identifier[] {
    return (this.#references.get(binding) ?? []).filter((reference) => !this.#consumed.has(reference))
  }

  bindingOf(node: ts.Identifier): Binding | undefined {
    const symbol = this.#checker.getSymbolAtLocation(node)
    return symbol && this.#bySymbol.get(symbol)
  }

  #collect(source: ts.SourceFile): void {
    const names = new Set(this.all.map(({ name }) => name.text))
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node) && names.has(node.text) && !isDeclared(node)) {
        const binding = this.#bindingAt(node)
        if (binding && binding.name !== node)
          this.#references.set(binding, [...(this.#references.get(binding) ?? []), node])
      }
      for (const doc of ts.getJSDocCommentsAndTags(node)) if (doc.parent === node) ts.forEachChild(doc, visit)
      ts.forEachChild(node, visit)
    }
    visit(source)
  }

  #bindingAt(node: ts.Identifier): Binding | undefined {
    if (ts.isShorthandPropertyAssignment(node.parent)) {
      const symbol = this.#checker.getShorthandAssignmentValueSymbol(node.parent)
      return symbol && this.#bySymbol.get(symbol)
    }
    if (ts.isExportSpecifier(node.parent)) {
      const symbol = this.#checker.getExportSpecifierLocalTargetSymbol(node.parent)
      return symbol && this.#bySymbol.get(symbol)
    }
    return this.bindingOf(node)
  }
}

/** `name` of `x.name` and `{ name: … }` is no reference. */
function isDeclared(node: ts.Identifier): boolean {
  const { parent } = node
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node)
  )
}

function bindingStatements(source: ts.SourceFile): BindingStatement[] {
  const found: BindingStatement[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && isIoredis(node.moduleSpecifier)) found.push(node)
    else if (
      ts.isImportEqualsDeclaration(node) &&
      ts.isExternalModuleReference(node.moduleReference) &&
      isIoredis(node.moduleReference.expression)
    ) {
      found.push(node)
    } else if (ts.isVariableDeclaration(node) && node.initializer && isRequired(node.initializer)) found.push(node)
    else ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function isIoredis(node: ts.Expression): boolean {
  return ts.isStringLiteral(node) && node.text === 'ioredis'
}

/** `require('ioredis')`, or one property of it. */
function isRequired(node: ts.Expression): boolean {
  if (ts.isPropertyAccessExpression(node)) return isRequired(node.expression)
  const [name] = ts.isCallExpression(node) ? node.arguments : []
  return (
    ts.isCallExpression(node) &&
    ts.isIdentifier(node.expression) &&
    node.expression.text === 'require' &&
    name !== undefined &&
    isIoredis(name)
  )
}

function namesOf(statement: BindingStatement): ts.Identifier[] {
  if (ts.isVariableDeclaration(statement)) {
    if (ts.isIdentifier(statement.name)) return [statement.name]
    return statement.name.elements.flatMap((element) =>
      ts.isBindingElement(element) && ts.isIdentifier(element.name) ? [element.name] : [],
    )
  }
  if (ts.isImportEqualsDeclaration(statement)) return [statement.name]
  const clause = statement.importClause
  if (!clause) return []
  const bindings = clause.namedBindings
  const named = bindings
    ? ts.isNamespaceImport(bindings)
      ? [bindings.name]
      : bindings.elements.map(({ name }) => name)
    : []
  return clause.name ? [clause.name, ...named] : named
}
