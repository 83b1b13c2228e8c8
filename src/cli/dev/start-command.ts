/** Finds the command that `coatcheck dev` runs: the command after `--`, otherwise a script of package.json, otherwise the entry file. */
import { delimiter } from 'node:path'
import { entryOf } from '../project/entry.ts'
import type { Project } from '../project/project.ts'
import { UsageError } from '../usage-error.ts'

export interface StartCommand {
  readonly file: string
  readonly args: readonly string[]
  /** Text for output. */
  readonly shown: string
}

/** A script that wraps its command in `coatcheck dev`. The wrapped command is the one to run. */
const WRAPPED = /^(?:npx )?coatcheck dev(?: [^|&;]*?)? -- (.+)$/

/** @throws {UsageError} if there is nothing to run */
export function startCommand(project: Project, given: readonly string[]): StartCommand {
  const [file, ...args] = given
  if (file !== undefined) return plain(file, ...args)
  for (const name of ['dev', 'start']) {
    const script = project.manifest?.scripts?.[name]
    if (script === undefined) continue
    const [, wrapped] = WRAPPED.exec(script) ?? []
    if (wrapped !== undefined) return { file: 'sh', args: ['-c', wrapped], shown: wrapped }
    if (!/\bcoatcheck dev\b/.test(script)) return plain(project.packageManager, 'run', name)
  }
  if (project.dependsOn('next')) return plain('next', 'dev')
  const entry = entryOf(project)
  if (entry === null) {
    throw new UsageError(
      'There is no script "dev" or "start" here, and no file like server.js, app.js, index.js or src/server.ts. Name the command: coatcheck dev -- node my-app.js.',
    )
  }
  if (!entry.endsWith('ts')) return plain('node', '--watch', entry)
  if (project.isInstalled('tsx')) return plain('tsx', 'watch', entry)
  if (removesTypes()) return plain('node', '--watch', entry)
  throw new UsageError(
    `${entry} is TypeScript, and this version of Node cannot run it: npm install --save-dev tsx, or name the command after "--".`,
  )
}

/** Node runs TypeScript by itself from 22.18 on. In earlier versions the property is missing, or `false`. */
function removesTypes(): boolean {
  const { typescript = false } = process.features as { readonly typescript?: string | false }
  return typescript !== false
}

/** As in `npm run`: programs of the project's packages come first. */
export function pathOf(project: Project, path: string | undefined): string {
  return [...project.binFolders, ...(path === undefined ? [] : [path])].join(delimiter)
}

function plain(file: string, ...args: readonly string[]): StartCommand {
  return { file, args, shown: [file, ...args].join(' ') }
}
