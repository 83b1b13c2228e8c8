/**
 * The TypeScript of the pages as one project within the package: each page has a folder, each named block is a file in it, each
 * fragment is a module of its own. One compiler run checks all of them against what was built, as strict users would.
 */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type Block, root } from './blocks.ts'
import type { Way } from './ways.ts'

/** Within the package, so that its name leads to itself and every framework is found. */
export const projectFolder: string = join(root, 'test-results/docs')
const CONTEXTS = join(root, 'test/docs/contexts')
/** What a fragment that imports `./auth.js` finds where its page does not show that file. */
const AUTH = `export { auth } from '../contexts/application.js'\n`

export interface Placed {
  readonly block: Block
  /** From the project's folder. */
  readonly source: string
  /** What the compiler makes of it, absolute. */
  readonly built: string
}

/** @returns where each block with a way `file` or `fragment` was written, in their order */
export function writeProject(blocks: readonly (readonly [Block, Way])[]): readonly Placed[] {
  rmSync(projectFolder, { recursive: true, force: true })
  mkdirSync(projectFolder, { recursive: true })
  cpSync(CONTEXTS, join(projectFolder, 'contexts'), { recursive: true })
  const placed = blocks.flatMap(([block, way]) => {
    if (way.kind !== 'file' && way.kind !== 'fragment') return []
    const named = way.kind === 'file' ? sourceName(block.language, way.file) : `fragment-${block.line}.ts`
    const source = join(folderOf(block.page), named)
    const code = way.kind === 'file' ? block.code : fragmentModule(block.code, way.context)
    write(source, code)
    const built = join(projectFolder, 'out', source.replace(/\.([cm]?)tsx?$/, '.$1js'))
    return [{ block, source, built }]
  })
  for (const page of new Set(placed.map(({ block }) => folderOf(block.page)))) {
    if (!existsSync(join(projectFolder, page, 'auth.ts'))) write(join(page, 'auth.ts'), AUTH)
  }
  return placed
}

/** @returns what the compiler says: empty when it has no complaint */
export async function compileProject(): Promise<string> {
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2023',
    jsx: 'react-jsx',
    allowJs: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    types: ['node'],
    rootDir: '.',
    outDir: 'out',
  }
  write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['**/*'], exclude: ['out', 'shell'] }))
  const compiler = [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(projectFolder, 'tsconfig.json')]
  return promisify(execFile)(process.execPath, compiler).then(
    () => '',
    (error: unknown) => (error as { stdout: string }).stdout,
  )
}

/** `docs/redis.md` is the folder `docs-redis`. */
function folderOf(page: string): string {
  return page.replace(/\.md$/, '').replaceAll('/', '-').toLowerCase()
}

/** A block of TypeScript whose file is `app.mjs` is checked as `app.mts`; JavaScript stays as it is. */
function sourceName(language: string, file: string): string {
  return language.startsWith('ts') ? file.replace(/\.([cm]?)js(x?)$/, '.$1ts$2') : file
}

/**
 * Imports stand first, then what the context offers and the fragment does not declare itself. Statements go into a function,
 * so that a `return` is one; with an `export` the fragment is a module as it stands.
 */
function fragmentModule(code: string, context: string | null): string {
  const imports = [...code.matchAll(/^import [^'"]*['"][^'"]+['"];?\n/gm)].map(([text]) => text)
  const body = imports.reduce((rest, text) => rest.replace(text, ''), code)
  const offered = context === null ? [] : exportsOf(context).filter((name) => !declares(code, name))
  const names = offered.filter((name) => new RegExp(`\\b${name}\\b`).test(body))
  const head = names.length === 0 ? '' : `import { ${names.join(', ')} } from '../contexts/${context ?? ''}.js'\n`
  const isModule = /^export /m.test(body)
  const rest = isModule ? body : `export async function fragment() {\n${body}}\n`
  return `${imports.join('')}${head}${rest}`
}

function exportsOf(context: string): readonly string[] {
  const text = readFileSync(join(CONTEXTS, `${context}.ts`), 'utf8')
  const single = [...text.matchAll(/^export (?:declare )?(?:const|async function|function|class) (\w+)/gm)].map(
    ([, name]) => name,
  )
  const lists = [...text.matchAll(/^export (?:const )?\{([^}]*)\}/gm)].flatMap(([, names = '']) => names.split(','))
  return [...single, ...lists].map((name = '') => name.trim()).filter((name) => name !== '')
}

function declares(code: string, name: string): boolean {
  return new RegExp(`^(?:export )?(?:const|let|function|class|import) [^=(\\n]*\\b${name}\\b`, 'm').test(code)
}

function write(file: string, text: string): void {
  mkdirSync(dirname(join(projectFolder, file)), { recursive: true })
  writeFileSync(join(projectFolder, file), text)
}

/** Imports each module in one process, runs its fragment or what it exports, and closes it. */
export async function executeModules(
  modules: readonly Placed[],
  env: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, string | null>>> {
  const script = join(projectFolder, 'execute.mjs')
  writeFileSync(script, EXECUTE)
  const args = [script, ...modules.map(({ built }) => built)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: projectFolder, env, timeout: 120_000 })
  const said = stdout.split('\n').find((line) => line.startsWith('RESULT '))
  if (said === undefined) throw new Error(`the modules ended early: ${stdout}`)
  return JSON.parse(said.slice('RESULT '.length)) as Record<string, string | null>
}

const EXECUTE = `
const results = {}
const open = new Map()
let current = ''
process.on('unhandledRejection', (error) => { results[current] ??= String(error?.stack ?? error) })
for (const file of process.argv.slice(2)) {
  current = file
  try {
    const { fragment, ...exported } = await import(file)
    if (fragment) await fragment()
    for (const one of Object.values(exported)) if (typeof one?.ready === 'function') await one.ready()
    for (const one of Object.values(exported)) if (typeof one?.close === 'function') open.set(one, file)
    results[file] ??= null
  } catch (error) {
    results[file] = String(error?.stack ?? error) + (error?.fix ? ' ' + error.fix : '')
  }
}
// A later module may import an earlier one, so nothing is closed before all have run.
for (const [one, file] of open) {
  try {
    await one.close()
  } catch (error) {
    results[file] ??= String(error?.stack ?? error)
  }
}
console.log('\\nRESULT ' + JSON.stringify(results))
process.exit(0)
`
