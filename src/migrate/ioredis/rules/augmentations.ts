/** `declare module 'ioredis'`: scripts that code adds to the types of ioredis. */
import { ts } from 'ts-morph'
import type { FileContext } from '../file-context.ts'

export function isInsideAugmentation(node: ts.Node): boolean {
  for (let at: ts.Node | undefined = node; at; at = at.parent as ts.Node | undefined) {
    if (isAugmentation(at)) return true
  }
  return false
}

/** `declare module 'ioredis' { … }` */
export function isAugmentation(node: ts.Node): node is ts.ModuleDeclaration {
  return ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name) && node.name.text === 'ioredis'
}

/** The methods that `declare module 'ioredis'` adds, or null if it holds anything else. */
function methodsOf(node: ts.ModuleDeclaration): readonly string[] | null {
  if (!node.body || !ts.isModuleBlock(node.body)) return null
  const names: string[] = []
  for (const statement of node.body.statements) {
    if (!ts.isInterfaceDeclaration(statement)) return null
    for (const member of statement.members) {
      if (!ts.isMethodSignature(member) && !ts.isPropertySignature(member)) return null
      names.push(member.name.getText())
    }
  }
  return names
}

/** The block goes when `defineCommand` defines all that it declares: `command()` runs scripts by their names. */
export function applyToAugmentation({ analysis, file, bindings }: FileContext, node: ts.ModuleDeclaration): void {
  if (file.stands(node, 'types')) return
  const methods = methodsOf(node)
  const isDefined = methods?.every((name) => analysis.scriptNames.has(name.replace(/Buffer$/, '')))
  if (isDefined !== true) {
    file.mark(
      node,
      'types',
      'augmentation',
      'Remove the block after its methods are called with command(redis, name, …) of redis-from-ioredis.',
    )
    return
  }
  const text = file.source.text
  const end = /^[ \t]*\r?\n/.exec(text.slice(node.getEnd()))
  file.edits.replace(node.getStart(), node.getEnd() + (end?.[0].length ?? 0), '')
  bindings.consume(node)
  file.record(node, 'types', 'rewritten')
}
