/** What variables, parameters, members, `this` and the results of functions can be. */
import { ts } from 'ts-morph'
import { isHelperText } from '../generated/compose.ts'
import { packageOf } from '../package-of.ts'
import type { Follower } from './follower.ts'
import { madeBy, NONE, one, OTHER, outsideOf, union, unknownOf, type Values } from './value.ts'
import { nameOf, propertyOf } from './writes.ts'

export class Declarations {
  readonly #evaluator: Follower

  constructor(evaluator: Follower) {
    this.#evaluator = evaluator
  }

  ofSymbol(symbol: ts.Symbol): Values {
    const { writes } = this.#evaluator
    return union([
      ...(symbol.declarations ?? []).map((declaration) => this.ofDeclaration(declaration)),
      ...writes.toVariable(symbol).map((value) => this.#evaluator.of(value)),
    ])
  }

  ofDeclaration(node: ts.Declaration): Values {
    const evaluator = this.#evaluator
    const from = packageOf(node.getSourceFile().fileName)
    if (from !== null || this.#isMigrated(node)) return one(outsideOf(from ?? 'redis', null))
    if (ts.isVariableDeclaration(node)) {
      if (node.initializer) return evaluator.of(node.initializer)
      const loop = node.parent.parent
      return ts.isForOfStatement(loop) ? this.#elementsOf(loop.expression) : NONE
    }
    if (ts.isParameter(node)) return this.ofParameter(node)
    if (ts.isBindingElement(node)) return this.#ofBinding(node)
    if (ts.isPropertyAssignment(node)) return evaluator.of(node.initializer)
    if (ts.isShorthandPropertyAssignment(node)) return evaluator.of(node.name)
    if (ts.isPropertyDeclaration(node)) return node.initializer ? evaluator.of(node.initializer) : NONE
    if (ts.isGetAccessor(node)) return this.returnsOf(node) ?? NONE
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return one(madeBy(node))
    if (ts.isExportAssignment(node)) return evaluator.of(node.expression)
    if (ts.isBinaryExpression(node)) return evaluator.of(node.right)
    if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node))
      return ts.isBinaryExpression(node.parent) ? evaluator.of(node.parent.right) : NONE
    return evaluator.modules.ofImport(node) ?? one(unknownOf(null))
  }

  /** All that calls in the project give the parameter. */
  ofParameter(node: ts.ParameterDeclaration): Values {
    if (this.#isMigrated(node)) return one(outsideOf('redis', null))
    const name = ts.isIdentifier(node.name) ? node.name.text : null
    const owner = node.parent
    const at = owner.parameters.filter((one) => one.name.getText() !== 'this').indexOf(node)
    if (node.dotDotDotToken) return one(unknownOf(name))
    const given = [...this.#argumentsOf(owner, at), ...(node.initializer ? [this.#evaluator.of(node.initializer)] : [])]
    if (given.length > 0) return union(given)
    return this.#ofCallbackParameter(owner, at, name) ?? one(unknownOf(name))
  }

  /** True if an earlier run gave it a type of the generated file, which may be `any` as long as `redis` is not installed. */
  #isMigrated(node: ts.Declaration): boolean {
    const { checker } = this.#evaluator.kinds
    if (
      ts.isParameter(node) &&
      !node.type &&
      (ts.isArrowFunction(node.parent) || ts.isFunctionExpression(node.parent))
    ) {
      const [signature] = checker.getContextualType(node.parent)?.getCallSignatures() ?? []
      const asked = signature?.parameters[node.parent.parameters.indexOf(node)]?.valueDeclaration
      return asked !== undefined && asked !== node && this.#isMigrated(asked)
    }
    if (!(ts.isParameter(node) || ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node)) || !node.type)
      return false
    const names = (at: ts.Node): boolean => {
      const symbol = ts.isTypeReferenceNode(at) ? checker.getSymbolAtLocation(at.typeName) : undefined
      const real = symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
      return (
        real?.declarations?.some((declaration) => isHelperText(declaration.getSourceFile().text)) === true ||
        ts.forEachChild(at, names) === true
      )
    }
    return names(node.type)
  }

