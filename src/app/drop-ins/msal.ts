/**
 * `coatcheck/msal`: a cache plugin for `@azure/msal-node` 5 to 7 that replaces its `DistributedCachePlugin`. Each user has a sealed partition
 * with a TTL, and changes are merged instead of overwritten. docs/msal.md lists the limits of MSAL's contract.
 */
import { createApplicationMemory } from '../../drop-ins/msal/application-memory.ts'
import { createMsalCachePlugin, type Partitions } from '../../drop-ins/msal/cache-plugin.ts'
import { createPartitionStore } from '../../drop-ins/msal/partition-store.ts'
import type { MsalAccount, MsalCachePlugin, MsalPartitionManager } from '../../drop-ins/msal/types.ts'
import { bulkAccess, withBulkAccess } from '../bulk-access.ts'
import { ownOptions } from '../../config/shape.ts'
import { systemClock } from '../../core/clock.ts'
import type { Duration } from '../../core/duration.ts'
import { EventBus, type Events } from '../../core/events.ts'
import { createDropInRuntime, type DropInOptions } from '../drop-in-runtime.ts'
import { originDeps } from '../drop-in-origin.ts'
import type { MsalOrigin } from '../../migrate/msal-cache.ts'
import { createTokenCodec } from '../../token/token-codec.ts'

export type {
  MsalAccount,
  MsalCacheContext,
  MsalCachePlugin,
  MsalPartitionManager,
  MsalTokenCache,
} from '../../drop-ins/msal/types.ts'

/** Options of `msalCachePlugin()`. */
export interface MsalCachePluginOptions extends DropInOptions {
  /**
   * Selects the cache of a user: a fixed name, a function that returns the home account id of the current request (`null` or empty: no
   * user yet), or a partition manager of MSAL.
   */
  readonly partition: string | (() => string | null | Promise<string | null>) | MsalPartitionManager
  /** How long a partition with a refresh token is kept without a change. At most 3,650 days. Default `90d`. */
  readonly grantLifetime?: Duration
  /** The keys of an earlier cache plugin: `msalCache()` of `coatcheck/migrate`. Default: none are read. */
  readonly migrateFrom?: MsalOrigin
}

/** The plugin for `new ConfidentialClientApplication({ cache: { cachePlugin } })`. */
export interface CoatcheckMsalPlugin extends MsalCachePlugin {
  /** The events of this plugin. */
  readonly events: Events
  /** Closes the connection. Calls afterwards are refused with `COATCHECK_CLOSED`. */
  close(): Promise<void>
}

/**
 * Creates a cache plugin for `@azure/msal-node`. It checks the shapes of the options; environment, keys and connection wait for the first
 * use. Its methods reject with a `RedisError` during an outage, with `COATCHECK_TOKEN_CONFLICT` after 16 lost races, and with a
 * `ConfigError` when a setting is missing.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
 */
export function msalCachePlugin(options: MsalCachePluginOptions): CoatcheckMsalPlugin {
  options = ownOptions('msalCachePlugin()', options)
  const events = new EventBus()
  const { grantLifetime, migrateFrom: origin } = options
  const dropIn = createDropInRuntime(
    { ...options, ...(grantLifetime !== undefined && { tokens: { grantLifetime } }) },
    events,
    async (runtime, config, closing) => {
      const { keyring, seal, store } = runtime
      const partitions = createPartitionStore({
        driver: store.tokens,
        codec: createTokenCodec(seal, config.prefix),
        userKeyOf: (partition) => keyring.userKey(`msal ${partition}`),
        grantLifetimeMs: config.tokens.grantLifetimeMs,
        clock: systemClock,
        events,
      })
      const old = origin && (await originDeps(origin, runtime, config, events, closing))
      const of = old ? origin.attach({ ...old, partitions }) : partitions
      const plugin = createMsalCachePlugin({
        store: of,
        memory: createApplicationMemory(() => systemClock.now()),
        partitions: partitionsOf(options.partition),
      })
      return { ...plugin, partitions: of }
    },
  )
  const cachePlugin: CoatcheckMsalPlugin = {
    events,
    // async: MSAL wants promises, also for errors of the configuration
    beforeCacheAccess: async (context) => (await dropIn.open()).beforeCacheAccess(context),
    afterCacheAccess: async (context) => (await dropIn.open()).afterCacheAccess(context),
    close: dropIn.close,
  }
  return withBulkAccess(
    cachePlugin,
    bulkAccess(dropIn, {
      ...{ origin, events },
      adopt: async ({ partitions }, partition) => (await partitions.read(partition)).text,
    }),
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
