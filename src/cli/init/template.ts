/** What every template gets, and gives. The templates are plain text with the few places that differ between projects. */
import type { Project } from '../project/project.ts'
import type { Choices } from './choices.ts'

export interface TemplateFile {
  /** Relative to the folder, with slashes. */
  readonly path: string
  readonly text: string
}

export interface TemplateInput {
  readonly project: Project
  readonly choices: Choices
  readonly isTypeScript: boolean
  /** Of modules that are not TypeScript: `js` where package.json says `"type": "module"`. */
  readonly moduleEnding: 'js' | 'mjs'
}

export interface Template {
  /** What the application needs in any case. */
  readonly files: readonly TemplateFile[]
  /** An application to start with, for a project that has none. Its first file is the one that shows the wiring. */
  readonly starter: readonly TemplateFile[]
  readonly packages: readonly string[]
  readonly devPackages: readonly string[]
  /** For a package.json that has none. */
  readonly scripts: Readonly<Record<string, string>>
}

const CONFIG_NAME = 'coatcheck.config'
const CONFIG_ENDINGS = ['ts', 'mts', 'js', 'mjs'] as const

/** Of the file that is there, or will be. */
function configEnding({ project, isTypeScript }: TemplateInput): (typeof CONFIG_ENDINGS)[number] {
  return CONFIG_ENDINGS.find((ending) => project.has(`${CONFIG_NAME}.${ending}`)) ?? (isTypeScript ? 'ts' : 'mjs')
}

/** How a module names the file: for Node TypeScript wants the ending of what it becomes, for a bundler none. */
export function configImport(input: TemplateInput, resolver: 'node' | 'bundler'): string {
  const ending = configEnding(input)
  if (ending === 'ts' && resolver === 'bundler') return CONFIG_NAME
  return `${CONFIG_NAME}.${ending.replace('ts', 'js')}`
}

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
    path: `${CONFIG_NAME}.${configEnding(input)}`,
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
