/** The commands as a list of places, each with the words that may come next: what completion is made of, for any shell. */
import type { Command } from 'commander'

export interface Word {
  readonly text: string
  readonly description: string
}

export interface Flag {
  /** `--help`, or `-h` and `--help`. */
  readonly names: readonly string[]
  readonly description: string
  readonly takesValue: boolean
  /** Values that it takes; empty when any will do. */
  readonly choices: readonly string[]
}

export interface Place {
  /** The words that lead here: empty for the program itself, `sessions list`. */
  readonly path: string
  readonly below: readonly Word[]
  readonly flags: readonly Flag[]
  /** Values of its operand; empty when any will do. */
  readonly operands: readonly string[]
}

/** Depth first, a group before what is in it. */
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

/** Everything that may be typed at a place. */
export function wordsAt({ below, flags, operands }: Place): readonly Word[] {
  const named = flags.flatMap(({ names, description }) => names.map((text) => ({ text, description })))
  return [...below, ...operands.map((text) => ({ text, description: '' })), ...named]
}
