/** `coatcheck init`: from a project to one that signs people in. Writes what is missing, and overwrites nothing. */
import { confirm, isCancel } from '@clack/prompts'
import { type Command, Option } from 'commander'
import { safeUrl } from '../../core/redact.ts'
import { systemRandom } from '../../core/random.ts'
import type { Cli } from '../cli.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { carryOut } from '../init/carry-out.ts'
import { Cancelled, type ChoiceFlags, choose, frameworks, providers } from '../init/choices.ts'
import { install, installCommands, missingPackages } from '../init/packages.ts'
import { type Plan, planInit, type Step } from '../init/plan.ts'
import { lookAtProject, type Project } from '../project/project.ts'

interface InitFlags extends ChoiceFlags {
  readonly dryRun?: boolean
  readonly install: boolean
}

export function init(cli: Cli): Command {
  return cli
    .command<InitFlags>(
      'init',
      'add sign-in and sessions to the application of this folder',
      [
        ['coatcheck init', 'asks what it cannot see'],
        ['coatcheck init --yes --framework express --provider entra', 'asks nothing'],
        ['coatcheck init --yes --framework hono --dry-run', 'shows what it would write'],
      ],
      run,
    )
    .addOption(new Option('--framework <name>', 'default: the one in package.json').choices(frameworks))
    .option('--redis <where>', 'memory, or a URL without a password (default: memory)')
    .addOption(new Option('--provider <name>', 'default: entra').choices(providers))
    .option('--yes', 'take the defaults, and install what is missing')
    .option('--no-install', 'only say which packages are missing')
    .option('--dry-run', 'show what would be written, and write nothing')
}

async function run(context: CommandContext, flags: InitFlags): Promise<number> {
  const { output, terminal } = context
  const project = lookAtProject(terminal.folder)
  try {
    const choices = await choose(project, flags, terminal.isInteractive && !output.isJson)
    const plan = planInit(project, choices, systemRandom)
    if (flags.dryRun !== true) carryOut(plan, project.folder)
    const commands = installCommands(project, missingPackages(project, plan.template))
    const isInstalled = await installed(context, project, commands, flags)
    const next = nextSteps(plan, isInstalled ? [] : commands, project)
    const { framework, provider, redisUrl } = choices
    const document = {
      dryRun: flags.dryRun === true,
      framework,
      provider,
      redis: redisUrl === null ? 'memory' : safeUrl(redisUrl),
      files: plan.steps.map(fileOf),
      wiring: plan.wiring,
      next,
    }
    output.data(document, () => textOf(context, plan, next, flags.dryRun === true))
    return exitCode.ok
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error
    output.note('Nothing was written.')
    return exitCode.interrupted
  }
}

async function installed(
  { output, terminal }: CommandContext,
  project: Project,
  commands: readonly (readonly string[])[],
  flags: InitFlags,
): Promise<boolean> {
  if (commands.length === 0) return true
  if (flags.dryRun === true || !flags.install) return false
  const shown = commands.map((command) => command.join(' ')).join(' && ')
  if (flags.yes !== true && terminal.isInteractive) {
    const answer = await confirm({ message: `Run ${shown}?`, output: process.stderr })
    if (isCancel(answer) || !answer) return false
  }
  for (const command of commands) {
    output.note(command.join(' '))
    if (!(await install(command, project.folder))) {
      output.note('That did not work; everything else is in place.')
      return false
    }
  }
  return true
}

/** In the order in which they are typed. */
function nextSteps(plan: Plan, commands: readonly (readonly string[])[], project: Project): readonly string[] {
  const steps = commands.map((command) => command.join(' '))
  const scripts = Object.entries(plan.scripts)
  if (project.manifest !== null && scripts.length > 0) {
    steps.push(`npm pkg set ${scripts.map(([name, script]) => `scripts.${name}='${script}'`).join(' ')}`)
  }
  return [...steps, 'npx coatcheck dev']
}

interface FileReport {
  readonly path: string
  readonly action: Step['action']
  /** `null` where it would show a secret, or says nothing new. */
  readonly text: string | null
  readonly settings?: readonly string[]
}

function fileOf({ path, action, text, settings }: Step): FileReport {
  return { path, action, text: settings || action === 'same' ? null : text, ...(settings && { settings }) }
}

const DONE = { create: 'created', append: 'added to', same: 'as it is', keep: 'kept' } as const
const PLANNED = { create: 'create', append: 'add to', same: 'as it is', keep: 'keep' } as const

function textOf({ output }: CommandContext, plan: Plan, next: readonly string[], isDryRun: boolean): string {
  const words = isDryRun ? PLANNED : DONE
  const lines = plan.steps.map(({ path, action, settings }) => {
    const colour = action === 'keep' ? 'yellow' : action === 'same' ? 'dim' : 'green'
    return `${output.paint(colour, words[action].padEnd(9))} ${path}${settings ? `  ${settings.join(', ')}` : ''}`
  })
  for (const { path, action, text, settings } of plan.steps) {
    const isShown = action === 'keep' || (isDryRun && action !== 'same' && !settings)
    if (isShown) lines.push('', output.paint('bold', action === 'keep' ? `${path} should hold:` : `${path}:`), '', text)
  }
  if (plan.wiring !== null)
    lines.push('', output.paint('bold', 'Your application needs what this one has:'), '', plan.wiring)
  return [...lines, '', 'Next:', ...next.map((step) => `  ${step}`), ''].join('\n')
}
