/** Declaration files that people write, such as `types/express.d.ts`. Their types of clients decide how calls in other files are rewritten. */
import { existsSync, readFileSync } from 'node:fs'
import { isHelperText } from './generated/compose.ts'
import { unreadBelow } from './source-files.ts'
import type { Workspace } from './workspace.ts'

const DECLARATION = /\.d\.([cm]?)ts$/
const AT_TOP = /^import\b[^;'"]*\bfrom\s*['"]ioredis['"]/m
const AS_TYPE = /\bimport\(\s*['"]ioredis['"]\s*\)/
/** Declares the module itself, or imports it inside of another module, where no relative import may stand. */
const OTHER = /\bdeclare\s+module\s+['"]ioredis|^[ \t]+import\b[^;'"]*\bfrom\s*['"]ioredis['"]/m

/** Those that use types of ioredis, in packages with TypeScript: the generated file has no types in JavaScript. */
export function declarationFilesBelow(cwd: string, sources: readonly string[], workspace: Workspace): string[] {
  const typed = new Set(
    sources.filter((path) => /\.[cm]?tsx?$/.test(path)).map((path) => workspace.packageOf(path).folder),
  )
  return unreadBelow(cwd).filter((path) => {
    if (!DECLARATION.test(path) || !typed.has(workspace.packageOf(path).folder) || isBuilt(path)) return false
    const text = readFileSync(path, 'utf8')
    return (AT_TOP.test(text) || AS_TYPE.test(text)) && !OTHER.test(text) && !isHelperText(text)
  })
}

/** True for the declarations of a file that lies beside them. */
function isBuilt(path: string): boolean {
  return ['.$1js', '.$1ts', '.jsx', '.tsx'].some((extension) => existsSync(path.replace(DECLARATION, extension)))
}
