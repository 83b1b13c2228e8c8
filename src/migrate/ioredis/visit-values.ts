/** Decides which expressions can be a client, and hands those that are one to the rules about flow. */
import { ts } from 'ts-morph'
import type { FileContext } from './file-context.ts'
import { isClientKind, isIoredisKind, type Kind } from './kinds.ts'
import { packageOf } from './package-of.ts'
import { packageAdvice } from './packages.ts'
import { applyToContainer } from './rules/flow-into-calls.ts'
import { applyToFlow } from './rules/flow.ts'

/** Expressions that can have a client as their value. */
export function isValue(node: ts.Node): node is ts.Expression {
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

export function visitFlow(context: FileContext, node: ts.Expression): void {
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
