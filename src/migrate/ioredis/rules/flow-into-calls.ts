/** Clients that code hands to functions, alone or inside of an object: of the project, or of packages. */
import { ts } from 'ts-morph'
import { unwrap } from '../arguments.ts'
import type { FileContext } from '../file-context.ts'
import { isHelperText } from '../generated/compose.ts'
import { isIoredisKind, type Kinds } from '../kinds.ts'
import { packageOf } from '../package-of.ts'
import { packageAdvice } from '../packages.ts'
import { AS_ANY, isFollowed, judge } from './flow-judgement.ts'
import { applyToProvider } from './flow-providers.ts'
import { spyAdvice } from './members.ts'

export function applyToArgument(
  context: FileContext,
  node: ts.Expression,
  call: ts.CallExpression | ts.NewExpression,
): void {
  const { checker } = context.analysis.kinds
  if (isHarmless(context, call)) return
  if (isBinding(call.expression) && call.arguments?.[0] === node) {
    if (!knowsThis(context, call.expression.expression)) context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
    return
  }
  if (/(?:^|\.)spyOn$|^(?:sinon|sandbox)\.\w+$/.test(call.expression.getText())) {
    const method = call.arguments?.[1]
    const name = method && ts.isStringLiteralLike(method) ? method.text : 'that'
    context.file.mark(node, 'test-doubles', 'spied-method', spyAdvice(name))
    return
  }
  const signature = checker.getResolvedSignature(call)
  const at = call.arguments?.indexOf(node) ?? -1
  const parameter = signature?.parameters[Math.min(at, signature.parameters.length - 1)]
  const declaration = signature?.declaration
  // An earlier run wrote this call of a helper.
  if (declaration && isHelperText(declaration.getSourceFile().text)) return
  const fileName = declaration?.getSourceFile().fileName ?? ''
  const packageName = packageOf(fileName) ?? packageOfCallee(context, call)
  if (packageName !== null && packageName !== 'typescript' && packageName !== '@types/node') {
    context.file.mark(node, 'flow', 'client-to-package', packageAdvice(packageName))
    return
  }
  if (parameter?.valueDeclaration && isFollowed(context, parameter.valueDeclaration)) return
  if (isResolve(call) || (!declaration && context.analysis.clientValues.isOfProject(call.expression))) return
  if (!parameter || !declaration) {
    context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
    return
  }
  let type = checker.getTypeOfSymbolAtLocation(parameter, call)
  if (
    parameter.valueDeclaration &&
    ts.isParameter(parameter.valueDeclaration) &&
    parameter.valueDeclaration.dotDotDotToken
  ) {
    const elements = checker.getTypeArguments(type as ts.TypeReference)
    type = (checker.isTupleType(type) && elements[at - signature.parameters.length + 1]) || (elements[0] ?? type)
  }
  judge(context, node, type)
}

/** `resolve(client)` in `new Promise((resolve) => …)`: the value of the promise is followed. */
function isResolve(call: ts.CallExpression | ts.NewExpression): boolean {
  if (!ts.isIdentifier(call.expression)) return false
  for (let at: ts.Node | undefined = call.parent; at; at = at.parent as ts.Node | undefined) {
    if (!ts.isFunctionLike(at) || !ts.isNewExpression(at.parent)) continue
    const [resolve] = at.parameters
    if (at.parent.expression.getText() === 'Promise') return resolve?.name.getText() === call.expression.text
  }
  return false
}

