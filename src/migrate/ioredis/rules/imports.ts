/** Imports of ioredis: names that the code still uses stay. The other names become an import of the generated file. */
import { ts } from 'ts-morph'
import type { Binding, BindingStatement } from '../bindings.ts'
import type { FileContext } from '../file-context.ts'
import type { Rule } from '../rule.ts'
import { declaratorText, importText, insertImport, statementOf, styleOf } from './import-text.ts'

export const importsRule: Rule = {
  name: 'imports',
  title: 'Imports',
  why: 'Each file imports the functions and types that it needs from one generated file, which the team keeps and shrinks.',
  examples: [
    {
      before: "import { Redis } from 'ioredis'\n\nexport const redis = new Redis()\n",
      after: "import { createRedis } from './redis-from-ioredis'\n\nexport const redis = createRedis()\n",
    },
    {
      before:
        "import Redis from 'ioredis'\n\nexport const isRedis = (value: unknown): boolean => value instanceof Redis\n",
      after:
        "import Redis from 'ioredis'\n\n// coatcheck-codemod-error class-as-value: node-redis has no class for new, instanceof or injection. Use createRedis, or a name of your own.\nexport const isRedis = (value: unknown): boolean => value instanceof Redis\n",
    },
    {
      before: "import type { Redis } from 'ioredis'\n\nexport type { Redis }\n",
      after: "import type { Redis } from './redis-from-ioredis'\n\nexport type { Redis }\n",
    },
  ],
}

/**
 * Removes names of ioredis that nothing refers to, and imports the generated file.
 * @param specifier of the generated file, from this file
 * @param nameOf local name of each helper
 */
export function rewriteImports(context: FileContext, specifier: string, nameOf: (helper: string) => string): void {
  const { file, bindings } = context
  const helpers = [...file.helpers].sort()
  const style = styleOf(file.source, bindings.statements)
  let pending = helpers.length > 0 ? importText(helpers, specifier, nameOf, style) : null
  for (const statement of bindings.statements) {
    const mine = bindings.all.filter((binding) => binding.statement === statement)
    const used = mine.filter((binding) => bindings.isUsed(binding))
    if (file.stands(statement, 'imports')) continue
    if (mine.length === 0 && !(ts.isVariableDeclaration(statement) && ts.isObjectBindingPattern(statement.name)))
      continue
    if (used.length === mine.length && used.length > 0) {
      continue
    }
    const target = statementOf(statement)
    if (used.length > 0) keepOnly(context, statement, used)
    else if (pending !== null && target) {
      file.edits.replace(target.getStart(), target.getEnd(), pending)
      pending = null
    } else if (target) removeLine(context, target)
    else if (pending !== null && ts.isVariableDeclaration(statement)) {
      file.edits.replace(statement.getStart(), statement.getEnd(), declaratorText(helpers, specifier, nameOf, style))
      pending = null
    }
    if (used.length === 0) file.record(statement, 'imports', 'rewritten')
  }
  if (pending !== null) insertImport(context, pending)
}

function keepOnly({ file }: FileContext, statement: BindingStatement, used: readonly Binding[]): void {
  if (!ts.isImportDeclaration(statement) || !statement.importClause) return
  const kept = new Set(used.map(({ name }) => name))
  const clause = statement.importClause
  const named = clause.namedBindings
  const parts: string[] = []
  if (clause.name && kept.has(clause.name)) parts.push(clause.name.text)
  if (named && ts.isNamespaceImport(named) && kept.has(named.name)) parts.push(named.getText())
  if (named && ts.isNamedImports(named)) {
    const left = named.elements.filter(({ name }) => kept.has(name)).map((element) => element.getText())
    if (left.length > 0) parts.push(`{ ${left.join(', ')} }`)
  }
  const isType = /^import\s+type\b/.test(statement.getText())
  file.edits.replace(clause.getStart(), clause.getEnd(), `${isType ? 'type ' : ''}${parts.join(', ')}`)
}

function removeLine({ file }: FileContext, node: ts.Node): void {
  const end = /^[ \t]*\r?\n/.exec(file.source.text.slice(node.getEnd()))
  file.edits.replace(node.getStart(), node.getEnd() + (end?.[0].length ?? 0), '')
}
