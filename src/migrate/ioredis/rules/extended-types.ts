/** Classes that extend the class of a client, and interfaces that extend its type by the scripts of `defineCommand`. */
import { ts } from 'ts-morph'
import type { FileContext } from '../file-context.ts'
import { isOfIoredis } from '../kinds.ts'

/** `interface WithScripts extends Redis { … }`: it keeps what `defineCommand` adds, and its calls run by `command()`. */
function applyToInterface(
  { analysis, file, bindings }: FileContext,
  node: ts.ExpressionWithTypeArguments,
  declaration: ts.InterfaceDeclaration,
): void {
  const { checker } = analysis.kinds
  const symbol = checker.getTypeAtLocation(node).getSymbol()
  const type = symbol?.name === 'RedisClient' ? 'Redis' : symbol?.name === 'ClusterClient' ? 'Cluster' : null
  // A type that another file of the project exports changes there.
  if (!symbol || !isOfIoredis(symbol) || type === null || !bindings.bindingOf(rootOf(node.expression))) return
  if (file.stands(node, 'types')) return
  const areScripts = declaration.members.every(
    (member) =>
      (ts.isMethodSignature(member) || ts.isPropertySignature(member)) &&
      analysis.scriptNames.has(member.name.getText().replace(/Buffer$/, '')),
  )
  if (!areScripts) {
    file.mark(
      node,
      'types',
      'extended-type',
      'Extend the type Redis of redis-from-ioredis by what defineCommand adds, or call scripts with command(redis, name, …).',
    )
    return
  }
  file.edits.replace(node.expression.getStart(), node.expression.getEnd(), file.helper(type))
  bindings.consume(node.expression)
  file.record(node, 'types', 'rewritten')
}

function rootOf(node: ts.Expression): ts.Identifier {
  let at = node
  while (ts.isPropertyAccessExpression(at)) at = at.expression
  return at as ts.Identifier
}

/** A member of ioredis that code uses on a class of its own. */
export function markOfSubclass(file: FileContext['file'], node: ts.Node): void {
  file.mark(
    node,
    'members',
    'subclass',
    'The class extends that of ioredis. Make it hold a client of createRedis, then rewrite this call.',
  )
}

/** One type behind `extends` or `implements`. */
export function applyToHeritage(context: FileContext, node: ts.ExpressionWithTypeArguments): void {
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
