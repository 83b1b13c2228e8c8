/** Values that are no clients and take the place of one: by an assertion, by a container, or by a type of a library for tests. */
import { ts } from 'ts-morph'
import { unwrap } from '../arguments.ts'
import type { FileContext } from '../file-context.ts'
import { isClientKind, isIoredisKind } from '../kinds.ts'
import { packageOf } from '../package-of.ts'
import { ADVICE_DOUBLE } from './module-doubles.ts'

function mark({ file }: FileContext, node: ts.Node): void {
  file.mark(node, 'test-doubles', 'client-double', ADVICE_DOUBLE)
}

/** `fake as unknown as Redis`, and `fake as any` where a client is wanted. */
export function applyToStandIn(context: FileContext, assertion: ts.AsExpression | ts.TypeAssertion): void {
  if (isAssertion(assertion.parent)) return
  const { kinds } = context.analysis
  const type = kinds.checker.getTypeFromTypeNode(assertion.type)
  const wanted = type.flags & ts.TypeFlags.Any ? kinds.checker.getContextualType(assertion) : type
  if (!wanted || !isClientKind(kinds.ofType(wanted))) return
  if (isNoClient(context, innermost(assertion))) mark(context, assertion)
}

/** `{ provide: TOKEN, useValue: fake }`, where `@Inject(TOKEN)` gets a client. */
export function applyToProvidedDouble(context: FileContext, literal: ts.ObjectLiteralExpression): void {
  const values = new Map(
    literal.properties.flatMap((one) =>
      ts.isPropertyAssignment(one) ? [[one.name.getText(), one.initializer] as const] : [],
    ),
  )
  const provide = values.get('provide')
  if (!provide || !isToken(context, provide)) return
  for (const [name, value] of values) {
    if (isProvidedDouble(context, name, value)) mark(context, literal)
  }
}

/** `module.overrideProvider(TOKEN).useValue(fake)` */
export function applyToOverride(context: FileContext, call: ts.CallExpression): void {
  const { expression, arguments: args } = call
  if (!ts.isPropertyAccessExpression(expression) || !ts.isCallExpression(expression.expression)) return
  const { expression: override, arguments: tokens } = expression.expression
  const [token] = tokens
  const [value] = args
  if (!ts.isPropertyAccessExpression(override) || override.name.text !== 'overrideProvider' || !token || !value) return
  if (!isToken(context, token)) return
  const { name } = expression
  const factory = ts.isObjectLiteralExpression(value)
    ? value.properties.find((one) => one.name?.getText() === 'factory')
    : undefined
  const given = name.text === 'useFactory' && factory && ts.isPropertyAssignment(factory) ? factory.initializer : value
  if (isProvidedDouble(context, name.text, given)) mark(context, call)
}

function isToken({ analysis }: FileContext, node: ts.Expression): boolean {
  const kinds = analysis.injected.get(node.getText().replace(/^["'`]|["'`]$/g, '')) ?? []
  return kinds.length > 0 && kinds.every(isIoredisKind)
}

function isProvidedDouble(context: FileContext, name: string, value: ts.Expression): boolean {
  if (name === 'useValue') return isNoClient(context, innermost(value))
  if (name !== 'useFactory' && name !== 'useClass') return false
  const { checker } = context.analysis.kinds
  const type = checker.getTypeAtLocation(value)
  const made = [...type.getCallSignatures(), ...type.getConstructSignatures()].map((one) => one.getReturnType())
  return made.some((one) => isNoClientType(context, checker.getAwaitedType(one) ?? one))
}

/** `jest.Mocked<Redis>`, `mockDeep<Redis>()` */
export function isMockedType(node: ts.Node): boolean {
  const { parent } = node
  const name = ts.isTypeReferenceNode(parent)
    ? parent.typeName.getText()
    : ts.isCallExpression(parent) && parent.expression !== node
      ? parent.expression.getText()
      : ''
  return /mock|stub|spied|double|fake/i.test(name)
}

export function markMockedType(context: FileContext, node: ts.Node): void {
  mark(context, node)
}

function isAssertion(node: ts.Node): boolean {
  return (
    ts.isAsExpression(node) ||
    ts.isTypeAssertionExpression(node) ||
    (ts.isParenthesizedExpression(node) && isAssertion(node.parent))
  )
}

function innermost(node: ts.Expression): ts.Expression {
  let at = unwrap(node)
  while (ts.isAsExpression(at) || ts.isTypeAssertionExpression(at) || ts.isSatisfiesExpression(at))
    at = unwrap(at.expression)
  return at
}

function isNoClient(context: FileContext, node: ts.Expression): boolean {
  return isNoClientType(context, context.analysis.kinds.checker.getTypeAtLocation(node))
}

/** True for an object or a class that the code shows; a value of an interface or of `unknown` may be a client. */
function isNoClientType({ analysis }: FileContext, type: ts.Type): boolean {
  if (!(type.flags & ts.TypeFlags.Object) || analysis.kinds.ofType(type) !== 'other') return false
  const symbol = type.getSymbol()
  if (!symbol || !(symbol.flags & (ts.SymbolFlags.ObjectLiteral | ts.SymbolFlags.Class))) return false
  const from = packageOf(symbol.declarations?.[0]?.getSourceFile().fileName ?? '')
  return from !== 'redis' && from !== '@redis/client'
}
