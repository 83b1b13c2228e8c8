/** The command line that does what a look has announced: the same command with its flags, and `--write`. */

/** Characters that no shell treats as its own. */
const PLAIN = /^[\w@%+=:,./-]+$/

/** Flags of a look that a run does not take. */
const OF_THE_LOOK = new Set(['dryRun', 'json', 'write'])

/**
 * @param command such as `migrate tokens`
 * @param flags as commander names them: `oldKey`. No flag holds a secret: the command line refuses URLs with passwords
 * @param more flags that the run needs, in place of those of the look
 */
export function nextCommand(
  command: string,
  flags: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, string>> = {},
): string {
  const words = Object.entries({ ...flags, ...more }).flatMap(([name, value]) => {
    if (OF_THE_LOOK.has(name)) return []
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    if (typeof value === 'boolean') return value ? (name === 'users' ? [] : [`--${flag}`]) : [`--no-${flag}`]
    return typeof value === 'string' ? [`--${flag} ${quoted(value)}`] : []
  })
  return ['npx coatcheck', command, ...words, '--write'].join(' ')
}

function quoted(value: string): string {
  return PLAIN.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`
}
