/** Local names for the helpers of a file: their own, unless the file declares such a name already. */
import { ts } from 'ts-morph'
import type { Bindings } from './bindings.ts'

export function localNames(source: ts.SourceFile, bindings: Bindings): (helper: string) => string {
  const taken = declaredNames(source)
  for (const binding of bindings.all) if (!bindings.isUsed(binding)) taken.delete(binding.name.text)
  const names = new Map<string, string>()
  return (helper) => {
    let name = names.get(helper)
    if (name === undefined) {
      name = helper
      for (let at = 0; taken.has(name); at += 1) name = `${helper}FromIoredis${at === 0 ? '' : at + 1}`
      taken.add(name)
      names.set(helper, name)
    }
    return name
  }
}

/** Every name that something in the file declares. */
function declaredNames(source: ts.SourceFile): Set<string> {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && isDeclaration(node)) names.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return names
}

function isDeclaration(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isBindingElement(parent) || ts.isVariableDeclaration(parent) || ts.isParameter(parent))
    return parent.name === node
  if (
    ts.isImportSpecifier(parent) ||
    ts.isImportClause(parent) ||
    ts.isNamespaceImport(parent) ||
    ts.isImportEqualsDeclaration(parent)
  )
    return parent.name === node
  return (
    (ts.isFunctionDeclaration(parent) ||
      ts.isFunctionExpression(parent) ||
      ts.isClassDeclaration(parent) ||
      ts.isClassExpression(parent) ||
      ts.isInterfaceDeclaration(parent) ||
      ts.isTypeAliasDeclaration(parent) ||
      ts.isEnumDeclaration(parent) ||
      ts.isTypeParameterDeclaration(parent)) &&
    parent.name === node
  )
}
