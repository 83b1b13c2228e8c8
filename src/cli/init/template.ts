/** What every template is given, and what it returns. The templates are plain text with the few places that differ. */
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
   * Found in a file that does this already. A file at the path without it is shown what it lacks: `lines`, or all of the
   * text. Default: an import of Coatcheck or of `auth`, if `text` has one; else any file at the path will do.
   */
  readonly marker?: RegExp
  /** What a file that exists needs, with a comment that says where. */
  readonly lines?: string
}

export interface TemplateInput {
  readonly project: Project
  readonly choices: Choices
  readonly isTypeScript: boolean
  readonly modules: ModuleStyle
  /** `null`: JavaScript. Of a project without tsconfig.json: the one that is written. */
  readonly tsConfig: TsConfig | null
}

export interface Template {
  /** What the application needs in any case. */
  readonly files: readonly TemplateFile[]
  /** An application to start with, for a project that has none. Its last file is the program, which needs the others. */
  readonly starter: readonly TemplateFile[]
  /** How an application that exists is connected; absent where `files` are all that it takes. */
  readonly wiring?: WiringParts
  readonly packages: readonly string[]
  /** For the starter only. */
  readonly devPackages: readonly string[]
  /** Path of the page to open after the start, if the application has a first page of its own. Default: `/`. */
  readonly firstPage?: string
  /** For a package.json that has none. */
  readonly scripts: Readonly<Record<string, string>>
}

const CONFIG_NAME = 'coatcheck.config'

/** Relative to the folder: the file that is there, or the one that will be. */
function configPath({ project, isTypeScript, modules }: TemplateInput): string {
  const ending = isTypeScript ? modules.ending : 'mjs'
  const folder = isTypeScript ? modules.folder : ''
  return configNames.find((name) => project.has(name)) ?? `${folder}${CONFIG_NAME}.${ending}`
}

/** How a module in the root of the application names the file: a bundler wants no ending of TypeScript. */
export function configImport(input: TemplateInput, resolver: 'node' | 'bundler'): string {
  const [, ending = ''] = /\.(\w+)$/.exec(configPath(input)) ?? []
  if (resolver === 'bundler') return ending === 'ts' ? CONFIG_NAME : `${CONFIG_NAME}.${ending.replace('ts', 'js')}`
  const isLikeOthers = input.isTypeScript && ending === input.modules.ending
  return isLikeOthers ? input.modules.nameOf(CONFIG_NAME) : `${CONFIG_NAME}.${ending.replace('ts', 'js')}`
}

/** The configuration as a module in `modules.folder` imports it. */
export function configSpecifier(input: TemplateInput): string {
  const isInSource = configPath(input).startsWith('src/')
  const { folder } = input.modules
  const path = isInSource && folder === '' ? './src/' : !isInSource && folder !== '' ? '../' : './'
  return path + configImport(input, 'node')
}

/**
 * A stem whose file is absent or serves our purpose already: `auth`, or `coatcheck-auth` where the application has an
 * `auth` of its own.
 * @param marker found in a file that serves the purpose
 */
export function freeStem({ project, modules }: TemplateInput, stem: string, marker: RegExp): string {
  const isTaken = ENDINGS.some((ending) => {
    const path = join(project.folder, `${modules.folder}${stem}.${ending}`)
    return existsSync(path) && !marker.test(readFileSync(path, 'utf8'))
  })
  return isTaken ? `coatcheck-${stem}` : stem
}

/** A module under one of these endings is the same module. */
export const ENDINGS = ['ts', 'tsx', 'mts', 'cts', 'js', 'jsx', 'mjs', 'cjs']

export function configFile(input: TemplateInput): TemplateFile {
  const { choices, isTypeScript } = input
  const preset = choices.provider === 'oidc' ? 'oidc' : 'entra'
  // The type of an issuer is a text; without one, `auth.ready()` says what is missing.
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
