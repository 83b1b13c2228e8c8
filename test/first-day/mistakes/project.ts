/** The command line, as the package has it: built, in a process of its own. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type CommandFolder, commandFolder } from '../../support/command-line.ts'
import { onTerminal } from '../../support/pseudo-terminal.ts'
import type { Mistake, Seen } from '../mistake.ts'
import type { World } from '../world.ts'

const BIN = resolve(import.meta.dirname, '../../../dist/cli/bin.js')
const CONTROL_C = '\u0003'

export const projectMistakes: readonly Mistake[] = [
  {
    title: 'Node is too old',
    sample: 'node --version # v18.20.8',
    make: oldNode,
    code: 'exit code 1',
    what: /coatcheck needs Node 20\.19 or later, and this is Node 18\.20\.8/,
    why: /needs Node 20\.19 or later/,
    fix: /^Install a newer Node/,
  },
  {
    title: 'coatcheck init is canceled at a question',
    sample: 'npx coatcheck init',
    make: canceledInit,
    code: 'exit code 130',
    what: /Nothing was written\./,
    why: /canceled/i,
    fix: /^Run npx coatcheck init again/,
  },
  {
    title: 'A password stands in a flag of the command line',
    sample: 'npx coatcheck ping --url redis://default:password@localhost:6379',
    make: passwordInFlag,
    code: 'COATCHECK_CONFIG_INVALID',
    what: /Option --url: holds a password/,
    why: /The shell history and the process list show flags/,
    fix: /^Set REDIS_PASSWORD, or REDIS_URL, in the environment/,
  },
]

/** The version is simulated: the file that looks at it is the first one that the command loads. */
function oldNode(): Seen {
  const pretended = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'18.20.8'}})`
  const { status, stderr } = spawnSync(process.execPath, ['--import', pretended, BIN, '--version'], {
    encoding: 'utf8',
  })
  const [what = '', fix = ''] = stderr.trim().split('. ')
  return { code: `exit code ${status}`, what: `${what}.`, why: what, fix }
}

function folderOf(world: World): CommandFolder {
  const made = commandFolder()
  world.later(() => made.remove())
  return made
}

/** @throws when a file was written */
async function canceledInit(world: World): Promise<Seen> {
  const at = folderOf(world)
  const project = join(at.path, 'project')
  mkdirSync(project)
  const run = onTerminal([process.execPath, BIN, 'init'], project, { PATH: process.env.PATH, HOME: at.path })
  await run.shows('Which framework?')
  run.type(CONTROL_C)
  const { code } = await run.ended
  const files = readdirSync(project)
  if (files.length > 0) throw new Error(`init was canceled and wrote ${files.join(', ')}.`)
  const what = /[^\r\n]*Nothing was written\./.exec(run.screen())?.[0].replace(/^[^A-Z]*/, '') ?? ''
  return { code: `exit code ${code}`, what, why: 'The question was canceled.', fix: 'Run npx coatcheck init again.' }
}

async function passwordInFlag(world: World): Promise<Seen> {
  const { stderr } = await folderOf(world).run(['ping', '--url', 'redis://default:not-a-password@127.0.0.1:1'])
  if (stderr.includes('not-a-password')) throw new Error('The password stands in the answer.')
  const [what = '', ...lines] = stderr
    .trim()
    .split('\n')
    .map((line) => line.trim())
  const [why = '', fix = '', code = ''] = lines.map((line) => line.replace(/^\w+: /, ''))
  return { code: code.split(';')[0] ?? '', what, why, fix }
}
