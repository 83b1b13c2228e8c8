/** Loads of ioredis that bind no name, of parts of its package, and of packages that make its clients. */
import { ts } from 'ts-morph'
import type { FileContext } from '../file-context.ts'
import { makesIoredisClients, packageAdvice } from '../packages.ts'
import { applyToExport } from './types.ts'

/** `export … from 'ioredis'`, `import('ioredis')` and parts of its package. */
export function applyToModuleLoad(context: FileContext, node: ts.Node): boolean {
  const { file } = context
  if (ts.isExportDeclaration(node) && node.moduleSpecifier && isIoredisModule(node.moduleSpecifier)) {
    if (applyToExport(context, node)) return true
    file.mark(
      node,
      'imports',
      'export',
      'Export the names from redis-from-ioredis, and rename them in the files that import them.',
    )
    return true
  }
  if (ts.isImportDeclaration(node) && isPartOfIoredis(node.moduleSpecifier)) {
    file.mark(node, 'imports', 'deep-import', 'node-redis has no such part. Write it by hand.')
    return true
  }
  if (
    ts.isImportDeclaration(node) &&
    ts.isStringLiteral(node.moduleSpecifier) &&
    makesIoredisClients(node.moduleSpecifier.text)
  ) {
    file.mark(node, 'imports', 'client-from-package', packageAdvice(node.moduleSpecifier.text))
    return true
  }
  if (!ts.isCallExpression(node)) return false
  const [module] = node.arguments
  if (!module) return false
  const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require'
  if (isImport && isIoredisModule(module)) {
    file.mark(
      node,
      'imports',
      'dynamic-import',
      'Import createRedis from redis-from-ioredis, and rewrite the code that uses the module.',
    )
    return true
  }
  if ((isImport || isRequire) && isPartOfIoredis(module)) {
    file.mark(node, 'imports', 'deep-import', 'node-redis has no such part. Write it by hand.')
    return true
  }
  return false
}

function isIoredisModule(node: ts.Expression): boolean {
  return ts.isStringLiteralLike(node) && node.text === 'ioredis'
}

function isPartOfIoredis(node: ts.Expression): boolean {
  return ts.isStringLiteralLike(node) && node.text.startsWith('ioredis/')
}
