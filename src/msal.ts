/**
 * `coatcheck/msal`: a cache plugin for `@azure/msal-node` 5 to 7 in place of its `DistributedCachePlugin`: a partition per user,
 * sealed, with a life, merged instead of overwritten. See docs/msal.md for what MSAL's contract cannot give.
 */
import { createMsalCachePlugin, type Partitions } from './adapters/msal/cache-plugin.ts'
import type { MsalAccount, MsalCachePlugin, MsalPartitionManager } from './adapters/msal/types.ts'
import { type Environment, processEnvironment, variable } from './config/environment.ts'
import { resolveConfig } from './config/resolve.ts'
import { checkShape } from './config/shape.ts'
import type { ResolvedConfig } from './config/types.ts'
import { systemClock } from './core/clock.ts'
import type { Duration } from './core/duration.ts'
import { EventBus, type Events } from './core/events.ts'
import { type FoundationUse, useFoundation } from './foundation.ts'
import type { StoreFactory } from './store.ts'
import { createTokenCodec } from './token/token-codec.ts'

export type {
  MsalAccount,
  MsalCacheContext,
  MsalCachePlugin,
  MsalPartitionManager,
  MsalTokenCache,
} from './adapters/msal/types.ts'

export interface MsalCachePluginOptions {
  /**
   * Whose cache is used: a text for one partition, a function that tells the user's home account id of the request under way
   * (`null` or empty: nobody yet), or the partition manager of MSAL's own plugin.
   */
  readonly partition: string | (() => string | null | Promise<string | null>) | MsalPartitionManager
  /** Default: `REDIS_URL` decides; without it memory, outside of production. */
  readonly store?: StoreFactory
  /** `COATCHECK_KEYS`. */
  readonly keys?: string | readonly string[] | undefined
  /** `REDIS_PREFIX`. */
  readonly prefix?: string
  /** How long a partition with a refresh token is kept without a change. Default `90d`. */
  readonly grantLifetime?: Duration
}

/** Ready to be handed to `new ConfidentialClientApplication({ cache: { cachePlugin } })`. */
export interface CoatcheckMsalPlugin extends MsalCachePlugin {
  readonly events: Events
  /** Ends its connection. */
  close(): Promise<void>
}

/**
 * Shapes are checked at once; environment, keys and connection wait for the first use. Its methods reject with a `RedisError`
 * while the store is away, a `TokenError` `COATCHECK_TOKEN_CONFLICT` after 16 lost races, and what a configuration error says.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
 */
export function msalCachePlugin(options: MsalCachePluginOptions): CoatcheckMsalPlugin {
  checkShape('msalCachePlugin()', options)
  const events = new EventBus()
  let opening: Promise<{ readonly plugin: MsalCachePlugin; readonly use: FoundationUse }> | null = null

  const open = async (): Promise<{ readonly plugin: MsalCachePlugin; readonly use: FoundationUse }> => {
    const env = processEnvironment()
    const config = configOf(options, env)
    const use = await useFoundation(config, events, env)
    const { keyring, seal, store } = use.foundation
    const plugin = createMsalCachePlugin({
      driver: store.tokens,
      codec: createTokenCodec(seal, config.prefix),
      userKeyOf: (partition) => keyring.userKey(`msal ${partition}`),
      partitions: partitionsOf(options.partition),
      grantLifetimeMs: config.tokens.grantLifetimeMs,
      clock: systemClock,
      events,
    })
    return { plugin, use }
  }
  const opened = (): Promise<{ readonly plugin: MsalCachePlugin; readonly use: FoundationUse }> => {
    // A failure is not kept: whoever comes next tries again.
    opening ??= open().catch((error: unknown) => {
      opening = null
      throw error
    })
    return opening
  }

  return {
    events,
    // async: MSAL wants promises, also for errors of the configuration
    beforeCacheAccess: async (context) => (await opened()).plugin.beforeCacheAccess(context),
    afterCacheAccess: async (context) => (await opened()).plugin.afterCacheAccess(context),
    async close() {
      const { use } = (await opening?.catch(() => null)) ?? {}
      await use?.release()
    },
  }
}

/** MSAL's applications have no base URL of ours: what it decides (are relaxations allowed?) follows from what is configured. */
function configOf(options: MsalCachePluginOptions, env: Environment): ResolvedConfig<object> {
  const { store, keys, prefix, grantLifetime } = options
  const hasKeys = keys !== undefined || variable(env, 'COATCHECK_KEYS') !== undefined
  const hasRedis = store ? store.kind === 'redis' : variable(env, 'REDIS_URL') !== undefined
  const isProduction = variable(env, 'NODE_ENV') === 'production'
  return resolveConfig(
    {
      ...(store && { store }),
      ...(keys !== undefined && { keys }),
      ...(prefix !== undefined && { prefix }),
      ...(grantLifetime !== undefined && { tokens: { grantLifetime } }),
      baseUrl: isProduction || (hasKeys && hasRedis) ? 'https://application.invalid' : 'http://localhost',
    },
    env,
  )
}

function partitionsOf(partition: MsalCachePluginOptions['partition']): Partitions {
  const byAccount = (account: MsalAccount): Promise<string> => Promise.resolve(account.homeAccountId)
  if (typeof partition === 'string') {
    return { current: () => Promise.resolve(partition), ofAccount: () => Promise.resolve(partition) }
  }
  if (typeof partition === 'function') return { current: async () => partition(), ofAccount: byAccount }
  return { current: () => partition.getKey(), ofAccount: (account) => partition.extractKey(account as never) }
}
