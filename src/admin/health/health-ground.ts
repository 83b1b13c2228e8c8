/** What an examination stands on. `src/admin.ts` makes it; nothing is opened before it is asked for. */
import type { Environment } from '../../config/environment.ts'
import type { Options } from '../../config/types.ts'
import type { Clock } from '../../core/clock.ts'
import type { RedisSetup } from '../../redis/options.ts'
import type { ServerGround } from '../ground.ts'

export interface HealthGround {
  /** @throws {ConfigError} when there is a configuration and it cannot be read */
  readonly load: () => Promise<Options>
  readonly env: Environment
  readonly clock: Clock
  /** Makes names that nobody else has. */
  readonly nonce: () => string
  readonly fetch: typeof fetch
  /** `null`: the store lies in the memory of the application. @throws {ConfigError} */
  readonly inspect: (options: Options) => Promise<RedisSetup | null>
  /** Not connected yet. @throws {ConfigError} */
  readonly open: (options: Options) => Promise<ServerGround>
}

/** Options of `examine()`. */
export interface ExaminationOptions {
  /** Neither the provider nor the application is asked. */
  readonly offline?: boolean
  /** Canary keys are planted, and renewed where they end soon. */
  readonly canaries?: boolean
  /** Ends it early, with what was seen until then. */
  readonly signal?: AbortSignal
  /** How far it is, for people. */
  readonly seen?: (what: string) => void
}
