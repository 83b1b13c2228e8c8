/** The command line is wrong, or does not fit this folder. Exits with code 2. The message says what is wrong and what would work. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
