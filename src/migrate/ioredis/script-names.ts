/** Names of scripts: code of one file calls what another file defines. */
import { ts } from 'ts-morph'
import type { Program } from './program.ts'

const scriptNames = new WeakMap<Program, ReadonlySet<string>>()

/** Names of `defineCommand('name', …)` anywhere in the program: a script of one file is called in others. */
export function scriptNamesOf(program: Program, sources: readonly string[]): ReadonlySet<string> {
  const known = scriptNames.get(program)
  if (known) return known
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      node.expression.name.text === 'defineCommand'
    ) {
      const [name] = node.arguments
      if (name && ts.isStringLiteralLike(name)) names.add(name.text)
    }
    ts.forEachChild(node, visit)
  }
  for (const path of sources) {
    const source = program.source(path)
    if (source && /defineCommand|scripts\s*:/.test(source.text)) visit(source)
  }
  scriptNames.set(program, names)
  return names
}
