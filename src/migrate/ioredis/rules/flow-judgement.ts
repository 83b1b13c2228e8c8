/** Whether calls on a client were found where its value goes: in a type of ioredis, in what is followed, or out of sight. */
import { ts } from 'ts-morph'
import type { FileContext } from '../file-context.ts'
import { isIoredisKind, type Kind } from '../kinds.ts'
import { packageOf } from '../package-of.ts'

export const AS_ANY =
  'The client becomes `any` here, so calls on it were not found. Give it the type Redis, then rewrite its calls.'

export const AS_INTERFACE =
  'The client becomes an interface of its own here, so calls on it were not found. Check that its methods have the meaning of node-redis.'

/** True if each value that the untyped variable, field or parameter gets is a client: its calls are rewritten. */
export function isFollowed({ analysis }: FileContext, declaration: ts.Declaration): boolean {
  return isIoredisKind(analysis.kinds.ofDeclaration(declaration))
}

/** Whether calls on a value of this type were found. */
export function judge(context: FileContext, node: ts.Expression, type: ts.Type | undefined): void {
  if (!type) return
  const { kinds } = context.analysis
  const kind: Kind = kinds.ofType(type)
  if (isIoredisKind(kind) || kind === 'mixed') return
  if (kind === 'any' || type.flags & (ts.TypeFlags.Unknown | ts.TypeFlags.NonPrimitive)) {
    context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
    return
  }
  if (type.flags & ts.TypeFlags.TypeParameter) return
  if (isNothing(type) || isEmitter(type) || isOfNodeRedis(type)) return
  if (kinds.checker.getNonNullableType(type).getProperties().length === 0) {
    if (type.flags & ts.TypeFlags.Object) context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
    return
  }
  context.file.mark(node, 'flow', 'client-as-interface', AS_INTERFACE)
}

/** The type of the generated file: what holds it was rewritten. */
function isOfNodeRedis(type: ts.Type): boolean {
  const parts = type.isUnionOrIntersection() ? type.types : [type]
  return parts.some((part) =>
    /^(?:@redis\/client|redis)$/.test(
      packageOf(part.getSymbol()?.declarations?.[0]?.getSourceFile().fileName ?? '') ?? '',
    ),
  )
}

export function isNothing(type: ts.Type): boolean {
  return (type.flags & (ts.TypeFlags.Void | ts.TypeFlags.Undefined | ts.TypeFlags.Null | ts.TypeFlags.Never)) !== 0
}

/** An EventEmitter has the same methods in node-redis. */
function isEmitter(type: ts.Type): boolean {
  return /^(?:NodeJS\.)?EventEmitter\b/.test(type.getSymbol()?.name ?? '')
}
