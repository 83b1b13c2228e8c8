/** Walks one file and gives each node that concerns ioredis to its rule. */
import { ts } from 'ts-morph'
import type { FileContext } from './file-context.ts'
import { applyToAugmentation, isAugmentation } from './rules/augmentations.ts'
import { applyToChainType, applyToMethodQuery } from './rules/chain-types.ts'
import { applyToHeritage } from './rules/extended-types.ts'
import { applyToMockFile } from './rules/module-doubles.ts'
import { applyToModuleLoad } from './rules/module-loads.ts'
import { applyToOptions } from './rules/options.ts'
import { applyToErrorName } from './rules/reply-errors.ts'
import { applyToOverride, applyToProvidedDouble, applyToStandIn } from './rules/stand-ins.ts'
import { applyToTestDouble } from './rules/test-doubles.ts'
import { applyToType } from './rules/types.ts'
import { visitAccess } from './visit-accesses.ts'
import { visitCall } from './visit-calls.ts'
import { isValue, visitFlow } from './visit-values.ts'

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
  if (applyToTestDouble(context, node) || applyToModuleLoad(context, node)) return
  if (ts.isTypeQueryNode(node) && applyToMethodQuery(context, node)) return
  if (ts.isTypeReferenceNode(node) || ts.isTypeQueryNode(node) || ts.isImportTypeNode(node)) {
    applyToType(context, node)
    return
  }
  if (ts.isExpressionWithTypeArguments(node)) {
    applyToHeritage(context, node)
    return
  }
  if (ts.isStringLiteral(node) && node.text === 'ReplyError') {
    applyToErrorName(context, node)
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
