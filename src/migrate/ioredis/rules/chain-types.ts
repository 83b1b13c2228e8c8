/** Types that code takes from the methods of a client, such as `ReturnType<typeof redis.multi>`. */
import { ts } from 'ts-morph'
import type { FileContext } from '../file-context.ts'
import { isClientKind } from '../kinds.ts'

/** `ReturnType<typeof redis.pipeline>` and `ReturnType<Redis['multi']>` are the type of a chain. */
export function applyToChainType({ analysis, file, bindings }: FileContext, node: ts.TypeReferenceNode): boolean {
  const [made] = node.typeArguments ?? []
  if (node.typeName.getText() !== 'ReturnType' || !made) return false
  const { kinds } = analysis
  const [owner, member] = methodOf(made)
  if (!owner || !/^(?:pipeline|multi)$/.test(member)) return false
  if (!isClientKind(kinds.ofType(kinds.checker.getTypeAtLocation(owner)))) return false
  if (file.stands(node, 'types')) return true
  file.edits.replace(node.getStart(), node.getEnd(), file.helper('ChainableCommander'))
  bindings.consume(made)
  file.record(node, 'types', 'rewritten')
  return true
}

/** What has the method, and the name of the method. */
function methodOf(type: ts.TypeNode): [owner: ts.Node | null, member: string] {
  if (ts.isTypeQueryNode(type) && ts.isQualifiedName(type.exprName))
    return [type.exprName.left, type.exprName.right.text]
  if (!ts.isIndexedAccessTypeNode(type)) return [null, '']
  const { indexType, objectType } = type
  return ts.isLiteralTypeNode(indexType) && ts.isStringLiteral(indexType.literal)
    ? [objectType, indexType.literal.text]
    : [null, '']
}

/** `typeof redis.hgetall`: the method has another name or another type. */
export function applyToMethodQuery({ analysis, file }: FileContext, node: ts.TypeQueryNode): boolean {
  const { kinds } = analysis
  const { exprName } = node
  if (!ts.isQualifiedName(exprName)) return false
  if (!isClientKind(kinds.ofType(kinds.checker.getTypeAtLocation(exprName.left)))) return false
  file.mark(
    node,
    'types',
    'derived-type',
    `Write the type that the code needs: ${exprName.right.text} has another type in node-redis.`,
  )
  return true
}
