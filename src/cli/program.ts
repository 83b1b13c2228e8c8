/**
 * The command line: parses, runs one command, and turns its error into a message and an exit code. `commander` parses and prints the help.
 * Each command is a file in `commands/`; `commands.ts` lists them.
 */
import { Command, CommanderError } from 'commander'
import { isSessionId } from '../entries/admin.ts'
import { errorWords, isCoatcheckError } from '../core/errors.ts'
import { safeText } from '../core/redact.ts'
import type { Cli, Example, Run } from './cli.ts'
import { commands } from './commands.ts'
import { type CommonFlags, CommandContext } from './context.ts'
import { exitCode, exitCodeOf } from './exit-code.ts'
import { Output } from './output.ts'
import type { Terminal } from './terminal.ts'
import { versionOf } from './version.ts'

/** @returns the exit code; never rejects */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = exitCode.ok
  const program = createProgram(terminal, (ended) => {
    code = ended
  })
  try {
    await program.parseAsync(idsAsOperands(args), { from: 'user' })
    return code
  } catch (error) {
    // commander has already printed its message. Help and version are not a failure.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage
    throw error
  }
}

/** Flags that take the next word as their value, even if it begins with a hyphen. */
const BEFORE_VALUE = /^--(?:except|user|subject)$/

/** One session id in 64 begins with a hyphen and would be parsed as a flag. After `--` it is an operand. */
function idsAsOperands(args: readonly string[]): string[] {
  const isMoved = (arg: string, i: number): boolean =>
    arg.startsWith('-') && isSessionId(arg) && !BEFORE_VALUE.test(args[i - 1] ?? '')
  const moved = args.filter(isMoved)
  if (moved.length === 0 || args.includes('--')) return [...args]
  return [...args.filter((arg, i) => !isMoved(arg, i)), '--', ...moved]
}

/** @param ended receives the exit code of the command that ran */
export function createProgram(terminal: Terminal, ended: (code: number) => void): Command {
  const program = new Command('coatcheck')
    .description('Sessions and tokens on Redis: look at them, end them, find what is wrong.')
    .version(versionOf(), '-V, --version', 'show the version')
    .helpCommand('help [command]', 'show help of a command')
  const configureOutput = (command: Command): void => {
    command
      .exitOverride()
      .showHelpAfterError('(--help shows what there is)')
      .configureOutput({
        writeOut: (text) => terminal.stdout.write(text),
        writeErr: (text) => terminal.stderr.write(text),
        getOutHelpWidth: () => terminal.stdout.columns,
        getOutHasColors: () => terminal.stdout.hasColour,
        getErrHasColors: () => terminal.stderr.hasColour,
      })
    for (const below of command.commands) configureOutput(below)
  }
  for (const make of commands) program.addCommand(make(cliOf(terminal, ended)))
  configureOutput(program)
  return program
}

function cliOf(terminal: Terminal, ended: (code: number) => void): Cli {
  return {
    command(usage, summary, examples, run) {
      const [name = '', ...operands] = usage.split(/ (?=[[<])/)
      const command = new Command(name).description(summary)
      for (const operand of operands) command.argument(operand)
      command
        .option('--json', 'one JSON document on stdout')
        .option('--config <file>', 'coatcheck.config file (default: the one in this folder or in src)')
        // Not `--env-file`: Node 20 treats that as its own flag, wherever it appears.
        .option('--env <file>', 'read this instead of .env.local and .env')
        .option('--url <url>', 'REDIS_URL, without a password')
        .option('--prefix <prefix>', 'REDIS_PREFIX: stands before all keys')
        .addHelpText('after', helpOf(examples))
      return command.action(async (...given: unknown[]) => {
        const operandsGiven = given.slice(0, command.registeredArguments.length).flat() as string[]
        ended(await runOne(terminal, command, run as Run<object>, operandsGiven))
      })
    },
    group(name, summary, below) {
      const group = new Command(name).description(summary)
      for (const command of below) group.addCommand(command)
      return group
    },
  }
}

async function runOne(
  terminal: Terminal,
  command: Command,
  run: Run<object>,
  operands: readonly string[],
): Promise<number> {
  const flags: CommonFlags = command.opts()
  const output = new Output(terminal, nameOf(command), flags.json === true)
  const interruption = new AbortController()
  const stop = terminal.onInterrupt(() => interruption.abort())
  const context = new CommandContext(terminal, output, flags, interruption.signal)
  try {
    const code = (await run(context, flags, ...operands)) ?? exitCode.ok
    return interruption.signal.aborted && code === exitCode.ok ? exitCode.interrupted : code
  } catch (error) {
    if (interruption.signal.aborted) return exitCode.interrupted
    report(output, error)
    return exitCodeOf(error)
  } finally {
    await context.close()
    stop()
  }
}

/** Prints what happened, why, and what to do: on stderr, and as a document with `--json`. */
function report(output: Output, error: unknown): void {
  if (!isCoatcheckError(error)) {
    const text = safeText(error instanceof Error ? error.message : String(error))
    if (output.isJson) output.data({ error: { message: text } }, () => '')
    output.note(`${output.paint('red', 'error', 'stderr')}: ${text}`)
    return
  }
  const { code, why, fix, retryable, docs } = error
  const words = errorWords(error)
  if (output.isJson) output.data({ error: { code, message: words.what, why, fix, retryable, docs } }, () => '')
  output.note(`${output.paint('red', 'error', 'stderr')}: ${words.what}`)
  if (words.why !== null) output.note(`why: ${words.why}`)
  if (words.fix !== null) output.note(`fix: ${words.fix}`)
  output.note(output.paint('dim', `${code}; more: coatcheck explain ${code}`, 'stderr'))
}

/** For example `sessions list`, without the name of the program. */
function nameOf(command: Command): string {
  const names: string[] = []
  for (let at = command; at.parent !== null; at = at.parent) names.unshift(at.name())
  return names.join(' ')
}

function helpOf(examples: readonly Example[]): string {
  const lines = examples.map(([line, what]) => `  $ ${line}\n      ${what}`)
  return lines.length === 0 ? '' : `\nExamples:\n${lines.join('\n')}\n`
}
