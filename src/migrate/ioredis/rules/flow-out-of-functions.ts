/** Clients that functions return. */
import { ts } from 'ts-morph'
import type { FileContext } from '../file-context.ts'
import { AS_ANY, judge } from './flow-judgement.ts'
import { applyToUntypedCallee } from './flow-into-calls.ts'
import { applyToProvider } from './flow-providers.ts'

export function applyToReturn(context: FileContext, node: ts.Expression): void {
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
