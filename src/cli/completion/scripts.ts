/**
 * Generates completion scripts for shells. A script contains the commands and flags of this version, so pressing Tab starts no process. All
 * three scripts find the place by walking the words before the cursor. A flag that accepts any value leaves the completion to file names.
 */
import { type Flag, type Place, wordsAt } from './command-tree.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

const SCRIPTS: Readonly<Record<Shell, (program: string, places: readonly Place[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

export function completionScript(shell: Shell, program: string, places: readonly Place[]): string {
  return SCRIPTS[shell](program, places)
}

function bashScript(program: string, places: readonly Place[]): string {
  return `# Completion of ${program} in bash: eval "$(${program} completion bash)", in ~/.bashrc for every shell.
_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} place='' i words=''
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$place \${COMP_WORDS[i]}" in
${indent(6, stepPatterns(places))}
        place="$place \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$place $previous" in
${indent(4, valueCases(places))}
  esac
  case "$place" in
${indent(
  4,
  places.map(
    (place) =>
      `${quoted(prefixed(place))}) words=${quoted(
        wordsAt(place)
          .map(({ text }) => text)
          .join(' '),
      )} ;;`,
  ),
)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${program} ${program}
`
}

/** A flag with choices offers them. Any other flag with a value offers files (`-o default`). */
function valueCases(places: readonly Place[]): readonly string[] {
  return places.flatMap((place) =>
    place.flags.filter(takesValue).map((flag) => {
      const pattern = flag.names.map((name) => quoted(`${prefixed(place)} ${name}`)).join('|')
      const offer =
        flag.choices.length === 0 ? '' : `COMPREPLY=($(compgen -W ${quoted(flag.choices.join(' '))} -- "$current"))`
      return `${pattern}) ${offer === '' ? 'COMPREPLY=()' : offer}; return ;;`
    }),
  )
}

function zshScript(program: string, places: readonly Place[]): string {
  return `#compdef ${program}
# Completion of ${program} in zsh: eval "$(${program} completion zsh)" after compinit, or a file _${program} on your fpath.
_${program}() {
  local place='' i
  local -a offered
  for ((i = 2; i < CURRENT; i++)); do
    case "$place \${words[i]}" in
${indent(6, stepPatterns(places))}
        place="$place \${words[i]}" ;;
    esac
  done
  case "$place \${words[CURRENT - 1]}" in
${indent(
  4,
  places.flatMap((place) =>
    place.flags.filter(takesValue).map((flag) => {
      const pattern = flag.names.map((name) => quoted(`${prefixed(place)} ${name}`)).join('|')
      return `${pattern}) ${flag.choices.length === 0 ? '_files' : `compadd -- ${flag.choices.map(quoted).join(' ')}`}; return ;;`
    }),
  ),
)}
  esac
  case "$place" in
${indent(
  4,
  places.map(
    (place) =>
      `${quoted(prefixed(place))}) offered=(${wordsAt(place)
        // The word, a colon, and its description.
        .map(({ text, description }) => quoted(`${text.replaceAll(':', '\\:')}:${description}`))
        .join(' ')}) ;;`,
  ),
)}
  esac
  _describe -t words ${program} offered || _files
}
if [ "$funcstack[1]" = "_${program}" ]; then _${program} "$@"; else compdef _${program} ${program}; fi
`
}

function fishScript(program: string, places: readonly Place[]): string {
  const at = (place: Place): string => `-n ${quoted(`__${program}_at ${place.path}`)}`
  const lines = places.flatMap((place) => [
    ...place.below.map(
      ({ text, description }) => `complete -c ${program} -f ${at(place)} -a ${quoted(text)} -d ${quoted(description)}`,
    ),
    ...place.operands.map((text) => `complete -c ${program} -f ${at(place)} -a ${quoted(text)}`),
    ...place.flags.map((flag) => `complete -c ${program} ${at(place)} ${fishFlag(flag)}`),
  ])
  return `# Completion of ${program} in fish: ${program} completion fish | source, in ~/.config/fish/config.fish for every shell.
function __${program}_at
  set -l place ''
  for word in (commandline -opc)[2..-1]
    switch "$place $word"
      case ${places
        .filter(({ path }) => path !== '')
        .map(({ path }) => quoted(` ${path}`))
        .join(' ')}
        set place "$place $word"
    end
  end
  test "$place" = (test -n "$argv"; and echo " $argv"; or echo '')
end
${lines.join('\n')}
`
}

function fishFlag({ names, description, takesValue: wants, choices }: Flag): string {
  const named = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  const value = wants ? [choices.length > 0 ? `-x -a ${quoted(choices.join(' '))}` : '-r'] : []
  return [...named, ...value, `-d ${quoted(description)}`].join(' ')
}

const takesValue = (flag: Flag): boolean => flag.takesValue

/** How the script writes a place while it walks the words: with a space before each word. */
const prefixed = ({ path }: Place): string => (path === '' ? '' : ` ${path}`)

function stepPatterns(places: readonly Place[]): readonly string[] {
  const patterns = places.filter(({ path }) => path !== '').map((place) => quoted(prefixed(place)))
  return [`${patterns.join(' | ')})`]
}

/** Quotes one word for any of the three shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function indent(by: number, lines: readonly string[]): string {
  return lines.map((line) => ' '.repeat(by) + line).join('\n')
}