/** An object or an array that holds a client, handed to code that no type describes. */
export function applyToContainer(context: FileContext, node: ts.Expression): void {
  const { parent } = node
  const isArgument = (ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression !== node
  if (!isArgument || isHarmless(context, parent) || !holdsClient(context, node)) return
  const { checker } = context.analysis.kinds
  const isAssign = parent.expression.getText() === 'Object.assign'
  // `applyToLiteral` has checked the members of a literal.
  if (!isAssign && (ts.isObjectLiteralExpression(node) || ts.isArrayLiteralExpression(node))) return
  const type = checker.getContextualType(node)
  if (isAssign || !type || type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) {
    context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
    return
  }
  const takers = clientMembersOf(context, node).map((name) => packageOfOption(optionOf(checker, type, name)))
  const taker = takers.find((name) => name !== null)
  if (taker) context.file.mark(node, 'flow', 'client-to-package', packageAdvice(taker))
}

const MOST_MEMBERS = 50

function holdsClient({ analysis }: FileContext, node: ts.Expression): boolean {
  const { checker } = analysis.kinds
  const type = checker.getTypeAtLocation(node)
  if (checker.isArrayType(type)) {
    const [element] = checker.getTypeArguments(type as ts.TypeReference)
    return element !== undefined && isIoredisKind(analysis.kinds.ofType(element))
  }
  return clientMembersOf({ analysis }, node).length > 0
}

/** Names of the members of an object that are clients. */
function clientMembersOf({ analysis }: Pick<FileContext, 'analysis'>, node: ts.Expression): readonly string[] {
  const { checker } = analysis.kinds
  const type = checker.getTypeAtLocation(node)
  // An instance of a class keeps its client to itself.
  const flags = type.getSymbol()?.flags ?? 0
  if (!(flags & (ts.SymbolFlags.ObjectLiteral | ts.SymbolFlags.TypeLiteral | ts.SymbolFlags.ValueModule))) return []
  const members = type.getProperties()
  if (members.length > MOST_MEMBERS) return []
  return members
    .filter((member) => isIoredisKind(analysis.kinds.ofType(checker.getTypeOfSymbolAtLocation(member, node))))
    .map(({ name }) => name)
}

/** The package that declares an option; null for a type of the project or of the language. */
function packageOfOption(option: ts.Symbol | undefined): string | null {
  const packageName = packageOf(option?.declarations?.[0]?.getSourceFile().fileName ?? '')
  return packageName === 'typescript' || packageName === '@types/node' ? null : packageName
}

/** An option of a type. Options that may be left out have a type with undefined; some have a type with several forms. */
function optionOf(checker: ts.TypeChecker, type: ts.Type, name: string): ts.Symbol | undefined {
  const options = checker.getNonNullableType(type)
  const shared = options.getProperty(name)
  if (shared || !options.isUnion()) return shared
  return options.types.map((one) => one.getProperty(name)).find((option) => option !== undefined)
}

/** Calls that only look at the client: output and assertions. */
function isHarmless({ analysis }: FileContext, call: ts.CallExpression | ts.NewExpression): boolean {
  if (isOfBoundMethod(analysis.kinds, call)) return true
  const callee = call.expression.getText()
  return /^(?:console\.\w+|expect|assert(?:\.\w+)?|Boolean|clearTimeout|structuredClone|util\.inspect)$/.test(callee)
}

/** `redis.get.bind(redis)`, `promisify(redis.get).call(redis, key)`: the method of the client has its own mark. */
function isOfBoundMethod(kinds: Kinds, { expression }: ts.CallExpression | ts.NewExpression): boolean {
  if (!isBinding(expression)) return false
  const isOfClient = (node: ts.Node): boolean => {
    if (ts.isExpression(node)) {
      const kind = kinds.of(node)
      if (isIoredisKind(kind) || kind === 'class' || kind === 'cluster-class') return true
    }
    return ts.forEachChild(node, isOfClient) ?? false
  }
  return isOfClient(expression.expression)
}

/** `read.call(redis, key)`, where `read` declares that its `this` is a client, or has no use for it. */
function knowsThis({ analysis: { kinds } }: FileContext, callee: ts.Expression): boolean {
  const [signature] = kinds.checker.getTypeAtLocation(callee).getCallSignatures()
  const declaration = signature?.getDeclaration()
  if (!declaration || declaration.getSourceFile().isDeclarationFile) return false
  if (ts.isArrowFunction(declaration)) return true
  const [first] = declaration.parameters
  if (first?.name.getText() === 'this' && first.type) return isIoredisKind(kinds.of(first.name as ts.Identifier))
  return !/\bthis\b/.test(declaration.getText())
}

function isBinding(callee: ts.Expression): callee is ts.PropertyAccessExpression {
  return ts.isPropertyAccessExpression(callee) && /^(?:bind|call|apply)$/.test(callee.name.text)
}

export function applyToLiteral(context: FileContext, node: ts.Expression, parent: ts.Node): void {
  const { checker } = context.analysis.kinds
  if (applyToProvider(context, node, parent)) return
  if (ts.isShorthandPropertyAssignment(parent) || ts.isPropertyAssignment(parent)) {
    const literal = parent.parent
    const contextual = checker.getContextualType(literal)
    const property = contextual && optionOf(checker, contextual, parent.name.getText().replace(/^['"]|['"]$/g, ''))
    if (property) {
      const packageName = packageOfOption(property)
      if (packageName !== null) {
        context.file.mark(node, 'flow', 'client-to-package', packageAdvice(packageName))
        return
      }
      if (!property.declarations?.some((declaration) => isFollowed(context, declaration)))
        judge(context, node, checker.getTypeOfSymbolAtLocation(property, node))
      return
    }
    if (goesToProject(context, literal)) return
    applyToUntypedCallee(context, node, literal)
    if (contextual && contextual.flags & ts.TypeFlags.Any) context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
    return
  }
  const contextual = checker.getContextualType(node)
  if (contextual) judge(context, node, contextual)
  else applyToUntypedCallee(context, node, parent)
}

/** True for a literal that a call hands to functions of the project: what they read from it is followed. */
function goesToProject({ analysis }: FileContext, literal: ts.Expression): boolean {
  const { parent } = literal
  return (
    (ts.isCallExpression(parent) || ts.isNewExpression(parent)) &&
    parent.expression !== literal &&
    analysis.clientValues.isOfProject(parent.expression)
  )
}

/** `new Queue('mail', { connection: redis })`, where the types of the package are not installed. */
export function applyToUntypedCallee(context: FileContext, node: ts.Expression, literal: ts.Node): void {
  for (let at = literal; ; at = at.parent) {
    const { parent } = at
    if ((ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression !== at) {
      if (isHarmless(context, parent)) return
      if (context.analysis.kinds.of(parent.expression) !== 'any') return
      const packageName = packageOfCallee(context, parent)
      if (packageName !== null) context.file.mark(node, 'flow', 'client-to-package', packageAdvice(packageName))
      else context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
      return
    }
    if (
      !ts.isObjectLiteralExpression(parent) &&
      !ts.isPropertyAssignment(parent) &&
      !ts.isArrayLiteralExpression(parent) &&
      !ts.isParenthesizedExpression(parent)
    )
      return
  }
}

/** The package from which the callee is imported, also where its types are not installed. */
function packageOfCallee({ analysis }: FileContext, call: ts.CallExpression | ts.NewExpression): string | null {
  let root: ts.Expression = unwrap(call.expression)
  while (ts.isPropertyAccessExpression(root) || ts.isCallExpression(root)) root = unwrap(root.expression)
  if (!ts.isIdentifier(root)) return null
  for (const declaration of analysis.kinds.checker.getSymbolAtLocation(root)?.declarations ?? []) {
    const text = importedModule(declaration)
    if (text !== null && !text.startsWith('.') && !text.startsWith('node:')) {
      if (analysis.kinds.of(root) !== 'any') return null
      return text.startsWith('@') ? text.split('/', 2).join('/') : (text.split('/', 1)[0] ?? text)
    }
  }
  return null
}

function importedModule(declaration: ts.Declaration): string | null {
  for (let at: ts.Node | undefined = declaration; at; at = at.parent as ts.Node | undefined) {
    if (ts.isImportDeclaration(at)) return ts.isStringLiteral(at.moduleSpecifier) ? at.moduleSpecifier.text : null
    if (ts.isVariableDeclaration(at)) {
      const match = /^require\(\s*['"]([^'"]+)['"]\s*\)/.exec(at.initializer?.getText() ?? '')
      return match?.[1] ?? null
    }
  }
  return null
}
