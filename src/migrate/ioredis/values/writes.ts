/** Every place of the project that stores a value: assignments by variable and by property name, arguments of calls, registrations by name. */
import { ts } from 'ts-morph'

export interface Write {
  /** The object whose property is written. */
  readonly target: ts.Expression
  readonly value: ts.Expression
}

export type CallLike = ts.CallExpression | ts.NewExpression

export class Writes {
  readonly #checker: ts.TypeChecker
  readonly #toProperties = new Map<string, Write[]>()
  readonly #toVariables = new Map<ts.Symbol, ts.Expression[]>()
  /** Names of methods and fields. */
  readonly #members = new Set<string>()
  readonly #calls = new Map<ts.Node, CallLike[]>()
  /** Calls whose function the type checker does not know, by the last name of the callee; `''` where a name says nothing. */
  readonly #unresolved = new Map<string, CallLike[]>()
  /** Properties of object literals and fields of classes. */
  readonly initial: { readonly name: string; readonly value: ts.Expression }[] = []
  /** `app.set('redis', client)` and the like. */
  readonly registered: { readonly name: string | null; readonly value: ts.Expression }[] = []

  constructor(sources: readonly ts.SourceFile[], checker: ts.TypeChecker) {
    this.#checker = checker
    const visit = (node: ts.Node): void => {
      this.#look(node)
      ts.forEachChild(node, visit)
    }
    for (const source of sources) visit(source)
  }

  toProperty(name: string): readonly Write[] {
    return this.#toProperties.get(name) ?? []
  }

  get propertyNames(): Iterable<[string, readonly Write[]]> {
    return this.#toProperties
  }

  /** True if the project itself gives objects a method or a property of the name. */
  declares(name: string): boolean {
    return this.#toProperties.has(name) || this.#members.has(name)
  }

  toVariable(symbol: ts.Symbol): readonly ts.Expression[] {
    return this.#toVariables.get(symbol) ?? []
  }

  callsOf(declaration: ts.Node): readonly CallLike[] {
    return this.#calls.get(declaration) ?? []
  }

  /** Calls that may run a function of that name: an import can give it any other name. */
  unresolvedAs(name: string | null): readonly CallLike[] {
    if (name === null) return []
    const named = this.#unresolved.get(name) ?? []
    return name === '' ? [...this.#unresolved.values()].flat().filter(isCallOfModule) : named
  }

  #look(node: ts.Node): void {
    if ((ts.isClassElement(node) || ts.isObjectLiteralElement(node)) && node.name) this.#members.add(nameOf(node.name))
    if (ts.isBinaryExpression(node)) this.#lookAtAssignment(node)
    else if (ts.isCallExpression(node) || ts.isNewExpression(node)) this.#lookAtCall(node)
    else if (ts.isPropertyAssignment(node)) this.initial.push({ name: nameOf(node.name), value: node.initializer })
    else if (ts.isShorthandPropertyAssignment(node)) this.initial.push({ name: node.name.text, value: node.name })
    else if (ts.isPropertyDeclaration(node) && node.initializer)
      this.initial.push({ name: nameOf(node.name), value: node.initializer })
  }

  #lookAtAssignment({ left, right, operatorToken }: ts.BinaryExpression): void {
    if (!isAssignment(operatorToken.kind)) return
    const name = propertyOf(left)
    if (name !== null) {
      const target = (left as ts.PropertyAccessExpression | ts.ElementAccessExpression).expression
      add(this.#toProperties, name, { target, value: right })
    } else if (ts.isIdentifier(left)) {
      const symbol = this.#checker.getSymbolAtLocation(left)
      if (symbol) add(this.#toVariables, symbol, right)
    }
  }

  #lookAtCall(node: CallLike): void {
    const declaration = this.#checker.getResolvedSignature(node)?.declaration
    if (declaration && !ts.isJSDocSignature(declaration)) add(this.#calls, declaration, node)
    else
      add(
        this.#unresolved,
        propertyOf(node.expression) ?? (ts.isIdentifier(node.expression) ? node.expression.text : ''),
        node,
      )
    const [first, second, third] = node.arguments ?? []
    if (!first || !second || !ts.isCallExpression(node)) return
    if (node.expression.getText() === 'Object.assign') this.#lookAtAssign(first, node.arguments.slice(1))
    else if (node.expression.getText() === 'Object.defineProperty' && third && ts.isStringLiteralLike(second)) {
      const value =
        ts.isObjectLiteralExpression(third) && third.properties.find((one) => one.name?.getText() === 'value')
      if (value && ts.isPropertyAssignment(value))
        add(this.#toProperties, second.text, { target: first, value: value.initializer })
    } else if (ts.isPropertyAccessExpression(node.expression))
      this.registered.push({ name: ts.isStringLiteralLike(first) ? first.text : null, value: second })
  }

  #lookAtAssign(target: ts.Expression, sources: readonly ts.Expression[]): void {
    for (const source of sources) {
      if (!ts.isObjectLiteralExpression(source)) continue
      for (const property of source.properties) {
        if (ts.isPropertyAssignment(property))
          add(this.#toProperties, nameOf(property.name), { target, value: property.initializer })
        else if (ts.isShorthandPropertyAssignment(property))
          add(this.#toProperties, property.name.text, { target, value: property.name })
      }
    }
  }
}

/** `require('./x')(…)`, or a call of a name. */
function isCallOfModule({ expression }: CallLike): boolean {
  return (
    ts.isIdentifier(expression) || (ts.isCallExpression(expression) && expression.expression.getText() === 'require')
  )
}

function add<Key, Item>(map: Map<Key, Item[]>, key: Key, item: Item): void {
  const items = map.get(key)
  if (items) items.push(item)
  else map.set(key, [item])
}

/** Name of a property, without quotes. */
export function nameOf(name: ts.PropertyName | ts.BindingName): string {
  return ts.isIdentifier(name) || ts.isStringLiteralLike(name) || ts.isPrivateIdentifier(name)
    ? name.text
    : name.getText()
}

/** `name` of `x.name` and `x['name']`; null for all else. */
export function propertyOf(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node)) return node.name.text
  return ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)
    ? node.argumentExpression.text
    : null
}

function isAssignment(kind: ts.SyntaxKind): boolean {
  return (
    kind === ts.SyntaxKind.EqualsToken ||
    kind === ts.SyntaxKind.QuestionQuestionEqualsToken ||
    kind === ts.SyntaxKind.BarBarEqualsToken ||
    kind === ts.SyntaxKind.AmpersandAmpersandEqualsToken
  )
}
