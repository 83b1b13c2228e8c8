/** Whether git would add `.env.local`, and the `.gitignore` that keeps the file out of git. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join, parse } from 'node:path'
import type { Project } from '../project/project.ts'
import type { Step } from './step.ts'

const NAME = '.env.local'

/** For a project that has no `.gitignore`. */
const NEW_GITIGNORE = `node_modules/\ndist/\n.next/\nnext-env.d.ts\n${NAME}\n`

/** The rules that cover the file: `.env.local`, `.env*`, `.env.*` and `*.local`, in this folder or in all. */
const COVERING_RULE = /^(!?)(?:\/|\*\*\/)?(?:\.env\.local|\.env\*|\.env\.\*|\.env\*\.local|\*\.local)$/

/** @returns no step when git ignores the file already */
export function ignoreStep(project: Project): Step[] {
  const { folder, manifest } = project
  const path = '.gitignore'
  const rules = project.has(path) ? readFileSync(join(folder, path), 'utf8') : ''
  const isInTheWay = isExposed(folder, rules)
  if (!project.has(path)) {
    return manifest === null || isInTheWay ? [{ path, action: 'create', text: NEW_GITIGNORE }] : []
  }
  if (!isInTheWay) return []
  return [{ path, action: 'append', text: `${rules.endsWith('\n') || rules === '' ? '' : '\n'}${NAME}\n` }]
}

/** An ignore rule has no effect on a tracked file: git commits every change of it. */
export function isTracked(folder: string): boolean {
  const { dir, base } = parse(writtenFile(folder))
  return spawnSync('git', ['ls-files', '--error-unmatch', base], { cwd: dir, stdio: 'ignore' }).status === 0
}

/** If `.env.local` is a link: returns the target file, if git would add it. Ignore rules of this folder do not cover it. */
export function exposedTarget(folder: string): string | null {
  const path = writtenFile(folder)
  const { dir, base } = parse(path)
  if (path === join(folder, NAME) || path === join(realpathSync(folder), NAME)) return null
  const { status } = spawnSync('git', ['check-ignore', '--quiet', '--no-index', base], { cwd: dir, stdio: 'ignore' })
  return status === 1 ? path : null
}

/** The file that a write to `.env.local` changes: the target of a link. */
function writtenFile(folder: string): string {
  const path = join(folder, NAME)
  return existsSync(path) ? realpathSync(path) : path
}

/**
 * Asks git, because a rule may be in a parent folder or in the user's own settings.
 * @param rules the `.gitignore` of the folder. It decides if there is no repository: `git init` may be the next command.
 */
function isExposed(folder: string, rules: string): boolean {
  const { status } = spawnSync('git', ['check-ignore', '--quiet', '--no-index', NAME], { cwd: folder, stdio: 'ignore' })
  if (status === 0 || status === 1) return status === 1
  // The last rule that matches a file decides (gitignore(5)).
  const last = rules
    .split('\n')
    .map((line) => COVERING_RULE.exec(line.trimEnd()))
    .findLast((match) => match !== null)
  return last?.[1] !== ''
}
