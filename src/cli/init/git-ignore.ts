/** Whether git would take `.env.local`, and the `.gitignore` that keeps it out. */
import { spawnSync } from 'node:child_process'

const NAME = '.env.local'

/** git itself is asked: rules may stand in a folder above, or in the user's own settings. */
export function isExposed(folder: string): boolean {
  const { status } = spawnSync('git', ['check-ignore', '--quiet', '--no-index', NAME], { cwd: folder, stdio: 'ignore' })
  // 0: ignored; 1: not ignored; 128: no repository. Without git there is nothing that could take it.
  return status === 1
}

/** No rule keeps out what git has already: every change would be committed. */
export function isTracked(folder: string): boolean {
  return spawnSync('git', ['ls-files', '--error-unmatch', NAME], { cwd: folder, stdio: 'ignore' }).status === 0
}

/** For a project that starts here. */
export const NEW_GITIGNORE = `node_modules/\n.next/\nnext-env.d.ts\n${NAME}\n`

/** To be put behind what is there. */
export const GITIGNORE_ADDITION = `${NAME}\n`
