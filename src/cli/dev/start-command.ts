/** What `coatcheck dev` runs: the command after `--`, else what the project itself would be started with. */
import { delimiter } from 'node:path'
import type { Project } from '../project/project.ts'
import { UsageError } from '../usage-error.ts'

export interface StartCommand {
  readonly file: string
  readonly args: readonly string[]
  /** For people. */
  readonly shown: string
}

/** A script that wraps itself in us: what it wraps is what is meant. */
const WRAPPED = /^(?:npx )?coatcheck dev(?: [^|&;]*?)? -- (.+)$/

/** @throws {UsageError} when nothing can be found to run */
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
  for (const name of ['server.js', 'server.mjs']) if (project.has(name)) return plain('node', '--watch', name)
  if (project.has('server.ts') && project.isInstalled('tsx')) return plain('tsx', 'watch', 'server.ts')
  if (project.dependsOn('next')) return plain('next', 'dev')
  throw new UsageError(
    'There is no script "dev" or "start" here, and no server.js, .mjs or .ts: name the command, coatcheck dev -- node app.js.',
  )
}

/** As `npm run` does: programs of the project's packages are found first. */
export function pathOf(project: Project, path: string | undefined): string {
  return [...project.binFolders, ...(path === undefined ? [] : [path])].join(delimiter)
}

function plain(file: string, ...args: readonly string[]): StartCommand {
  return { file, args, shown: [file, ...args].join(' ') }
}
