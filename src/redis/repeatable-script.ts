/** A script with its keys and arguments, which may run later and more than once. `RevocationRetries` keeps and repeats such scripts. */
import type { RedisArgument } from './client-port.ts'
import type { RedisScript } from './script.ts'

/**
 * A script that ends sessions or deletes tokens, and that may run again at any time. A repetition ends nothing that a later sign-in created,
 * except in two cases: another process ended all sessions of the user in between, or Redis had no generation of the user at the first run.
 */
export interface RepeatableScript {
  readonly script: RedisScript
  readonly keys: readonly string[]
  readonly args: readonly RedisArgument[]
  /** The Redis key that the script removes, which no writer creates again, and the user key (a hash) of its owner. */
  readonly removes?: { readonly key: string; readonly owner: string }
}
