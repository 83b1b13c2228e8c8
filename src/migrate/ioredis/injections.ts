/** Where a container injects a value: `@Inject(TOKEN) redis: Redis`, as in NestJS and InversifyJS. */
import { ts } from 'ts-morph'
import type { Kind, Kinds } from './kinds.ts'

/** Token, as text → the kinds of all parameters and fields that get its value. */
export function injectionsOf(sources: readonly ts.SourceFile[], kinds: Kinds): ReadonlyMap<string, readonly Kind[]> {
  const found = new Map<string, Kind[]>()
  const visit = (node: ts.Node): void => {
    if (ts.isParameter(node) || ts.isPropertyDeclaration(node)) {
      for (const decorator of ts.getDecorators(node) ?? []) {
        const token = tokenOf(decorator)
        if (token === null) continue
        const kind = node.type ? kinds.ofType(kinds.checker.getTypeFromTypeNode(node.type)) : 'any'
        found.set(token, [...(found.get(token) ?? []), kind])
      }
    }
    ts.forEachChild(node, visit)
  }
  for (const source of sources) if (/@[Ii]nject\b/.test(source.text)) visit(source)
  return found
}

function tokenOf({ expression }: ts.Decorator): string | null {
  if (!ts.isCallExpression(expression) || !/^[Ii]nject$/.test(expression.expression.getText())) return null
  return expression.arguments[0]?.getText().replace(/^["'`]|["'`]$/g, '') ?? null
}
