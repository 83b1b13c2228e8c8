/** Common parts of the three frameworks on Node's own server: settings first, one module for `auth`, two pages. */
import {
  configFile,
  configSpecifier,
  freeStem,
  type Template,
  type TemplateFile,
  type TemplateInput,
} from '../template.ts'
import type { TsConfig } from '../tsconfig.ts'
import type { WiringParts } from '../wiring.ts'
import { pageModule } from './page.ts'

export interface NodeServer {
  readonly entry: string
  readonly wiring: WiringParts
  readonly packages: readonly string[]
  /** Type declarations of the framework, for TypeScript. */
  readonly typePackages?: readonly string[]
  readonly server: (parts: ServerParts) => string
}

export interface ServerParts {
  /** Import specifiers of the modules that the program imports. */
  readonly auth: string
  readonly page: string
  /**
   * The last lines of the program: the check of the settings, then the server.
   * @param listen starts the server
   */
  readonly start: (listen: { readonly awaited: string; readonly chained: string }) => string
}

export function nodeServer(
  input: TemplateInput,
  { entry, wiring, packages, typePackages, server }: NodeServer,
): Template {
  const { isTypeScript, modules } = input
  const place = (stem: string): string => `${modules.folder}${stem}.${modules.ending}`
  const env = freeStem(input, 'env', /loadEnvFile/)
  const authStem = freeStem(input, 'auth', /\bcoatcheck\b/)
  const page = freeStem(input, 'page', /auth\/login/)
  const auth: TemplateFile = {
    path: place(authStem),
    text: `/** The one place where this application configures Coatcheck. */
import './${modules.nameOf(env)}' // first: everything below reads the environment
import { coatcheck } from 'coatcheck'
import { ${wiring.factory} } from '${entry}'
import config from '${configSpecifier(input)}'

export const auth = coatcheck(config)
export const web = ${wiring.factory}(auth)
`,
  }
  const program = place('server')
  const text = server({
    auth: `./${modules.nameOf(authStem)}`,
    page: `./${modules.nameOf(page)}`,
    start: ({ awaited, chained }) =>
      modules.hasTopLevelAwait
        ? `await auth.ready() // a wrong setting ends the program, and the error names it\n${awaited}`
        : `// A wrong setting ends the program, and the error names it.\nvoid auth.ready()${chained}`,
  })
  const { tsConfig } = input
  const isNewTsConfig = isTypeScript && !input.project.has('tsconfig.json')
  const starts = isTypeScript ? typeScriptScripts(program, tsConfig) : javaScriptScripts(program)
  return {
    files: [configFile(input), { path: place(env), text: ENV }, auth],
    starter: [
      ...(isNewTsConfig ? [{ path: 'tsconfig.json', text: NEW_TSCONFIG_TEXT }] : []),
      { path: place(page), text: pageModule(isTypeScript) },
      { path: program, text },
    ],
    wiring,
    packages: starts.needsRunner ? [...packages, 'tsx'] : packages,
    devPackages: isTypeScript
      ? ['typescript', '@types/node', ...(typePackages ?? []), ...(starts.needsRunner ? [] : ['tsx'])]
      : [],
    scripts: starts.scripts,
  }
}

interface Scripts {
  readonly scripts: Readonly<Record<string, string>>
  /** Whether `start` runs TypeScript, so that tsx is also needed at run time. */
  readonly needsRunner: boolean
}

function javaScriptScripts(program: string): Scripts {
  const scripts = { dev: `coatcheck dev -- node --watch ${program}`, start: `node ${program}` }
  return { scripts, needsRunner: false }
}

/** `dev` needs no build on any version of Node. `start` runs the compiler's output, if there is any. */
function typeScriptScripts(program: string, tsConfig: TemplateInput['tsConfig']): Scripts {
  const dev = `coatcheck dev -- tsx watch ${program}`
  const { outDir, noEmit, rootDir = '' } = tsConfig?.options ?? {}
  if (outDir === undefined || noEmit === true) return { scripts: { dev, start: `tsx ${program}` }, needsRunner: true }
  const clean = (path: string): string => path.replace(/^\.\//, '').replace(/\/$/, '').replace(/^\.$/, '')
  // Without `rootDir` the compiler uses the common folder of all files: that of the program.
  const root = rootDir === '' ? program.replace(/[^/]+$/, '') : clean(rootDir) === '' ? '' : `${clean(rootDir)}/`
  const built = `${clean(outDir)}/${program.slice(root.length).replace(/ts$/, 'js')}`
  return { scripts: { dev, build: 'tsc', start: `node ${built}` }, needsRunner: false }
}

const ENV = `/** Settings from .env.local and .env. What the environment says already wins. */
import { existsSync } from 'node:fs'

for (const file of ['.env.local', '.env']) {
  if (existsSync(file)) process.loadEnvFile(file)
}
`

/**
 * For a project without tsconfig.json. Imports end in `.ts`, so the compiler, tsx and Node from 22.18 on (which removes types by itself)
 * all run the same files.
 */
export const newTsConfig: TsConfig = {
  options: {
    target: 'ES2023',
    module: 'NodeNext',
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    rewriteRelativeImportExtensions: true,
    erasableSyntaxOnly: true,
    rootDir: '.',
    outDir: 'dist',
  },
  include: ['*.ts'],
}
const NEW_TSCONFIG_TEXT = `{
  "compilerOptions": {
${Object.entries(newTsConfig.options)
  .map(([name, value]) => `    "${name}": ${JSON.stringify(value)}`)
  .join(',\n')}
  },
  "include": ${JSON.stringify(newTsConfig.include)}
}
`