  #argumentsOf(owner: ts.Node, at: number): Values[] {
    const { writes } = this.#evaluator
    const name = calledAs(owner)
    const calls = [
      ...writes.callsOf(owner),
      ...writes
        .unresolvedAs(name)
        .filter((call) =>
          [...this.#evaluator.of(call.expression)].some(
            (value) => value.is === 'made' && this.#isCalled(value.by, owner),
          ),
        ),
    ]
    return calls.flatMap(({ arguments: args }) => {
      const given = args?.slice(0, at + 1) ?? []
      const arg = given[at]
      if (given.some((one) => ts.isSpreadElement(one))) return [one(unknownOf(null))]
      return arg ? [this.#evaluator.of(arg)] : []
    })
  }

  /** True if a call of `made` runs `owner`: the function itself, or the constructor of the class. */
  #isCalled(made: ts.Node, owner: ts.Node): boolean {
    return made === owner || (ts.isConstructorDeclaration(owner) && owner.parent === made)
  }

  /** `connect().then((client) => …)`, and functions that a package calls. */
  #ofCallbackParameter(owner: ts.Node, at: number, name: string | null): Values | null {
    const call = owner.parent
    if (!ts.isCallExpression(call) || !call.arguments.some((arg) => arg === owner)) return null
    const { expression: callee } = call
    if (ts.isPropertyAccessExpression(callee) && callee.name.text === 'then' && at === 0)
      return this.#evaluator.of(callee.expression)
    const outside = [...this.#evaluator.of(callee)].flatMap((value) => (value.is === 'outside' ? [value.module] : []))
    return outside.length > 0 ? new Set(outside.map((module) => outsideOf(module, name))) : null
  }

  #ofBinding(node: ts.BindingElement): Values {
    const pattern = node.parent
    const owner = pattern.parent
    const source = ts.isBindingElement(owner)
      ? this.#ofBinding(owner)
      : ts.isParameter(owner)
        ? this.ofParameter(owner)
        : owner.initializer
          ? this.#evaluator.of(owner.initializer)
          : NONE
    const initial = node.initializer ? this.#evaluator.of(node.initializer) : NONE
    if (ts.isArrayBindingPattern(pattern) || node.dotDotDotToken) return union([one(unknownOf(null)), initial])
    const name = nameOf(
      node.propertyName && !ts.isComputedPropertyName(node.propertyName) ? node.propertyName : node.name,
    )
    if (source.size === 0) return union([one(unknownOf(name)), initial])
    return union([...[...source].map((object) => this.#evaluator.property(object, name)), initial])
  }

  #elementsOf(list: ts.Expression): Values {
    const values = [...this.#evaluator.of(list)].map((value) =>
      value.is === 'made' && ts.isArrayLiteralExpression(value.by)
        ? union(value.by.elements.map((element) => this.#evaluator.of(element)))
        : one(value.is === 'made' ? unknownOf(null) : value),
    )
    return union(values)
  }

  /** What the object, the class or the module declares under the name. */
  memberOf(owner: ts.Node, name: string): Values {
    if (ts.isSourceFile(owner)) return this.#evaluator.modules.exported(owner, name)
    if (ts.isObjectLiteralExpression(owner)) {
      return union(
        owner.properties.map((property) => {
          if (ts.isSpreadAssignment(property))
            return union(
              [...this.#evaluator.of(property.expression)].map((object) =>
                object.is === 'made' ? this.memberOf(object.by, name) : NONE,
              ),
            )
          return nameOf(property.name) === name ? this.ofDeclaration(property) : NONE
        }),
      )
    }
    if (!ts.isClassLike(owner)) return NONE
    const own = owner.members.flatMap((member) => {
      if (ts.isConstructorDeclaration(member))
        return member.parameters
          .filter(
            (parameter) => ts.isParameterPropertyDeclaration(parameter, member) && nameOf(parameter.name) === name,
          )
          .map((parameter) => this.ofParameter(parameter))
      return member.name && nameOf(member.name) === name && !ts.isSetAccessor(member)
        ? [this.ofDeclaration(member)]
        : []
    })
    return union([...own, ...this.#inherited(owner, name)])
  }

  #inherited(owner: ts.ClassLikeDeclaration, name: string): Values[] {
    const base = owner.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)?.types[0]
    if (!base) return []
    return [...this.#evaluator.of(base.expression)].map((value) =>
      value.is === 'made' && value.by !== owner ? this.memberOf(value.by, name) : NONE,
    )
  }

  ofThis(node: ts.Node): Values {
    for (let at: ts.Node | undefined = node.parent; at; at = at.parent as ts.Node | undefined) {
      if (ts.isClassLike(at)) return one(madeBy(at))
      if (ts.isArrowFunction(at) || !ts.isFunctionLike(at)) continue
      const { parent } = at
      if (ts.isObjectLiteralExpression(parent)) return one(madeBy(parent))
      if (ts.isPropertyAssignment(parent)) return one(madeBy(parent.parent))
      if (ts.isBinaryExpression(parent) && ts.isPropertyAccessExpression(parent.left))
        return this.#ofAssignedMethod(parent.left)
      if (!ts.isClassLike(parent)) return one(ts.isFunctionDeclaration(at) ? madeBy(at) : unknownOf(null))
    }
    return one(unknownOf(null))
  }

  /** `Cache.prototype.get = function () { this … }` and `cache.get = function () { this … }` */
  #ofAssignedMethod({ expression }: ts.PropertyAccessExpression): Values {
    const owner =
      ts.isPropertyAccessExpression(expression) && expression.name.text === 'prototype'
        ? expression.expression
        : expression
    return this.#evaluator.of(owner)
  }

  /** Null if the project has no body of the function. */
  returnsOf(node: ts.Node | undefined): Values | null {
    if (!node || !ts.isFunctionLike(node) || !('body' in node) || !node.body) return null
    if (packageOf(node.getSourceFile().fileName) !== null) return null
    if (ts.isConstructorDeclaration(node)) return one(madeBy(node.parent))
    if (!ts.isBlock(node.body)) return this.#evaluator.of(node.body)
    const found: Values[] = []
    const visit = (at: ts.Node): void => {
      if (ts.isFunctionLike(at)) return
      if (ts.isReturnStatement(at) && at.expression) found.push(this.#evaluator.of(at.expression))
      ts.forEachChild(at, visit)
    }
    ts.forEachChild(node.body, visit)
    return found.length > 0 ? union(found) : one(OTHER)
  }

  /** What `new Promise((resolve) => …)` resolves to. */
  resolvedBy(executor: ts.Expression): Values {
    if (!ts.isFunctionLike(executor)) return one(unknownOf(null))
    const [resolve] = executor.parameters
    const symbol = resolve && this.#evaluator.kinds.checker.getSymbolAtLocation(resolve.name)
    const found: Values[] = []
    const visit = (at: ts.Node): void => {
      if (ts.isCallExpression(at) && ts.isIdentifier(at.expression)) {
        const [value] = at.arguments
        if (symbol && this.#evaluator.kinds.checker.getSymbolAtLocation(at.expression) === symbol)
          found.push(value ? this.#evaluator.of(value) : NONE)
      }
      ts.forEachChild(at, visit)
    }
    visit(executor)
    return found.length > 0 ? union(found) : one(unknownOf(null))
  }
}

/** The name under which code calls the function; null for a callback, `''` for what a module is. */
function calledAs(owner: ts.Node): string | null {
  if (ts.isConstructorDeclaration(owner)) return owner.parent.name?.text ?? ''
  if (ts.isFunctionLike(owner) && owner.name) return nameOf(owner.name)
  const { parent } = owner
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) return nameOf(parent.name)
  if (ts.isExportAssignment(parent)) return ''
  if (!ts.isBinaryExpression(parent)) return null
  return parent.left.getText() === 'module.exports' ? '' : (propertyOf(parent.left) ?? parent.left.getText())
}
