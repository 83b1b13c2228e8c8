/** A script with its keys and arguments, which may run later and more than once. `RevocationRetries` keeps and repeats such scripts. */
import type { RedisArgument } from './client-port.ts'
import type { RedisScript } from './script.ts'

/**
 * A script that ends sessions or deletes tokens, and that may run again at any time. A repetition ends nothing that was created after the
 * first run, with two exceptions: another process ended all sessions of the user in between, or Redis had no generation of the user at the
 * first run. Then it also ends what a later sign-in created.
 */
export interface RepeatableScript {
  readonly script: RedisScript
  readonly keys: readonly string[]
  readonly args: readonly RedisArgument[]
  /** The key that the script removes and that no writer creates again, and the user key of its owner. */
  readonly removes?: { readonly key: string; readonly owner: string }
}
