/** `coatcheck init`: adds sign-in and sessions to a project. It writes what is missing and overwrites nothing. */
import { type Command, Option } from 'commander'
import { safeUrl } from '../../core/redact.ts'
import { systemRandom } from '../../core/random.ts'
import type { Cli } from '../cli.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { carryOut } from '../init/carry-out.ts'
import { type ChoiceFlags, choose, frameworks, languages, providers } from '../init/choices.ts'
import { isTracked } from '../init/git-ignore.ts'
import { install, installCommands, missingPackages } from '../init/packages.ts'
import { planInit } from '../init/plan.ts'
import { Cancelled, type Questions, terminalQuestions } from '../init/questions.ts'
import { commandText, fileReport, nextSteps, reportText } from '../init/report.ts'
import { readProject } from '../project/project.ts'

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
    .addOption(new Option('--language <name>', 'default: the one of the project').choices(languages))
    .option('--redis <where>', 'memory, or a URL without a password (default: memory)')
    .addOption(new Option('--provider <name>', 'default: entra').choices(providers))
    .option('--yes', 'take the defaults, and install what is missing')
    .option('--no-install', 'only say which packages are missing')
    .option('--dry-run', 'show what would be written, and write nothing')
}

async function run(context: CommandContext, flags: InitFlags): Promise<number> {
  try {
    return await initialize(context, flags)
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error
    context.output.note('Nothing was written.')
    return exitCode.interrupted
  }
}

/** Asks all questions first, so that a canceled question leaves the folder unchanged. */
async function initialize(context: CommandContext, flags: InitFlags): Promise<number> {
  const { output, signal, terminal } = context
  const project = readProject(terminal.folder)
  const isDryRun = flags.dryRun === true
  const questions = terminal.isInteractive && !output.isJson ? terminalQuestions(signal) : null
  const choices = await choose(project, flags, questions)
  const plan = planInit(project, choices, systemRandom)
  const commands = installCommands(project, missingPackages(project, plan.packages))
  const isInstalling = !isDryRun && flags.install && (await wantsInstall(commands, flags, questions))
  if (signal.aborted) throw new Cancelled()

  if (!isDryRun) carryOut(plan, project.folder)
  if (isTracked(project.folder)) {
    output.note('git tracks .env.local with the key in it. Remove it from git, then replace COATCHECK_KEYS:')
    output.note('git rm --cached .env.local')
  }
  const isInstalled = isInstalling && (await installed(context, commands))
  const next = nextSteps(plan, isInstalled ? [] : commands, project)
  const { framework, language, provider, redisUrl } = choices
  const document = {
    dryRun: isDryRun,
    framework,
    language,
    provider,
    redis: redisUrl === null ? 'memory' : safeUrl(redisUrl),
    files: plan.steps.map(fileReport),
    wiring: plan.wiring,
    next,
    firstPage: plan.firstPage,
  }
  output.data(document, () => reportText(output, plan, next, isDryRun))
  return exitCode.ok
}

async function wantsInstall(
  commands: readonly (readonly string[])[],
  flags: InitFlags,
  questions: Questions | null,
): Promise<boolean> {
  if (commands.length === 0) return false
  if (flags.yes === true || questions === null) return true
  const list = commands.map((command) => `\n  ${commandText(command)}`).join('')
  return questions.confirm(`Install packages after the files are written?${list}`)
}

async function installed({ output, terminal }: CommandContext, commands: readonly (readonly string[])[]) {
  for (const command of commands) {
    output.note(commandText(command))
    if (!(await install(command, terminal.folder))) {
      output.note(`"${commandText(command)}" failed. The files are written; the commands that are left follow below.`)
      return false
    }
  }
  return true
}
