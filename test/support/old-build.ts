/**
 * An earlier build of Coatcheck, made from the history of this repository: what a rolling deployment has beside the new one. It is
 * compiled once and kept below `node_modules`, where it finds the packages of this checkout. Its processes import `coatcheck`, which
 * is the build that they lie in.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')

export interface OldBuild {
  /** Of the session process and the token process, for `startSessionProcess` and `startTokenProcesses`. */
  readonly sessionApp: string
  readonly tokenApp: string
}

/** @returns `null` where the history does not reach that far, as in a shallow clone */
export async function oldBuild(commit: string): Promise<OldBuild | null> {
  const isKnown = await run('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: root }).then(
    () => true,
    () => false,
  )
  if (!isKnown) return null
  const folder = join(root, 'node_modules/.cache/coatcheck', `build-${commit}`)
  if (!existsSync(folder)) await build(commit, folder)
  const processes = join(folder, 'test/support/processes')
  return { sessionApp: join(processes, 'session-app.mjs'), tokenApp: join(processes, 'token-app.mjs') }
}

/** In a folder of its own, which takes its name when it is whole: two tests may build at once. */
async function build(commit: string, folder: string): Promise<void> {
  const fresh = `${folder}-${process.pid}`
  mkdirSync(dirname(fresh), { recursive: true })
  mkdirSync(fresh)
  try {
    const archive = join(fresh, 'sources.tar')
    const paths = ['src', 'package.json', 'tsconfig.base.json', 'tsconfig.build.json', 'test/support/processes']
    await run('git', ['archive', '--output', archive, commit, ...paths], { cwd: root })
    await run('tar', ['-xf', archive, '-C', fresh])
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    await run(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: fresh })
    if (!existsSync(folder)) renameSync(fresh, folder)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}
