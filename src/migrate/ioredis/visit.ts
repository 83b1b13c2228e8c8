/** Walks one file and gives each node that concerns ioredis to its rule. */
import { ts } from 'ts-morph'
import { unwrap } from './arguments.ts'
import { Call } from './call.ts'
import { isCommand } from './commands.ts'
import type { FileContext } from './file-context.ts'
import { isClientKind, isIoredisKind, type Kind } from './kinds.ts'
import { rulesFor } from './rules.ts'
import { applyToChain } from './rules/chains.ts'
import { applyToConstruction, applyToOptions } from './rules/construction.ts'
import { makesIoredisClients, packageAdvice } from './packages.ts'
import { packageOf } from './package-of.ts'
import { applyToChainType, applyToMethodQuery } from './rules/chain-types.ts'
import { applyToContainer } from './rules/flow-into-calls.ts'
import { applyToFlow } from './rules/flow.ts'
import { applyToMember } from './rules/members.ts'
import { isNativeName } from './rules/native.ts'
import { applyToMockFile } from './rules/module-doubles.ts'
import { applyToOverride, applyToProvidedDouble, applyToStandIn } from './rules/stand-ins.ts'
import { applyToTestDouble } from './rules/test-doubles.ts'
import { applyToInterface } from './rules/extended-types.ts'
import { applyToAugmentation, applyToExport, applyToType, isAugmentation } from './rules/types.ts'

export function visitFile(context: FileContext): void {
  const visit = (node: ts.Node): void => {
    // An edit covers all of it.
    if (ts.isTypeReferenceNode(node) && applyToChainType(context, node)) return
    visitNode(context, node)
    for (const doc of jsDocOf(node)) ts.forEachChild(doc, visit)
    ts.forEachChild(node, visit)
  }
  applyToMockFile(context, context.file.source)
  visit(context.file.source)
}

function jsDocOf(node: ts.Node): readonly ts.Node[] {
  return ts.getJSDocCommentsAndTags(node).filter((doc) => doc.parent === node)
}

function visitNode(context: FileContext, node: ts.Node): void {
  if (isAugmentation(node)) {
    applyToAugmentation(context, node)
    return
  }
  if (applyToTestDouble(context, node) || visitModule(context, node)) return
  if (ts.isTypeQueryNode(node) && applyToMethodQuery(context, node)) return
  if (ts.isTypeReferenceNode(node) || ts.isTypeQueryNode(node) || ts.isImportTypeNode(node)) {
    applyToType(context, node)
    return
  }
  if (ts.isExpressionWithTypeArguments(node)) {
    visitHeritage(context, node)
    return
  }
  if (ts.isStringLiteral(node) && node.text === 'ReplyError') {
    visitErrorName(context, node)
    return
  }
  if (ts.isAsExpression(node) || ts.isTypeAssertionExpression(node)) applyToStandIn(context, node)
  if (ts.isCallExpression(node)) applyToOverride(context, node)
  if (ts.isObjectLiteralExpression(node)) {
    applyToOptions(context, node)
    applyToProvidedDouble(context, node)
  }
  if (!isValue(node)) return
  if (ts.isNewExpression(node) || ts.isCallExpression(node)) visitCall(context, node)
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) visitAccess(context, node)
  visitFlow(context, node)
}

/** Expressions that can have a client as their value. */
function isValue(node: ts.Node): node is ts.Expression {
  if (ts.isIdentifier(node)) return isReference(node)
  return (
    ts.isPropertyAccessExpression(node) ||
    ts.isElementAccessExpression(node) ||
    ts.isCallExpression(node) ||
    ts.isNewExpression(node) ||
    ts.isObjectLiteralExpression(node) ||
    ts.isArrayLiteralExpression(node) ||
    node.kind === ts.SyntaxKind.ThisKeyword
  )
}

