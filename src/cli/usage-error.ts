/** The words on the command line do not do, or not in this folder: ends with exit code 2. The message says which, and what would. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
