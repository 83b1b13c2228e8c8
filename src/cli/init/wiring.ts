/**
 * Lists the lines that an existing application still needs: import, mount, error handler, check at the start. It leaves out each
 * line that a file of the application already has.
 */
import { posix } from 'node:path'
import type { Application, SourceFile } from './application.ts'
import type { ModuleStyle } from './module-style.ts'

/** Parts that differ between the frameworks. `app` and `web` are the variables of the application. */
export interface WiringParts {
  /** Finds where the framework's application is created; the first group is its variable. */
  readonly constructor: RegExp
  /** Factory function of the adapter, such as `expressAuth`. */
  readonly factory: string
  /** The method that receives `web`. */
  readonly mount: 'use' | 'register'
  readonly errorHandler: (app: string, web: string) => WiringLine
  /** For frameworks with one error handler: how to find the application's own handler, and the line to add to it. */
  readonly ownErrorHandler?: { readonly pattern: RegExp; readonly line: (web: string) => WiringLine }
}

export interface WiringLine {
  /** Where the code belongs, as a phrase for a comment. */
  readonly where: string
  readonly code: string
}

export interface Wiring {
  /** Relative to the folder of the project. */
  readonly file: string
  readonly lines: readonly WiringLine[]
}

/** The module that creates `auth` and `web`. */
export interface AuthModule {
  readonly path: string
  readonly auth: string
  readonly web: string
}

/** @returns the application's existing module, written by `init` or by hand; `null`: none */
export function authModuleOf({ sources }: Application, { factory }: WiringParts): AuthModule | null {
  const made = new RegExp(`(\\w+)\\s*=\\s*${factory}\\(`)
  const source = sources.find(({ code }) => made.test(code))
  if (source === undefined) return null
  const [, web = 'web'] = made.exec(source.code) ?? []
  const [, auth = 'auth'] = /(\w+)\s*=\s*(?:await\s+)?coatcheck(?:<[^=]*>)?\(/.exec(source.code) ?? []
  return { path: source.path, auth, web }
}

/** @returns `null` if nothing is missing */
export function missingWiring(
  application: Application,
  parts: WiringParts,
  module: AuthModule,
  style: ModuleStyle,
): Wiring | null {
  const { file, variable: app, sources } = application
  const { auth, web } = module
  const isFound = (pattern: string): boolean => sources.some(({ code }) => new RegExp(pattern).test(code))
  const lines: WiringLine[] = []
  const used = new Set<string>()
  if (!isFound(`\\.${parts.mount}\\(\\s*(?:[^(),]+,\\s*)?${web}\\s*[,)]`)) {
    used.add(web)
    lines.push({ where: 'before the routes', code: `${app}.${parts.mount}(${web})` })
  }
  if (!isFound(`\\b${web}\\.errorHandler\\b`)) {
    used.add(web)
    const own = parts.ownErrorHandler
    lines.push(own?.pattern.test(file.code) === true ? own.line(web) : parts.errorHandler(app, web))
  }
  if (!isFound(`\\b${auth}\\.ready\\(`)) {
    used.add(auth)
    const call = canAwait(file) ? 'await' : 'void'
    lines.push({ where: 'before the server listens: wrong settings end the program', code: `${call} ${auth}.ready()` })
  }
  const names = [auth, web].filter((name) => used.has(name) && !isKnownIn(file, name, module))
  if (names.length > 0) lines.unshift({ where: 'at the top', code: importOf(names, file, module, style) })
  return lines.length === 0 ? null : { file: file.path, lines }
}

/** Formats each line below a comment that says where it belongs. */
export function wiringText({ lines }: Wiring): string {
  return lines.map(({ where, code }) => `// ${where}\n${code}\n`).join('\n')
}

function isKnownIn({ path, code }: SourceFile, name: string, module: AuthModule): boolean {
  if (path === module.path) return true
  const clause = `\\{[^}]*\\b${name}\\b[^}]*\\}`
  return new RegExp(`(?:import\\s*${clause}\\s*from|(?:const|let|var)\\s*${clause}\\s*=)`).test(code)
}

function importOf(names: readonly string[], file: SourceFile, module: AuthModule, style: ModuleStyle): string {
  const specifier = specifierOf(file, module, style)
  const list = names.join(', ')
  if (isImportEquals(file)) return `import authModule = require('${specifier}')\nconst { ${list} } = authModule`
  if (isCommonJs(file)) return `const { ${list} } = require('${specifier}')`
  return `import { ${list} } from '${specifier}'`
}

function specifierOf(file: SourceFile, module: AuthModule, style: ModuleStyle): string {
  const { dir, name, ext } = posix.parse(module.path)
  const folder = posix.relative(posix.dirname(file.path), dir === '' ? '.' : dir)
  const target = ext.slice(1) === style.ending ? style.nameOf(name) : `${name}${ext.replace('ts', 'js')}`
  const path = posix.join(folder, target)
  return path.startsWith('.') ? path : `./${path}`
}

const isImportEquals = ({ code }: SourceFile): boolean => /\bimport\s+\w+\s*=\s*require\(/.test(code)

const isCommonJs = ({ path, code }: SourceFile): boolean =>
  path.endsWith('.cjs') || (/\brequire\(/.test(code) && !/^\s*import\s/m.test(code))

/**
 * TypeScript may compile `import` to CommonJS. Top-level await is only certain in a file that already uses it, or that must be an ES
 * module.
 */
function canAwait(file: SourceFile): boolean {
  if (isCommonJs(file) || isImportEquals(file)) return false
  return /\.m?js$/.test(file.path) || file.path.endsWith('.mts') || /^await\s/m.test(file.code)
}
