/** A step that is safe to run later and more than once. `RevocationRetries` keeps such steps. */
import type { RedisArgument } from './client-port.ts'
import type { RedisScript } from './script.ts'

/**
 * A script that may run again at any time. It ends what it names, even if another process has already ended it. After the first run, a
 * repetition does not affect a later sign-in. There are two exceptions: another process ended all sessions of the user in between, or Redis
 * had no generation of the user at the first run.
 */
export interface Repeatable {
  readonly script: RedisScript
  readonly keys: readonly string[]
  readonly args: readonly RedisArgument[]
  /** The key that the script removes and that no writer creates again, and the user key of its owner. */
  readonly removes?: { readonly key: string; readonly owner: string }
}
