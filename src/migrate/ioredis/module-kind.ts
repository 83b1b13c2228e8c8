/** Whether a file of JavaScript is a CommonJS module, as its own statements tell. */
import { ts } from 'ts-morph'

export function isCommonJs({ fileName, statements }: ts.SourceFile): boolean {
  if (/\.(?:[cm]?tsx?|mjs)$/.test(fileName)) return false
  return fileName.endsWith('.cjs') || !statements.some(isOfModule)
}

/** `import …`, `export { … }`, `export default …` and `export const …` */
function isOfModule(statement: ts.Statement): boolean {
  if (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement) || ts.isExportAssignment(statement))
    return true
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true
}
