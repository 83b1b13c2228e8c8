/** Whether git would take `.env.local`, and the `.gitignore` that keeps it out. */
import { spawnSync } from 'node:child_process'

const NAME = '.env.local'

/**
 * git itself is asked: rules may stand in a folder above, or in the user's own settings.
 * @param ignored the `.gitignore` of the folder, which has to do where there is no repository yet: the next command may be `git init`
 */
export function isExposed(folder: string, ignored: string): boolean {
  const { status } = spawnSync('git', ['check-ignore', '--quiet', '--no-index', NAME], { cwd: folder, stdio: 'ignore' })
  if (status === 0 || status === 1) return status === 1
  return !/^\/?\.env(?:\.local|\*|\.\*|\*\.local)\s*$/m.test(ignored)
}

/** No rule keeps out what git has already: every change would be committed. */
export function isTracked(folder: string): boolean {
  return spawnSync('git', ['ls-files', '--error-unmatch', NAME], { cwd: folder, stdio: 'ignore' }).status === 0
}

/** For a project that starts here. */
export const NEW_GITIGNORE = `node_modules/\n.next/\nnext-env.d.ts\n${NAME}\n`

/** To be put behind what is there. */
export const GITIGNORE_ADDITION = `${NAME}\n`