/** False where an identifier declares or names something. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  if (
    ts.isPropertyAssignment(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isVariableDeclaration(parent) ||
    ts.isParameter(parent) ||
    ts.isBindingElement(parent)
  ) {
    return parent.initializer === node
  }
  if (ts.isShorthandPropertyAssignment(parent)) return parent.name === node
  return (
    ts.isExpression(parent) ||
    ts.isStatement(parent) ||
    ts.isTemplateSpan(parent) ||
    ts.isSpreadAssignment(parent) ||
    ts.isSpreadElement(parent)
  )
}

function visitCall(context: FileContext, node: ts.NewExpression | ts.CallExpression): void {
  if (context.file.isDecided(node) || applyToConstruction(context, node)) return
  if (ts.isNewExpression(node)) return
  const access = unwrap(node.expression)
  if (!ts.isPropertyAccessExpression(access) && !ts.isElementAccessExpression(access)) return
  const { kinds } = context.analysis
  const nameNode = ts.isPropertyAccessExpression(access) ? access.name : access.argumentExpression
  const kind = kinds.ofReceiver(access.expression, nameNode)
  const name = memberName(access)
  if (name === 'nodeify' || name === 'asCallback') visitNodeify(context, node, access)
  if (!isIoredisKind(kind)) {
    if (kinds.isUntyped(access.expression) && context.analysis.connections.mayBeClient(access.expression, name))
      markUntyped(context, node)
    return
  }
  if (access !== node.expression) {
    context.file.mark(
      node,
      'members',
      'asserted-method',
      'Call the method without an assertion around it, then run the codemod again.',
    )
    return
  }
  if (name === null) {
    applyToMember(context, access, name, kind)
    return
  }
  applyRules(context, new Call(context.analysis, context.file, node, access, name, kind))
}

function applyRules({ file }: FileContext, call: Call): void {
  if (isOwnMember(call)) return
  if (file.stands(call.node, 'members')) return
  if (call.kind === 'subclass') {
    call.mark(
      'members',
      'subclass',
      'The class extends that of ioredis. Make it hold a client of createRedis, then rewrite this call.',
    )
    return
  }
  if (call.kind === 'partial') {
    call.mark(
      'members',
      'partial-client',
      'The type is made from that of ioredis. Write the type that the code needs, then rewrite this call.',
    )
    return
  }
  if (call.kind === 'chain') {
    applyToChain(call)
    return
  }
  if (rulesFor(call.name).some((rule) => rule.apply(call))) return
  if (isNativeName(call.name)) {
    file.record(call.node, 'native', 'rewritten')
    return
  }
  const plain = call.name.replace(/Async$/, '')
  if (plain !== call.name && isCommand(plain)) {
    call.mark(
      'members',
      'promisified',
      `Call ${plain}(): it gives a promise without promisifyAll. Then run the codemod again.`,
    )
    return
  }
  call.mark(
    'members',
    'unknown-member',
    `ioredis has no ${call.name}() of its own. If it is a script, define it with defineCommand; else write the call by hand.`,
  )
}

/** A call that may reach a client, where no type tells. */
function markUntyped({ file }: FileContext, node: ts.CallExpression): void {
  file.mark(
    node,
    'flow',
    'untyped-client',
    'No type tells whether this is a client of ioredis. Give it the type Redis and run the codemod again, or write the call by hand.',
  )
}

/** A method that a class or interface of the project adds to a client. */
function isOwnMember(call: Call): boolean {
  if (call.kind !== 'subclass') return false
  const { access } = call
  const symbol = call.analysis.kinds.checker.getSymbolAtLocation(
    ts.isPropertyAccessExpression(access) ? access.name : access.argumentExpression,
  )
  return symbol?.declarations?.every((declaration) => declaration.getSourceFile() === access.getSourceFile()) === true
}

function memberName(access: ts.PropertyAccessExpression | ts.ElementAccessExpression): string | null {
  if (ts.isPropertyAccessExpression(access)) return access.name.text
  return ts.isStringLiteralLike(access.argumentExpression) ? access.argumentExpression.text : null
}

/** Bluebird's way to hand a result to a callback, in old code. */
function visitNodeify(
  context: FileContext,
  node: ts.CallExpression,
  access: ts.PropertyAccessExpression | ts.ElementAccessExpression,
): void {
  const inner = unwrap(access.expression)
  const innerAccess = ts.isCallExpression(inner) ? unwrap(inner.expression) : null
  if (!innerAccess || !ts.isPropertyAccessExpression(innerAccess)) return
  const kind = context.analysis.kinds.ofReceiver(innerAccess.expression, innerAccess.name)
  if (isIoredisKind(kind))
    context.file.mark(node, 'members', 'nodeify', 'Use withCallback(promise, callback), or await the promise.')
}

/** A property of a client that is not called where it stands. */
function visitAccess(context: FileContext, node: ts.PropertyAccessExpression | ts.ElementAccessExpression): void {
  const outer = outermost(node)
  if (ts.isCallExpression(outer.parent) && outer.parent.expression === outer) return
  if (isReplyErrorOfClass(context, node)) {
    context.file.edits.replace(node.getStart(), node.getEnd(), context.file.helper('ReplyError'))
    context.bindings.consume(node)
    context.file.record(node, 'imports', 'rewritten')
    return
  }
  const { kinds } = context.analysis
  const kind = kinds.ofReceiver(
    node.expression,
    ts.isPropertyAccessExpression(node) ? node.name : node.argumentExpression,
  )
  if (!isClientKind(kind) && kind !== 'chain' && kind !== 'partial') return
  applyToMember(context, node, memberName(node), kind)
}

