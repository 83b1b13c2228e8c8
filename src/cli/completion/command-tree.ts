/** Lists the places in the command line, each with the words that may follow. The completion of every shell is generated from it. */
import type { Command } from 'commander'

export interface Word {
  readonly text: string
  readonly description: string
}

export interface Flag {
  /** For example `--help`, or `-h` and `--help`. */
  readonly names: readonly string[]
  readonly description: string
  readonly takesValue: boolean
  /** Accepted values; empty if any value is accepted. */
  readonly choices: readonly string[]
}

export interface Place {
  /** The words before this place: empty for the program itself, `sessions list`. */
  readonly path: string
  readonly below: readonly Word[]
  readonly flags: readonly Flag[]
  /** Accepted values of its operand; empty if any value is accepted. */
  readonly operands: readonly string[]
}

/** Depth first, a group before its commands. */
export function placesOf(command: Command, path: readonly string[] = []): readonly Place[] {
  const help = command.createHelp()
  const below = help.visibleCommands(command)
  const place: Place = {
    path: path.join(' '),
    below: below.map((one) => ({ text: one.name(), description: one.description() })),
    flags: help.visibleOptions(command).map((option) => ({
      names: [option.short, option.long].filter((name) => name !== undefined),
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    })),
    operands: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  }
  return [place, ...below.flatMap((one) => placesOf(one, [...path, one.name()]))]
}

/** All words that the user may type at a place. */
export function wordsAt({ below, flags, operands }: Place): readonly Word[] {
  const named = flags.flatMap(({ names, description }) => names.map((text) => ({ text, description })))
  return [...below, ...operands.map((text) => ({ text, description: '' })), ...named]
}
