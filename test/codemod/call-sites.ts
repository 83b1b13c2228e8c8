/** Counts the places of a program that use ioredis, by the types of TypeScript and without the codemod: calls, constructors. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

export interface CallSite {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly text: string
}

/** @param path of an application that still has ioredis installed */
export function ioredisCallSites(path: string): CallSite[] {
  const { config } = ts.readConfigFile(join(path, 'tsconfig.json'), (file) => readFileSync(file, 'utf8'))
  const parsed = ts.parseJsonConfigFileContent(config, ts.sys, path)
  const program = ts.createProgram(parsed.fileNames, { ...parsed.options, noEmit: true })
  const checker = program.getTypeChecker()
  const sites: CallSite[] = []
  for (const source of program.getSourceFiles()) {
    if (source.isDeclarationFile || source.fileName.includes('/node_modules/')) continue
    visit(source)
    function visit(node: ts.Node): void {
      if ((ts.isCallExpression(node) || ts.isNewExpression(node)) && isOfIoredis(node)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
        sites.push({ file: source.fileName.slice(path.length + 1), line: line + 1, text: node.getText(source) })
      }
      ts.forEachChild(node, visit)
    }
  }
  return sites

  function isOfIoredis(node: ts.CallExpression | ts.NewExpression): boolean {
    const declaration = checker.getResolvedSignature(node)?.declaration
    return declaration !== undefined && /\/ioredis6?\/built\//.test(declaration.getSourceFile().fileName)
  }
}
