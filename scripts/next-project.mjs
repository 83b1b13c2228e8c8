/**
 * Makes a project as a user does: `create-next-app` of the host's version, then `coatcheck init` of the built package. The project
 * lies below the host's folder, so that it finds the host's version of Next, and this package under its own name.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')

/** Answers for the Google fonts of the template, which `next build` would fetch. Next reads this variable for tests. */
const fonts = join(root, 'test/hosts/next-fonts.cjs')

/** @param env variables for a process of Next, beside `PATH` and `HOME` */
export function nextEnvironment(env = {}) {
  const { PATH, HOME } = process.env
  return { PATH, HOME, NEXT_TELEMETRY_DISABLED: '1', NEXT_FONT_GOOGLE_MOCKED_RESPONSES: fonts, ...env }
}

/**
 * Removes `dir` and makes it anew; `<dir>-dev` is a copy for `next dev`, which in Next 15 overwrites the production build.
 * @param flags of create-next-app, beside `--yes`
 * @param page a page of docs/ whose files are put into the project; `null`: none
 */
export function makeNextProject(dir, { host, flags, page }) {
  const manifest = createRequire(join(root, 'test/hosts', host, 'package.json')).resolve('create-next-app/package.json')
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  const parent = dirname(dir)
  mkdirSync(parent, { recursive: true })
  for (const folder of [dir, `${dir}-dev`]) rmSync(folder, { recursive: true, force: true })
  const given = ['--yes', '--skip-install', '--disable-git', '--use-npm', ...flags]
  // It keeps the answers of the last run below HOME; a fresh one has none.
  const home = join(parent, 'home')
  run([join(dirname(manifest), Object.values(bin)[0]), basename(dir), ...given], parent, {
    HOME: home,
    XDG_CONFIG_HOME: home,
  })
  run([join(root, 'dist/cli/bin.js'), 'init', '--yes', '--no-install', '--provider', 'dev'], dir)
  if (page !== null) {
    for (const { file, code } of filesOfPage(page)) {
      mkdirSync(dirname(join(dir, file)), { recursive: true })
      writeFileSync(join(dir, file), code)
    }
  }
  cpSync(dir, `${dir}-dev`, { recursive: true })
}

/** The blocks of a page that are files: `tsx app/page.tsx` behind the fence. */
export function filesOfPage(page) {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)].map(([, file, code]) => ({ file, code }))
}

function run(args, cwd, env = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd,
    encoding: 'utf8',
    env: nextEnvironment(env),
  })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
}