/** `Redis.ReplyError` */
function isReplyErrorOfClass({ analysis }: FileContext, node: ts.Expression): boolean {
  return (
    ts.isPropertyAccessExpression(node) &&
    node.name.text === 'ReplyError' &&
    analysis.kinds.of(node.expression) === 'class'
  )
}

function outermost(node: ts.Expression): ts.Expression {
  let at = node
  while (ts.isParenthesizedExpression(at.parent) || ts.isNonNullExpression(at.parent)) at = at.parent
  return at
}

function visitFlow(context: FileContext, node: ts.Expression): void {
  visitOrigin(context, node)
  if (isReceiver(node)) return
  const kind: Kind = context.analysis.kinds.of(node)
  if (isClientKind(kind) || kind === 'subclass' || kind === 'chain' || kind === 'mixed') applyToFlow(context, node)
  else if (kind === 'other') applyToContainer(context, node)
}

/** `queue.client`: a client that a package made stays one of ioredis, whatever its type says. */
function visitOrigin({ analysis, file }: FileContext, node: ts.Expression): void {
  const name = ts.isPropertyAccessExpression(node) ? node.name : ts.isCallExpression(node) ? node.expression : null
  if (!name || !isIoredisKind(analysis.kinds.of(node))) return
  const declaration = ts.isCallExpression(node)
    ? analysis.kinds.checker.getResolvedSignature(node)?.declaration
    : analysis.kinds.checker.getSymbolAtLocation(name)?.declarations?.[0]
  const packageName = packageOf(declaration?.getSourceFile().fileName ?? '')
  if (packageName === null || packageName === 'typescript' || packageName === '@types/node') return
  // A generic function, such as one that keeps a value, hands on the client of the project.
  if (declaration && ts.isFunctionLike(declaration) && declaration.typeParameters) return
  file.mark(node, 'flow', 'client-from-package', packageAdvice(packageName))
}

function isReceiver(node: ts.Expression): boolean {
  const { parent } = node
  return (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent)) && parent.expression === node
}

/** `export … from 'ioredis'`, `import('ioredis')` and parts of its package. */
function visitModule(context: FileContext, node: ts.Node): boolean {
  const { file } = context
  if (ts.isExportDeclaration(node) && node.moduleSpecifier && isIoredisModule(node.moduleSpecifier)) {
    if (applyToExport(context, node)) return true
    file.mark(node, 'imports', 'export', 'Export the names from redis-from-ioredis, and rename what imports them.')
    return true
  }
  if (ts.isImportDeclaration(node) && isPartOfIoredis(node.moduleSpecifier)) {
    file.mark(node, 'imports', 'deep-import', 'node-redis has no such part. Write it by hand.')
    return true
  }
  if (
    ts.isImportDeclaration(node) &&
    ts.isStringLiteral(node.moduleSpecifier) &&
    makesIoredisClients(node.moduleSpecifier.text)
  ) {
    file.mark(node, 'imports', 'client-from-package', packageAdvice(node.moduleSpecifier.text))
    return true
  }
  if (!ts.isCallExpression(node)) return false
  const [module] = node.arguments
  if (!module) return false
  const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require'
  if (isImport && isIoredisModule(module)) {
    file.mark(
      node,
      'imports',
      'dynamic-import',
      'Import createRedis from redis-from-ioredis, and rewrite what is made of the module.',
    )
    return true
  }
  if ((isImport || isRequire) && isPartOfIoredis(module)) {
    file.mark(node, 'imports', 'deep-import', 'node-redis has no such part. Write it by hand.')
    return true
  }
  return false
}

function isIoredisModule(node: ts.Expression): boolean {
  return ts.isStringLiteralLike(node) && node.text === 'ioredis'
}

function isPartOfIoredis(node: ts.Expression): boolean {
  return ts.isStringLiteralLike(node) && node.text.startsWith('ioredis/')
}

function visitHeritage(context: FileContext, node: ts.ExpressionWithTypeArguments): void {
  const clause = node.parent
  if (ts.isHeritageClause(clause) && ts.isInterfaceDeclaration(clause.parent)) {
    applyToInterface(context, node, clause.parent)
    return
  }
  const kind = context.analysis.kinds.of(node.expression)
  if (kind !== 'class' && kind !== 'cluster-class') return
  context.file.mark(
    node,
    'types',
    'subclass',
    'node-redis has no class to extend. Make the class hold a client of createRedis.',
  )
}

/** `error.name === 'ReplyError'` is never true with node-redis. */
function visitErrorName({ file }: FileContext, node: ts.StringLiteral): void {
  const { parent } = node
  if (!ts.isBinaryExpression(parent) && !ts.isCaseClause(parent)) return
  file.mark(
    node,
    'imports',
    'error-name',
    'Use error instanceof ErrorReply of node-redis: no error has this name any more.',
  )
}
