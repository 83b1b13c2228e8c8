/** The examples that `--help` shows, of all commands: test/cli/examples.test.ts runs each of them. */
import { Command } from 'commander'
import type { Cli } from '../../src/cli/cli.ts'
import { commands } from '../../src/cli/commands.ts'

export function commandExamples(): readonly string[] {
  const found: string[] = []
  const collecting: Cli = {
    command(usage, _summary, examples) {
      found.push(...examples.map(([line]) => line))
      return new Command(usage.split(' ')[0])
    },
    group(name, _summary, below) {
      const group = new Command(name)
      for (const command of below) group.addCommand(command)
      return group
    },
  }
  for (const command of commands) command(collecting)
  return found
}
