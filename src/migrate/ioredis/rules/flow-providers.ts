/** Clients that a container injects, as in NestJS. */
import { ts } from 'ts-morph'
import type { FileContext } from '../file-context.ts'
import { isIoredisKind } from '../kinds.ts'

const PROVIDER =
  'No parameter or field with @Inject of this token has the type Redis, or one has another type. Give each the type Redis, and run the codemod again.'

/**
 * A value that a container injects. `@Inject(TOKEN) redis: Redis` gives it its type again; without one, calls were not found.
 * @returns false if the property is no provider
 */
export function applyToProvider(context: FileContext, node: ts.Expression, property: ts.Node): boolean {
  if (!ts.isPropertyAssignment(property) || !/^use(?:Value|Factory)$/.test(property.name.getText())) return false
  const provide = property.parent.properties.find((one) => one.name?.getText() === 'provide')
  if (!provide || !ts.isPropertyAssignment(provide)) return false
  const kinds = context.analysis.injected.get(provide.initializer.getText().replace(/^["'`]|["'`]$/g, '')) ?? []
  if (kinds.length === 0 || !kinds.every(isIoredisKind)) context.file.mark(node, 'flow', 'provider', PROVIDER)
  return true
}
