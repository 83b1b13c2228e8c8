/**
 * Clients that leave the sight of the type checker: as `any`, as an interface of the project, or into another package. Where values can be
 * followed (`values/`), the calls behind `any` are rewritten or marked themselves. A person has to look at the rest.
 */
import { ts } from 'ts-morph'
import { unwrap } from '../arguments.ts'
import type { FileContext } from '../file-context.ts'
import { isHelperText } from '../generated/compose.ts'
import { isIoredisKind, type Kind } from '../kinds.ts'
import { packageOf } from '../package-of.ts'
import { packageAdvice } from '../packages.ts'
import type { Rule } from '../rule.ts'
import { spyAdvice } from './members.ts'

export const flowRule: Rule = {
  name: 'flow',
  title: 'Clients that are handed on',
  why: 'Where a client is `any`, the codemod follows the values of the project: it rewrites a call if each value is a client, and marks it if one may be. No type tells what another package does with a client.',
  examples: [
    {
      before: 'export const app: any = {}\napp.client = redis\nexport const all = () => app.client.hgetall(key)',
      after:
        "export const app: any = {}\napp.client = redis\nexport const all = () => command<any>(app.client, 'hgetall', key)",
    },
    {
      before: 'export const all = (request: any) => request.redis.hgetall(key)',
      after:
        '// coatcheck-codemod-error untyped-client: No type tells whether this is a client of ioredis. Give it the type Redis and run the codemod again, or write the call by hand.\nexport const all = (request: any) => request.redis.hgetall(key)',
    },
    {
      before: 'declare function cache(client: any): void\ncache(redis)',
      after:
        'declare function cache(client: any): void\n// coatcheck-codemod-error client-as-any: The client becomes `any` here, so calls on it were not found. Give it the type Redis, then rewrite its calls.\ncache(redis)',
    },
    {
      before: "import { RedisStore } from 'rate-limit-redis'\nexport const store = new RedisStore({ client: redis })",
      after:
        "import { RedisStore } from 'rate-limit-redis'\n// coatcheck-codemod-error client-to-package: Give rate-limit-redis: sendCommand: (...args) => redis.sendCommand(args).\nexport const store = new RedisStore({ client: redis })",
    },
  ],
}

const AS_ANY =
  'The client becomes `any` here, so calls on it were not found. Give it the type Redis, then rewrite its calls.'
const AS_INTERFACE =
  'The client becomes an interface of its own here, so calls on it were not found. Check that its methods have the meaning of node-redis.'

const PROVIDER =
  'No @Inject of this token has the type Redis, or some have another one. Give each the type Redis, then rewrite its calls.'

/** Looks where the value of a client goes; follows parentheses, `??`, `? :` and `await`. */
export function applyToFlow(context: FileContext, node: ts.Expression): void {
  const { parent } = node
  if (
    ts.isParenthesizedExpression(parent) ||
    ts.isNonNullExpression(parent) ||
    ts.isSatisfiesExpression(parent) ||
    ts.isAwaitExpression(parent)
  ) {
    applyToFlow(context, parent)
    return
  }
  if (ts.isAsExpression(parent) || ts.isTypeAssertionExpression(parent)) {
    applyToAssertion(context, parent)
    return
  }
  if (ts.isConditionalExpression(parent)) {
    if (parent.condition !== node) applyToJoined(context, node, parent)
    return
  }
  if (ts.isBinaryExpression(parent)) {
    applyToBinary(context, node, parent)
    return
  }
  if (ts.isVariableDeclaration(parent) && parent.initializer === node) {
    if (ts.isObjectBindingPattern(parent.name)) {
      context.file.mark(
        node,
        'flow',
        'destructured',
        'Call the methods on the client: a method that is taken off its client was not rewritten.',
      )
    } else if (parent.type && !isFollowed(context, parent))
      judge(context, node, context.analysis.kinds.checker.getTypeFromTypeNode(parent.type))
    return
  }
  if ((ts.isPropertyDeclaration(parent) || ts.isParameter(parent)) && parent.initializer === node) {
    if (parent.type && !isFollowed(context, parent))
      judge(context, node, context.analysis.kinds.checker.getTypeFromTypeNode(parent.type))
    return
  }
  if (ts.isCallExpression(parent) || ts.isNewExpression(parent)) {
    if (parent.expression !== node) applyToArgument(context, node, parent)
    return
  }
  if (ts.isReturnStatement(parent) || (ts.isArrowFunction(parent) && parent.body === node)) {
    applyToReturn(context, node)
    return
  }
  if (
    ts.isPropertyAssignment(parent) ||
    ts.isShorthandPropertyAssignment(parent) ||
    ts.isArrayLiteralExpression(parent)
  ) {
    applyToLiteral(context, node, parent)
    return
  }
  if (ts.isSpreadAssignment(parent) || ts.isSpreadElement(parent) || ts.isTemplateSpan(parent)) {
    context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
    return
  }
  if (ts.isJsxExpression(parent)) judge(context, node, context.analysis.kinds.checker.getContextualType(node))
}

