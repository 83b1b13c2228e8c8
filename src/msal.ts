/**
 * `coatcheck/msal`: a cache plugin for `@azure/msal-node` 5 to 7 in place of its `DistributedCachePlugin`: a partition per user,
 * sealed, with a life, merged instead of overwritten. See docs/msal.md for what MSAL's contract cannot give.
 */
import './core/node-version.ts'
import { createMsalCachePlugin, type Partitions } from './adapters/msal/cache-plugin.ts'
import type { MsalAccount, MsalCachePlugin, MsalPartitionManager } from './adapters/msal/types.ts'
import { checkShape } from './config/shape.ts'
import { systemClock } from './core/clock.ts'
import type { Duration } from './core/duration.ts'
import { EventBus, type Events } from './core/events.ts'
import { createHosted, type HostedOptions } from './hosted.ts'
import { createTokenCodec } from './token/token-codec.ts'

export type {
  MsalAccount,
  MsalCacheContext,
  MsalCachePlugin,
  MsalPartitionManager,
  MsalTokenCache,
} from './adapters/msal/types.ts'

/** Options of `msalCachePlugin()`. */
export interface MsalCachePluginOptions extends HostedOptions {
  /**
   * Whose cache is used: a text for one partition, a function that tells the user's home account id of the request under way
   * (`null` or empty: nobody yet), or the partition manager of MSAL's own plugin.
   */
  readonly partition: string | (() => string | null | Promise<string | null>) | MsalPartitionManager
  /** How long a partition with a refresh token is kept without a change. Default `90d`. */
  readonly grantLifetime?: Duration
}

/** Ready to be handed to `new ConfidentialClientApplication({ cache: { cachePlugin } })`. */
export interface CoatcheckMsalPlugin extends MsalCachePlugin {
  /** Events of this plugin. */
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
  const { grantLifetime } = options
  const hosted = createHosted(
    { ...options, ...(grantLifetime !== undefined && { tokens: { grantLifetime } }) },
    events,
    ({ keyring, seal, store }, config) =>
      createMsalCachePlugin({
        driver: store.tokens,
        codec: createTokenCodec(seal, config.prefix),
        userKeyOf: (partition) => keyring.userKey(`msal ${partition}`),
        partitions: partitionsOf(options.partition),
        grantLifetimeMs: config.tokens.grantLifetimeMs,
        clock: systemClock,
        events,
      }),
  )
  return {
    events,
    // async: MSAL wants promises, also for errors of the configuration
    beforeCacheAccess: async (context) => (await hosted.open()).beforeCacheAccess(context),
    afterCacheAccess: async (context) => (await hosted.open()).afterCacheAccess(context),
    close: hosted.close,
  }
}

function partitionsOf(partition: MsalCachePluginOptions['partition']): Partitions {
  const byAccount = (account: MsalAccount): Promise<string> => Promise.resolve(account.homeAccountId)
  if (typeof partition === 'string') {
    return { current: () => Promise.resolve(partition), ofAccount: () => Promise.resolve(partition) }
  }
  if (typeof partition === 'function') return { current: async () => partition(), ofAccount: byAccount }
  return { current: () => partition.getKey(), ofAccount: (account) => partition.extractKey(account as never) }
}
