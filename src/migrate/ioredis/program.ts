/**
 * The program that the type checker reads: all sources of the project, our declaration of ioredis in place of the installed one, and strict
 * options whatever the project has. Nothing of it is written.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Project, ts } from 'ts-morph'
import { withAssignedTypes, withRequiredTypes } from './annotations.ts'
import { DECLARATION_FILE, declarationText } from './declaration.ts'
import { Kinds } from './kinds.ts'
import { typeRoots, type Workspace } from './workspace.ts'

export interface Program {
  readonly kinds: Kinds
  readonly source: (path: string) => ts.SourceFile | undefined
  /** The source of the project that `specifier` means in the file `from`. */
  readonly moduleAt: (specifier: string, from: string) => ts.SourceFile | undefined
}

/** What code uses most of Node, for projects without installed types. */
const NODE_GLOBALS = `
interface Buffer extends Uint8Array { toString(encoding?: string, start?: number, end?: number): string }
declare var Buffer: {
  from(...values: any[]): Buffer; alloc(...values: any[]): Buffer; concat(...values: any[]): Buffer;
  isBuffer(value: any): value is Buffer; byteLength(...values: any[]): number;
};
declare var process: { env: Record<string, string | undefined>; argv: string[]; pid: number; [member: string]: any };
`

/** A variable may get its client from a variable that gets its client from another one. */
const MOST_ROUNDS = 3

export function createProgram(cwd: string, files: readonly string[], workspace: Workspace): Program {
  const declaration = join(cwd, DECLARATION_FILE)
  const roots = typeRoots(cwd, [...new Set(files.map((file) => workspace.packageOf(file).folder))])
  const project = new Project({
    skipAddingFilesFromTsConfig: true,
    skipFileDependencyResolution: true,
    compilerOptions: {
      strict: true,
      noUncheckedIndexedAccess: true,
      allowJs: true,
      checkJs: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.Preserve,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      allowImportingTsExtensions: true,
      resolveJsonModule: true,
      // `import * as Redis from 'ioredis'` stays a class this way.
      esModuleInterop: false,
      allowSyntheticDefaultImports: true,
      ignoreDeprecations: '6.0',
      experimentalDecorators: true,
      jsx: ts.JsxEmit.Preserve,
      types: roots.length > 0 ? ['node'] : [],
      typeRoots: roots,
      paths: { ...workspace.paths(files), ioredis: [declaration] },
    },
  })
  project.createSourceFile(declaration, declarationText())
  if (roots.length === 0) project.createSourceFile(join(cwd, 'coatcheck-node.d.ts'), NODE_GLOBALS)
  for (const file of files)
    project.createSourceFile(file, withRequiredTypes(file, readFileSync(file, 'utf8')), { overwrite: true })
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const program = project.getProgram().compilerObject
    const kinds = new Kinds(program.getTypeChecker())
    const changed = files.flatMap((file) => {
      const source = program.getSourceFile(file)
      const text = source && withAssignedTypes(source, kinds)
      return text === undefined || text === null ? [] : [{ file, text }]
    })
    if (changed.length === 0) return programOf(program, files, kinds)
    for (const { file, text } of changed) project.createSourceFile(file, text, { overwrite: true })
  }
  const program = project.getProgram().compilerObject
  return programOf(program, files, new Kinds(program.getTypeChecker()))
}

function programOf(program: ts.Program, files: readonly string[], kinds: Kinds): Program {
  const own = new Set(files)
  const options = program.getCompilerOptions()
  return {
    kinds,
    source: (path) => program.getSourceFile(path),
    moduleAt: (specifier, from) => {
      const path = ts.resolveModuleName(specifier, from, options, ts.sys).resolvedModule?.resolvedFileName
      return path !== undefined && own.has(path) ? program.getSourceFile(path) : undefined
    },
  }
}
