/** Runs `coatcheck migrate ioredis` as users do: the built command, in the folder of the application. */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import type { MigrationReport } from '../../src/migrate/ioredis/report.ts'
import type { Application } from './application.ts'

const BIN = resolve(import.meta.dirname, '../../dist/cli/bin.js')

export interface CodemodRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export async function runCodemod(application: Application, ...args: string[]): Promise<CodemodRun> {
  const options = { cwd: application.path, maxBuffer: 1 << 28, env: { PATH: process.env.PATH, HOME: application.path } }
  return promisify(execFile)(process.execPath, [BIN, 'migrate', 'ioredis', ...args], options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => error as CodemodRun,
  )
}

/** Rewrites the application for this major of `redis`. */
export async function migrate(application: Application, target: 5 | 6): Promise<MigrationReport> {
  const { stdout, stderr } = await runCodemod(application, '--write', '--json', '--target', String(target))
  if (stdout === '') throw new Error(`The codemod printed nothing. ${stderr}`)
  return JSON.parse(stdout) as MigrationReport
}
