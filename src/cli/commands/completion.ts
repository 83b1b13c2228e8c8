/** `coatcheck completion`: Tab completion for bash, zsh and fish, generated from the commands. */
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { placesOf } from '../completion/command-tree.ts'
import { completionScript, type Shell, shells } from '../completion/scripts.ts'

export function completion(cli: Cli): Command {
  const command = cli.command(
    'completion <shell>',
    'print a script that completes commands and flags',
    [
      ['coatcheck completion bash', 'for eval "$(coatcheck completion bash)" in ~/.bashrc'],
      ['coatcheck completion fish', 'for coatcheck completion fish | source'],
    ],
    async ({ output }, _flags, shell) => {
      const program = rootOf(command)
      // The parser rejects any other value.
      const script = completionScript(shell as Shell, program.name(), placesOf(program))
      output.data({ shell, script }, () => script)
    },
  )
  command.registeredArguments[0]?.choices(shells)
  return command
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent)
}