/** `redis as X`: only what the assertion makes of it counts, `redis as unknown as Redis` is no change. */
function applyToAssertion(context: FileContext, assertion: ts.AsExpression | ts.TypeAssertion): void {
  const outer = outermostAssertion(assertion)
  const kind = context.analysis.kinds.of(outer)
  if (isIoredisKind(kind)) {
    applyToFlow(context, outer)
    return
  }
  context.file.mark(
    outer,
    'flow',
    kind === 'any' || isUnknown(context, outer) ? 'client-as-any' : 'client-as-interface',
    kind === 'any' || isUnknown(context, outer) ? AS_ANY : AS_INTERFACE,
  )
}

function outermostAssertion(node: ts.Expression): ts.Expression {
  let at = node
  while (
    ts.isAsExpression(at.parent) ||
    ts.isTypeAssertionExpression(at.parent) ||
    ts.isParenthesizedExpression(at.parent)
  )
    at = at.parent
  return at
}

function isUnknown({ analysis }: FileContext, node: ts.Expression): boolean {
  return (analysis.kinds.checker.getTypeAtLocation(node).flags & ts.TypeFlags.Unknown) !== 0
}

function applyToBinary(context: FileContext, node: ts.Expression, parent: ts.BinaryExpression): void {
  const operator = parent.operatorToken.kind
  const isAssignment =
    operator === ts.SyntaxKind.EqualsToken ||
    operator === ts.SyntaxKind.QuestionQuestionEqualsToken ||
    operator === ts.SyntaxKind.BarBarEqualsToken ||
    operator === ts.SyntaxKind.AmpersandAmpersandEqualsToken
  if (isAssignment && parent.right === node) {
    const type = declaredType(context, parent.left)
    // The value is followed from there on, or a type says what it is.
    if (isIoredisKind(context.analysis.kinds.of(parent.left))) {
      applyToFlow(context, parent)
      return
    }
    // In JavaScript, `{ client: null }` says nothing about what comes later.
    if (isNothing(type)) context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
    else if (!isModuleExports(parent.left)) judge(context, node, type)
    applyToFlow(context, parent)
    return
  }
  const passesOn =
    operator === ts.SyntaxKind.QuestionQuestionToken ||
    operator === ts.SyntaxKind.BarBarToken ||
    (operator === ts.SyntaxKind.AmpersandAmpersandToken && parent.right === node) ||
    (operator === ts.SyntaxKind.CommaToken && parent.right === node)
  if (passesOn) applyToJoined(context, node, parent)
}

/** `global.redis ?? new Redis()`: one side that is `any` makes all of it `any`. */
function applyToJoined(context: FileContext, node: ts.Expression, joined: ts.Expression): void {
  if (context.analysis.kinds.of(joined) === 'any') context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
  else applyToFlow(context, joined)
}

/** `module.exports`, `exports.redis`: files that load it see its type. */
function isModuleExports(left: ts.Expression): boolean {
  return /^(?:module\.)?exports(?:\.\w+)?$/.test(left.getText())
}

function declaredType({ analysis }: FileContext, left: ts.Expression): ts.Type {
  const { checker } = analysis.kinds
  const symbol = checker.getSymbolAtLocation(left)
  const declaration = symbol?.valueDeclaration
  if (
    declaration &&
    (ts.isVariableDeclaration(declaration) || ts.isParameter(declaration)) &&
    !declaration.type &&
    !declaration.initializer
  ) {
    // A variable without a type has the type of what is assigned to it.
    return checker.getTypeAtLocation(left)
  }
  return symbol ? checker.getTypeOfSymbolAtLocation(symbol, left) : checker.getTypeAtLocation(left)
}

