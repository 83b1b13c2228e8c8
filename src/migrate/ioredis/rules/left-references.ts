/** References to names of ioredis that the rules for types, constructions and calls have left. */
import { ts } from 'ts-morph'
import type { Binding } from '../bindings.ts'
import type { FileContext } from '../file-context.ts'

const CLASS_ADVICE = 'node-redis has no class for new, instanceof or injection. Use createRedis, or a name of your own.'

/** Marks references to imported names that no rule has taken. Types and constructions are done before. */
export function markLeftReferences({ file, bindings }: FileContext): void {
  for (const binding of bindings.all) {
    for (const reference of bindings.leftReferences(binding)) {
      if (isInsideDecided(file, reference)) continue
      if (isReplyError(binding, reference)) {
        file.edits.replace(reference.getStart(), reference.getEnd(), file.helper('ReplyError'))
        bindings.consume(reference)
        file.record(reference, 'imports', 'rewritten')
        continue
      }
      const type = exportedType(binding, reference)
      if (type !== null) {
        const { propertyName } = reference.parent as ts.ExportSpecifier
        const text = propertyName ? file.helper(type) : file.exportedHelper(type, reference.text)
        file.edits.replace(reference.getStart(), reference.getEnd(), text)
        bindings.consume(reference)
        file.record(reference, 'imports', 'rewritten')
        continue
      }
      file.mark(reference, 'imports', 'class-as-value', CLASS_ADVICE)
    }
  }
}

const EXPORTED_TYPES = new Set(['Redis', 'Cluster', 'RedisOptions', 'ChainableCommander'])

/** The type of the generated file for a name in `export type { … }`; null for all else. */
function exportedType(binding: Binding, reference: ts.Identifier): string | null {
  const specifier = reference.parent
  if (!ts.isExportSpecifier(specifier) || !(specifier.isTypeOnly || specifier.parent.parent.isTypeOnly)) return null
  const { parent } = binding.name
  const imported = ts.isImportSpecifier(parent) ? (parent.propertyName ?? parent.name).text : 'Redis'
  const name = imported === 'default' ? 'Redis' : imported
  return EXPORTED_TYPES.has(name) && (ts.isImportSpecifier(parent) || ts.isImportClause(parent)) ? name : null
}

function isReplyError(binding: Binding, reference: ts.Identifier): boolean {
  const { parent } = binding.name
  if (!(ts.isImportSpecifier(parent) || ts.isBindingElement(parent))) return false
  const imported = parent.propertyName ?? parent.name
  return (
    ts.isIdentifier(imported) &&
    imported.text === 'ReplyError' &&
    !ts.isShorthandPropertyAssignment(reference.parent) &&
    !ts.isExportSpecifier(reference.parent)
  )
}

/** True if a mark above an outer node speaks about the reference already. */
function isInsideDecided(file: FileContext['file'], node: ts.Node): boolean {
  for (
    let at: ts.Node | undefined = node;
    at && !ts.isBlock(at) && !ts.isSourceFile(at);
    at = at.parent as ts.Node | undefined
  ) {
    if (file.isDecided(at)) return true
  }
  return false
}
