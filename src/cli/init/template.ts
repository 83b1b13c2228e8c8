/** Input and output types of the templates. The templates are plain text with a few variable parts. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { configNames } from '../project/config-file.ts'
import type { Project } from '../project/project.ts'
import type { Choices } from './choices.ts'
import type { ModuleStyle } from './module-style.ts'
import type { TsConfig } from './tsconfig.ts'
import type { WiringParts } from './wiring.ts'

export interface TemplateFile {
  /** Relative to the folder, with slashes. */
  readonly path: string
  readonly text: string
  /**
   * Pattern that identifies a file that already serves this purpose. If a file at the path does not match, `init` shows what it lacks:
   * `lines`, or the whole text. Default: an import of Coatcheck or of `auth`, if `text` has one; otherwise any file at the path counts.
   */
  readonly marker?: RegExp
  /** The code that an existing file needs, with a comment that says where. */
  readonly lines?: string
}

export interface TemplateInput {
  readonly project: Project
  readonly choices: Choices
  readonly isTypeScript: boolean
  readonly modules: ModuleStyle
  /** `null`: JavaScript. In a project without tsconfig.json: the one that `init` writes. */
  readonly tsConfig: TsConfig | null
}

export interface Template {
  /** Files that every application needs. */
  readonly files: readonly TemplateFile[]
  /** A starter application for a project without one. Its last file is the program, which needs the others. */
  readonly starter: readonly TemplateFile[]
  /** How to connect an existing application; absent if `files` are sufficient. */
  readonly wiring?: WiringParts
  readonly packages: readonly string[]
  /** For the starter only. */
  readonly devPackages: readonly string[]
  /** Path of the page to open after the start, if the application has its own first page. Default: `/`. */
  readonly firstPage?: string
  /** Scripts for a package.json without any. */
  readonly scripts: Readonly<Record<string, string>>
}

const CONFIG_NAME = 'coatcheck.config'

/** Relative to the folder: the existing file, or the future one. */
function configPath({ project, isTypeScript, modules }: TemplateInput): string {
  const ending = isTypeScript ? modules.ending : 'mjs'
  const folder = isTypeScript ? modules.folder : ''
  return configNames.find((name) => project.has(name)) ?? `${folder}${CONFIG_NAME}.${ending}`
}

/** Import name of the file in the application's root. A bundler does not accept a TypeScript extension. */
export function configImport(input: TemplateInput, resolver: 'node' | 'bundler'): string {
  const [, ending = ''] = /\.(\w+)$/.exec(configPath(input)) ?? []
  if (resolver === 'bundler') return ending === 'ts' ? CONFIG_NAME : `${CONFIG_NAME}.${ending.replace('ts', 'js')}`
  const isLikeOthers = input.isTypeScript && ending === input.modules.ending
  return isLikeOthers ? input.modules.nameOf(CONFIG_NAME) : `${CONFIG_NAME}.${ending.replace('ts', 'js')}`
}

/** Import specifier of the configuration for a module in `modules.folder`. */
export function configSpecifier(input: TemplateInput): string {
  const isInSource = configPath(input).startsWith('src/')
  const { folder } = input.modules
  const path = isInSource && folder === '' ? './src/' : !isInSource && folder !== '' ? '../' : './'
  return path + configImport(input, 'node')
}

/**
 * Returns a stem whose file is absent or already serves this purpose: `auth`, or `coatcheck-auth` if the application has its own `auth`.
 * @param marker matches a file that serves the purpose
 */
export function freeStem({ project, modules }: TemplateInput, stem: string, marker: RegExp): string {
  const isTaken = ENDINGS.some((ending) => {
    const path = join(project.folder, `${modules.folder}${stem}.${ending}`)
    return existsSync(path) && !marker.test(readFileSync(path, 'utf8'))
  })
  return isTaken ? `coatcheck-${stem}` : stem
}

/** A module with one of these extensions is the same module. */
export const ENDINGS = ['ts', 'tsx', 'mts', 'cts', 'js', 'jsx', 'mjs', 'cjs']

export function configFile(input: TemplateInput): TemplateFile {
  const { choices, isTypeScript } = input
  const preset = choices.provider === 'oidc' ? 'oidc' : 'entra'
  // The type of an issuer is a string. If it is missing, `auth.ready()` reports that.
  const required = isTypeScript ? '!' : ''
  const provider = {
    entra: `    // Set by \`coatcheck dev\` for its local provider. With Microsoft Entra ID it stays unset.
    entra({ issuer: process.env.ENTRA_ISSUER || undefined }),`,
    oidc: `    oidc({
      name: 'oidc',
      issuer: process.env.OIDC_ISSUER${required},
      clientId: process.env.OIDC_CLIENT_ID${required},
      clientSecret: process.env.OIDC_CLIENT_SECRET,
    }),`,
  }[preset]
  return {
    path: configPath(input),
    text: `/** Options that the application and the command line (\`npx coatcheck\`) share. Secrets and addresses are environment. */
import { defineConfig, ${preset} } from 'coatcheck'

export default defineConfig({
  providers: [
${provider}
  ],
})
`,
  }
}