function applyToArgument(context: FileContext, node: ts.Expression, call: ts.CallExpression | ts.NewExpression): void {
  const { checker } = context.analysis.kinds
  if (isHarmless(call)) return
  if (/(?:^|\.)spyOn$/.test(call.expression.getText())) {
    const method = call.arguments?.[1]
    const name = method && ts.isStringLiteralLike(method) ? method.text : 'that'
    context.file.mark(node, 'test-doubles', 'spied-method', spyAdvice(name))
    return
  }
  const signature = checker.getResolvedSignature(call)
  const at = call.arguments?.indexOf(node) ?? -1
  const parameter = signature?.parameters[Math.min(at, signature.parameters.length - 1)]
  const declaration = signature?.declaration
  // A helper takes what it is given; an earlier run wrote the call.
  if (declaration && isHelperText(declaration.getSourceFile().text)) return
  const fileName = declaration?.getSourceFile().fileName ?? ''
  const packageName = packageOf(fileName) ?? packageOfCallee(context, call)
  if (packageName !== null && packageName !== 'typescript' && packageName !== '@types/node') {
    context.file.mark(node, 'flow', 'client-to-package', packageAdvice(packageName))
    return
  }
  if (parameter?.valueDeclaration && isFollowed(context, parameter.valueDeclaration)) return
  if (isResolve(call) || (!declaration && context.analysis.connections.isOfProject(call.expression))) return
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
    type = checker.getTypeArguments(type as ts.TypeReference)[0] ?? type
  }
  judge(context, node, type)
}

/** True if each value that the untyped variable, field or parameter gets is a client: its calls are rewritten. */
function isFollowed({ analysis }: FileContext, declaration: ts.Declaration): boolean {
  return isIoredisKind(analysis.kinds.ofDeclaration(declaration))
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
  if (!isArgument || isHarmless(parent) || !holdsClient(context, node)) return
  const { checker } = context.analysis.kinds
  const isAssign = parent.expression.getText() === 'Object.assign'
  // What a literal holds has been looked at already.
  if (!isAssign && (ts.isObjectLiteralExpression(node) || ts.isArrayLiteralExpression(node))) return
  const type = checker.getContextualType(node)
  if (isAssign || !type || type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) {
    context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
  }
}

const MOST_MEMBERS = 50

function holdsClient({ analysis }: FileContext, node: ts.Expression): boolean {
  const { checker } = analysis.kinds
  const type = checker.getTypeAtLocation(node)
  if (checker.isArrayType(type)) {
    const [element] = checker.getTypeArguments(type as ts.TypeReference)
    return element !== undefined && isIoredisKind(analysis.kinds.ofType(element))
  }
  // An instance of a class keeps its client to itself.
  const flags = type.getSymbol()?.flags ?? 0
  if (!(flags & (ts.SymbolFlags.ObjectLiteral | ts.SymbolFlags.TypeLiteral | ts.SymbolFlags.ValueModule))) return false
  const members = type.getProperties()
  return (
    members.length <= MOST_MEMBERS &&
    members.some((member) => isIoredisKind(analysis.kinds.ofType(checker.getTypeOfSymbolAtLocation(member, node))))
  )
}

/** Calls that only look at the client: output and assertions. */
function isHarmless(call: ts.CallExpression | ts.NewExpression): boolean {
  const callee = call.expression.getText()
  // The method that is bound or applied has its own mark.
  if (/\.(?:bind|call|apply)$/.test(callee)) return true
  return /^(?:console\.\w+|expect|assert(?:\.\w+)?|Boolean|clearTimeout|structuredClone|util\.inspect)$/.test(callee)
}

/**
 * A value that a container injects. `@Inject(TOKEN) redis: Redis` gives it its type again; without one, calls were not found.
 * @returns false if the property is no provider
 */
