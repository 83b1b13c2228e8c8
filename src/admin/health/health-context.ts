/** The health context: what an examination uses. `src/app/operator-access.ts` creates it. Nothing is opened before it is needed. */
import type { Environment } from '../../config/environment.ts'
import type { Options } from '../../config/types.ts'
import type { Clock } from '../../core/clock.ts'
import type { RedisSetup } from '../../stores/redis/options.ts'
import type { ServerContext } from '../context.ts'

export interface HealthContext {
  /** @throws {ConfigError} if a configuration exists and cannot be read */
  readonly load: () => Promise<Options>
  readonly env: Environment
  readonly clock: Clock
  /** Creates unique names. */
  readonly nonce: () => string
  readonly fetch: typeof fetch
  /**
   * `null`: the store is in the memory of the application.
   * @throws {ConfigError}
   */
  readonly inspect: (options: Options) => Promise<RedisSetup | null>
  /**
   * Not connected yet.
   * @throws {ConfigError}
   */
  readonly open: (options: Options) => Promise<ServerContext>
}

/** Options of `examineHealth()`. */
export interface ExaminationOptions {
  /** Whether to skip the provider and the application. Default false. */
  readonly offline?: boolean
  /** Whether to plant canary keys, and to renew those that expire soon. They show eviction early. Default false. */
  readonly canaries?: boolean
  /** Ends the examination early. The report covers the checks that ran. */
  readonly signal?: AbortSignal
  /** Called with the progress, as a text for people. */
  readonly seen?: (what: string) => void
}
