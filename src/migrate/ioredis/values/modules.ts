/** What modules export, whether as ES modules or as CommonJS, and whether the importing file is TypeScript or not. */
import { dirname, join } from 'node:path'
import { ts } from 'ts-morph'
import { aliasedFile } from '../aliases.ts'
import type { Follower } from './follower.ts'
import { madeBy, NONE, OF_CLIENT, one, outsideOf, union, unknownOf, type Values } from './value.ts'

const EXTENSIONS = [
  '',
  '.ts',
  '.tsx',
  '.js',
  '.jsx',
  '.mts',
  '.cts',
  '.mjs',
  '.cjs',
  '/index.ts',
  '/index.js',
  '/index.mjs',
  '/index.cjs',
]

export class Modules {
  readonly #evaluator: Follower
  readonly #files: ReadonlyMap<string, ts.SourceFile>
  readonly #aliases = new Map<string, ts.SourceFile | null>()
  readonly #assigned = new Map<ts.SourceFile, readonly ts.Expression[]>()

  constructor(evaluator: Follower, sources: readonly ts.SourceFile[]) {
    this.#evaluator = evaluator
    this.#files = new Map(sources.map((source) => [source.fileName, source]))
  }

  /** The value of `require('…')`, and of `import * as …`. */
  ofSpecifier(specifier: ts.StringLiteralLike): Values {
    const file = this.#fileOf(specifier)
    if (file) return this.exportsOf(file)
    const { text } = specifier
    if (text.startsWith('.')) return one(unknownOf(null))
    const aliased = this.#aliased(specifier)
    if (aliased) return one(unknownOf(/['"]ioredis['"]/.test(aliased.text) ? OF_CLIENT : null))
    return one(outsideOf(text.split('/', text.startsWith('@') ? 2 : 1).join('/'), null))
  }

  /** The object that `module.exports` is. */
  exportsOf(file: ts.SourceFile): Values {
    return union([one(madeBy(file)), ...this.#assignedTo(file).map((value) => this.#evaluator.of(value))])
  }

  /** One export by its name. */
  exported(file: ts.SourceFile, name: string): Values {
    const { checker } = this.#evaluator.kinds
    const module = checker.getSymbolAtLocation(file)
    const symbol = module && checker.getExportsOfModule(module).find((one) => one.name === name)
    const own = symbol ? this.#evaluator.declarations.ofSymbol(symbol) : NONE
    const assigned = this.#assignedTo(file).flatMap((value) => [...this.#evaluator.of(value)])
    return union([
      own,
      ...assigned.flatMap((value) =>
        value.is === 'made' && value.by !== file ? [this.#evaluator.property(value, name)] : [],
      ),
      name === 'default' && own.size === 0 ? new Set(assigned) : NONE,
    ])
  }

  /** What an import or an export specifier brings; null for other declarations. */
  ofImport(node: ts.Declaration): Values | null {
    if (ts.isExportSpecifier(node)) {
      const { moduleSpecifier } = node.parent.parent
      if (moduleSpecifier && ts.isStringLiteral(moduleSpecifier))
        return this.#named(moduleSpecifier, (node.propertyName ?? node.name).text)
      const symbol = this.#evaluator.kinds.checker.getExportSpecifierLocalTargetSymbol(node)
      return symbol ? this.#evaluator.declarations.ofSymbol(symbol) : null
    }
    if (ts.isImportEqualsDeclaration(node))
      return ts.isExternalModuleReference(node.moduleReference) && ts.isStringLiteral(node.moduleReference.expression)
        ? this.ofSpecifier(node.moduleReference.expression)
        : null
    const specifier = importOf(node)
    if (!specifier) return null
    if (ts.isNamespaceImport(node)) return this.ofSpecifier(specifier)
    if (ts.isImportClause(node)) return this.#named(specifier, 'default')
    return ts.isImportSpecifier(node) ? this.#named(specifier, (node.propertyName ?? node.name).text) : null
  }

  isExportsOf(node: ts.Identifier): boolean {
    return !this.#evaluator.kinds.checker
      .getSymbolAtLocation(node)
      ?.declarations?.some((one) => ts.isParameter(one) || ts.isVariableDeclaration(one))
  }

  #named(specifier: ts.StringLiteralLike, name: string): Values {
    const file = this.#fileOf(specifier)
    if (!file && this.#aliased(specifier))
      return this.ofSpecifier(specifier).has(unknownOf(null)) ? one(unknownOf(name)) : this.ofSpecifier(specifier)
    if (!file) return this.ofSpecifier(specifier)
    const found = this.exported(file, name)
    return found.size > 0 ? found : this.#evaluator.property(madeBy(file), name)
  }

  /** The file that an alias seems to mean. It is not certain, so calls on what it exports are marked. */
  #aliased(specifier: ts.StringLiteralLike): ts.SourceFile | null {
    const from = specifier.getSourceFile().fileName
    const key = `${dirname(from)} ${specifier.text}`
    let found = this.#aliases.get(key)
    if (found === undefined) {
      const path = aliasedFile(specifier.text, from, this.#files.keys())
      found = path === null ? null : (this.#files.get(path) ?? null)
      this.#aliases.set(key, found)
    }
    return found
  }

  #fileOf(specifier: ts.StringLiteralLike): ts.SourceFile | null {
    const symbol = this.#evaluator.kinds.checker.getSymbolAtLocation(specifier)
    const known = symbol?.declarations?.find((one) => ts.isSourceFile(one))
    if (known && ts.isSourceFile(known)) return this.#files.get(known.fileName) ?? null
    if (!specifier.text.startsWith('.')) return null
    const base = join(dirname(specifier.getSourceFile().fileName), specifier.text)
    const bare = base.replace(/\.[cm]?js$/, '')
    for (const extension of EXTENSIONS) {
      const file = this.#files.get(base + extension) ?? this.#files.get(bare + extension)
      if (file) return file
    }
    return null
  }

  /** The values of `module.exports = …` and `export = …`. */
  #assignedTo(file: ts.SourceFile): readonly ts.Expression[] {
    let found = this.#assigned.get(file)
    if (!found) {
      const values: ts.Expression[] = []
      const visit = (node: ts.Node): void => {
        if (ts.isExportAssignment(node) && node.isExportEquals) values.push(node.expression)
        if (
          ts.isBinaryExpression(node) &&
          node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
          node.left.getText() === 'module.exports'
        )
          values.push(node.right)
        ts.forEachChild(node, visit)
      }
      visit(file)
      found = values
      this.#assigned.set(file, found)
    }
    return found
  }
}

/** The module of `require('…')` and `import('…')`. */
export function requiredModule(node: ts.Node): ts.StringLiteralLike | null {
  if (!ts.isCallExpression(node)) return null
  const [module] = node.arguments
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require'
  if (!isRequire && node.expression.kind !== ts.SyntaxKind.ImportKeyword) return null
  return module && ts.isStringLiteralLike(module) ? module : null
}

function importOf(node: ts.Node): ts.StringLiteral | null {
  for (let at: ts.Node | undefined = node; at; at = at.parent as ts.Node | undefined) {
    if (ts.isImportDeclaration(at)) return ts.isStringLiteral(at.moduleSpecifier) ? at.moduleSpecifier : null
  }
  return null
}