function applyToProvider(context: FileContext, node: ts.Expression, property: ts.Node): boolean {
  if (!ts.isPropertyAssignment(property) || !/^use(?:Value|Factory)$/.test(property.name.getText())) return false
  const provide = property.parent.properties.find((one) => one.name?.getText() === 'provide')
  if (!provide || !ts.isPropertyAssignment(provide)) return false
  const kinds = context.analysis.injected.get(provide.initializer.getText().replace(/^["'`]|["'`]$/g, '')) ?? []
  if (kinds.length === 0 || !kinds.every(isIoredisKind)) context.file.mark(node, 'flow', 'provider', PROVIDER)
  return true
}

function applyToReturn(context: FileContext, node: ts.Expression): void {
  const owner = functionAround(node)
  if (!owner || applyToProvider(context, node, owner.parent)) return
  const { checker } = context.analysis.kinds
  if (owner.type) {
    judge(context, node, promisedType(checker, checker.getTypeFromTypeNode(owner.type)))
    return
  }
  if (!ts.isFunctionExpression(owner) && !ts.isArrowFunction(owner) && !ts.isMethodDeclaration(owner)) return
  const asked = ts.isMethodDeclaration(owner)
    ? ts.isObjectLiteralExpression(owner.parent)
      ? checker.getContextualType(owner.parent)?.getProperty(owner.name.getText())
      : undefined
    : undefined
  const contextual = asked
    ? checker.getTypeOfSymbolAtLocation(asked, owner)
    : ts.isMethodDeclaration(owner)
      ? undefined
      : checker.getContextualType(owner)
  if (!contextual) {
    if (!ts.isMethodDeclaration(owner)) applyToUntypedCallee(context, node, owner)
    return
  }
  const [signature] = contextual.getCallSignatures()
  if (signature) judge(context, node, promisedType(checker, signature.getReturnType()))
  else if (contextual.flags & ts.TypeFlags.Any) context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
}

function functionAround(node: ts.Node): ts.FunctionLikeDeclaration | null {
  for (let at = node.parent as ts.Node | undefined; at; at = at.parent as ts.Node | undefined) {
    if (ts.isFunctionLike(at)) return at as ts.FunctionLikeDeclaration
  }
  return null
}

function promisedType(checker: ts.TypeChecker, type: ts.Type): ts.Type {
  return checker.getAwaitedType(type) ?? type
}

function applyToLiteral(context: FileContext, node: ts.Expression, parent: ts.Node): void {
  const { checker } = context.analysis.kinds
  if (applyToProvider(context, node, parent)) return
  if (ts.isShorthandPropertyAssignment(parent) || ts.isPropertyAssignment(parent)) {
    const literal = parent.parent
    const contextual = checker.getContextualType(literal)
    const property = contextual?.getProperty(parent.name.getText().replace(/^['"]|['"]$/g, ''))
    if (property) {
      const packageName = packageOf(property.declarations?.[0]?.getSourceFile().fileName ?? '')
      if (packageName !== null && packageName !== 'typescript' && packageName !== '@types/node') {
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
    analysis.connections.isOfProject(parent.expression)
  )
}

/** `new Queue('mail', { connection: redis })`, where the types of the package are not installed. */
function applyToUntypedCallee(context: FileContext, node: ts.Expression, literal: ts.Node): void {
  for (let at = literal; ; at = at.parent) {
    const { parent } = at
    if ((ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression !== at) {
      if (isHarmless(parent)) return
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

/** Whether calls on a value of this type were found. */
function judge(context: FileContext, node: ts.Expression, type: ts.Type | undefined): void {
  if (!type) return
  const { kinds } = context.analysis
  const kind: Kind = kinds.ofType(type)
  if (isIoredisKind(kind) || kind === 'mixed') return
  if (kind === 'any' || type.flags & (ts.TypeFlags.Unknown | ts.TypeFlags.NonPrimitive)) {
    context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
    return
  }
  if (type.flags & ts.TypeFlags.TypeParameter) return
  if (isNothing(type) || isEmitter(type) || isOfNodeRedis(type)) return
  if (kinds.checker.getNonNullableType(type).getProperties().length === 0) {
    if (type.flags & ts.TypeFlags.Object) context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
    return
  }
  context.file.mark(node, 'flow', 'client-as-interface', AS_INTERFACE)
}

/** The type of the generated file: what holds it was rewritten. */
function isOfNodeRedis(type: ts.Type): boolean {
  const parts = type.isUnionOrIntersection() ? type.types : [type]
  return parts.some((part) =>
    /^(?:@redis\/client|redis)$/.test(
      packageOf(part.getSymbol()?.declarations?.[0]?.getSourceFile().fileName ?? '') ?? '',
    ),
  )
}

function isNothing(type: ts.Type): boolean {
  return (type.flags & (ts.TypeFlags.Void | ts.TypeFlags.Undefined | ts.TypeFlags.Null | ts.TypeFlags.Never)) !== 0
}

/** An EventEmitter has the same methods in node-redis. */
function isEmitter(type: ts.Type): boolean {
  return /^(?:NodeJS\.)?EventEmitter\b/.test(type.getSymbol()?.name ?? '')
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
