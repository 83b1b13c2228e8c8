/** Types for the definition of a command. `program.ts` passes `Cli` to each file in `commands/`. */
import type { Command } from 'commander'
import type { CommandContext, CommonFlags } from './context.ts'

/** Runs one command. Returns the exit code, one of `exit-code.ts` or that of a program it ran; no value means 0. */
export type Run<Flags> = (
  context: CommandContext,
  flags: Flags & CommonFlags,
  ...operands: string[]
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- most commands have nothing to say beyond "done"
) => Promise<number | void>

/** What a command file uses to define its commands. */
export interface Cli {
  /**
   * Defines a command with the common flags.
   * @param usage name and operands, as `show <session id>`
   * @param examples shown by `--help`, and run by a test
   */
  command<Flags extends object>(usage: string, summary: string, examples: readonly Example[], run: Run<Flags>): Command
  /** Defines a command that only groups other commands. */
  group(name: string, summary: string, below: readonly Command[]): Command
}

export type Example = readonly [line: string, what: string]
