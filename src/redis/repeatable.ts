/** A step that is safe to run later and more than once. `RevocationRetries` keeps such steps. */
import type { RedisArgument } from './client-port.ts'
import type { RedisScript } from './script.ts'

/**
 * A script that may be run again at any time. It ends what it names, also when another process has ended that before. Once it has run,
 * a repetition changes nothing of a later sign-in. Two exceptions: another process has ended all sessions of the user in between, or
 * Redis had no generation of the user at the first run.
 */
export interface Repeatable {
  readonly script: RedisScript
  readonly keys: readonly string[]
  readonly args: readonly RedisArgument[]
  /** The key that the script removes and that no writer creates again, and the user key of its owner. */
  readonly removes?: { readonly key: string; readonly owner: string }
}
