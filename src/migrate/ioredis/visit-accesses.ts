/** Decides about properties of a client that the code reads without a call. */
import { ts } from 'ts-morph'
import type { FileContext } from './file-context.ts'
import { isClientKind, isOfIoredis, type Kind } from './kinds.ts'
import { markOfSubclass } from './rules/extended-types.ts'
import { applyToMember } from './rules/members.ts'
import { applyToReplyErrorOfClass } from './rules/reply-errors.ts'

/** A property of a client that is not called where it stands. */
export function visitAccess(
  context: FileContext,
  node: ts.PropertyAccessExpression | ts.ElementAccessExpression,
): void {
  const outer = outermost(node)
  if (ts.isCallExpression(outer.parent) && outer.parent.expression === outer) return
  if (applyToReplyErrorOfClass(context, node)) return
  const { kinds } = context.analysis
  const name = ts.isPropertyAccessExpression(node) ? node.name : node.argumentExpression
  const kind = kinds.ofReceiver(node.expression, name)
  if (isOfSubclass(kind, node)) {
    const symbol = kinds.checker.getSymbolAtLocation(name)
    if (symbol && isOfIoredis(symbol)) markOfSubclass(context.file, node)
    return
  }
  if (!isClientKind(kind) && kind !== 'chain' && kind !== 'partial') return
  applyToMember(context, node, memberName(node), kind)
}

/** True for `super` too: the class that it names still extends that of ioredis. */
export function isOfSubclass(
  kind: Kind,
  { expression }: ts.PropertyAccessExpression | ts.ElementAccessExpression,
): boolean {
  return kind === 'subclass' || (isClientKind(kind) && expression.kind === ts.SyntaxKind.SuperKeyword)
}

/** Null for a name that the code computes. */
export function memberName(access: ts.PropertyAccessExpression | ts.ElementAccessExpression): string | null {
  if (ts.isPropertyAccessExpression(access)) return access.name.text
  return ts.isStringLiteralLike(access.argumentExpression) ? access.argumentExpression.text : null
}

function outermost(node: ts.Expression): ts.Expression {
  let at = node
  while (ts.isParenthesizedExpression(at.parent) || ts.isNonNullExpression(at.parent)) at = at.parent
  return at
}
