/** What a command is made of, and with: `program.ts` hands it to each file in `commands/`. */
import type { Command } from 'commander'
import type { CommandContext, CommonFlags } from './context.ts'

/** Does one command. What it returns is the exit code, one of `exit-code.ts` or that of a program it ran; nothing is 0. */
export type Run<Flags> = (
  context: CommandContext,
  flags: Flags & CommonFlags,
  ...operands: string[]
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- most commands have nothing to say beyond "done"
) => Promise<number | void>

/** What a command file gets to make its commands with. */
export interface Cli {
  /**
   * A command with the flags that all have.
   * @param usage name and operands, as `show <session id>`
   * @param examples shown by `--help`, and run by a test
   */
  command<Flags extends object>(usage: string, summary: string, examples: readonly Example[], run: Run<Flags>): Command
  /** A command that only has others below it. */
  group(name: string, summary: string, below: readonly Command[]): Command
}

export type Example = readonly [line: string, what: string]
