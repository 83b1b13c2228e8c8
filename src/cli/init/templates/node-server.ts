/** What the three frameworks on Node's own server have in common: settings first, one place for `auth`, one page. */
import { configFile, configImport, type Template, type TemplateFile, type TemplateInput } from '../template.ts'

export interface NodeServer {
  readonly entry: string
  /** Of the adapter, as `expressAuth`. */
  readonly factory: string
  readonly packages: readonly string[]
  /** The program, which imports `auth`, `web` and `page` from the places it is given. */
  readonly server: (imports: { readonly auth: string; readonly page: string }) => string
}

export function nodeServer(input: TemplateInput, { entry, factory, packages, server }: NodeServer): Template {
  const { isTypeScript, moduleEnding } = input
  const ending = isTypeScript ? 'ts' : moduleEnding
  // TypeScript wants to be imported as what it becomes.
  const imported = isTypeScript ? 'js' : moduleEnding
  const auth: TemplateFile = {
    path: `auth.${ending}`,
    text: `/** The one place where this application configures Coatcheck. */
import './env.${imported}' // first: everything below reads the environment
import { coatcheck } from 'coatcheck'
import { ${factory} } from '${entry}'
import config from './${configImport(input, 'node')}'

export const auth = coatcheck(config)
export const web = ${factory}(auth)
`,
  }
  const start = isTypeScript ? 'tsx watch server.ts' : `node --watch server.${ending}`
  return {
    files: [configFile(input), { path: `env.${ending}`, text: ENV }, auth],
    starter: [
      { path: `server.${ending}`, text: server({ auth: `./auth.${imported}`, page: `./page.${imported}` }) },
      { path: `page.${ending}`, text: pageOf(isTypeScript) },
    ],
    packages,
    devPackages: isTypeScript ? ['tsx'] : [],
    scripts: { dev: `coatcheck dev -- ${start}`, start: isTypeScript ? 'tsx server.ts' : `node server.${ending}` },
  }
}

const ENV = `/** Settings from .env.local and .env. What the environment says already wins. */
import { existsSync } from 'node:fs'

for (const file of ['.env.local', '.env']) {
  if (existsSync(file)) process.loadEnvFile(file)
}
`

function pageOf(isTypeScript: boolean): string {
  const importType = isTypeScript ? `import type { User } from 'coatcheck'\n\n` : ''
  const typed = (type: string): string => (isTypeScript ? `: ${type}` : '')
  return `/** The first page: who is signed in, or the way to sign in. */
${importType}export function page(user${typed('User | null')})${typed('string')} {
  return \`<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>Welcome</title>
  \${user ? forUser(String(user.name ?? user.id)) : forVisitor}
</html>\`
}

const forVisitor = \`<h1>Welcome</h1>
  <p><a href="/auth/login?returnTo=/">Sign in</a></p>\`

const forUser = (name${typed('string')}) => \`<h1>Welcome, \${escape(name)}</h1>
  <p><a href="/profile">Profile</a></p>
  <form method="post" action="/auth/logout"><button>Sign out</button></form>\`

function escape(text${typed('string')})${typed('string')} {
  return text.replace(/[&<>"']/g, (character) => \`&#\${character.charCodeAt(0)};\`)
}
`
}
