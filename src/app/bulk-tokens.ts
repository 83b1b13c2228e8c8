/**
 * Opens an origin of tokens and the application's store for `coatcheck migrate tokens`: to count the old keys, or to adopt the tokens. For MSAL
 * it creates the cache plugin that takes over the caches of an earlier plugin.
 */
import type { BulkOrigin, OldContext } from '../admin/adoption.ts'
import { type BulkAccess, bulkAccessOf } from './bulk-access.ts'
import { processEnvironment, variable } from '../config/environment.ts'
import { missing } from '../config/refusal.ts'
import { resolveProviders } from '../config/resolve-providers.ts'
import { settingOf } from '../config/settings.ts'
import type { Options } from '../config/types.ts'
import { configuredKeys } from './configured-keys.ts'
import { systemClock } from '../core/clock.ts'
import { ConfigError, MisuseError } from '../core/errors.ts'
import { EventBus } from '../core/events.ts'
import type { MigrationMode } from '../migrate/migration-mode.ts'
import type { TokenAdoption, TokenOrigin } from '../migrate/tokens/token-origin.ts'
import { createKeyring } from '../keyring/keyring.ts'
import { leaveUncounted } from './drop-in-origin.ts'
import { assertApplicationOpens } from './migration-settings.ts'
import { openServer } from './operator-access.ts'
import { serverOf } from '../stores/redis/operator-view.ts'
import type { Store, StoreFactory } from '../stores/store.ts'
import { resolveProvider } from '../token/token-target.ts'

/** The old keys of an origin, opened to be counted. */
export interface OldTokens {
  /** The old keys, one by one. */
  readonly origin: Omit<BulkOrigin, 'adopt'>
  /** The servers of the old keys. */
  readonly admin: OldContext
  /** Closes the store of the origin, if it has its own. */
  close(): Promise<void>
}

/** The tokens of a run. */
export interface TokenMigration {
  /** Adopts one user, or all. */
  readonly adoption: TokenAdoption
  /** The name under which the application stores and finds the tokens. */
  readonly provider: string
  /** Closes all connections. */
  close(): Promise<void>
}

/** Returns the origins of tokens among the exports of a module, by name. */
export function tokenOriginsOf(exports: Readonly<Record<string, unknown>>): ReadonlyMap<string, TokenOrigin> {
  const found = new Map<string, TokenOrigin>()
  for (const [name, value] of Object.entries(exports)) {
    if (isTokenOrigin(value) && ![...found.values()].includes(value)) found.set(name, value)
  }
  return found
}

function isTokenOrigin(value: unknown): value is TokenOrigin {
  return typeof value === 'object' && value !== null && (value as Partial<TokenOrigin>).kind === 'tokens'
}

/** Where the tokens of the Redis setup guide's `TokenCache` are. */
export interface GuideTokensChoice {
  /** The old key, with `<id>` for the user id. Default `user:<id>:tokens`. */
  readonly key?: string
  /** `read` leaves the old values. `move` removes each one that was adopted. */
  readonly mode: 'read' | 'move'
  /** The store of the old keys. Default: the store of the application. */
  readonly store?: StoreFactory
}

/** Returns the origin of the tokens that the Redis setup guide's `TokenCache` stored. */
export async function guideTokens(choice: GuideTokensChoice): Promise<TokenOrigin> {
  const { fromGuideTokens } = await import('../migrate/tokens/from-guide-tokens.ts')
  const { key, mode, store } = choice
  return fromGuideTokens({
    mode,
    ...(store && { store }),
    ...(key !== undefined && { keyOf: (userId: string) => key.replaceAll('<id>', userId) }),
  })
}

/** Where the caches of an earlier plugin of MSAL Node are. */
export interface MsalCacheChoice {
  /** The old key, with `<id>` for the partition: what the option `partition` of the plugin returns. */
  readonly key: string
  /** `read`: old keys stay. `move`: they are removed. */
  readonly mode: MigrationMode
  /** The Redis of the old keys. Default: the store of the options. */
  readonly store?: StoreFactory
}

/**
 * Creates the cache plugin as the application would.
 * @param options store, keys and prefix of the application
 * @throws {ConfigError} as the plugin
 */
export async function createMsalCache(
  { store, keys, prefix }: Pick<Options, 'store' | 'keys' | 'prefix'>,
  choice: MsalCacheChoice,
): Promise<BulkAccess> {
  const [{ msalCachePlugin }, { msalCache }] = await Promise.all([
    import('./drop-ins/msal.ts'),
    import('../migrate/msal-cache.ts'),
  ])
  const keyOf = (partition: string): string => choice.key.replaceAll('<id>', partition)
  const migrateFrom = msalCache({ keyOf, mode: choice.mode, ...(choice.store && { store: choice.store }) })
  const ours = { ...(store && { store }), ...(keys !== undefined && { keys }), ...(prefix !== undefined && { prefix }) }
  return bulkAccessOf(msalCachePlugin({ ...ours, migrateFrom, partition: () => null })) as BulkAccess
}

/**
 * Opens the old keys of an origin.
 * @param store the store of the application, used if the origin has none
 * @returns `null`: the names of the old keys do not identify them
 */
export async function openOldTokens(origin: TokenOrigin, store: Store, prefix: string): Promise<OldTokens | null> {
  const { name, keys } = origin
  if (keys === undefined) return null
  const context = { prefix, loopback: true, clock: systemClock, events: new EventBus() }
  const other = origin.store?.open(context)
  const of = other ?? store
  await of.ready()
  const server = serverOf(of)
  if (server === null) throw new ConfigError('COATCHECK_STORE_REQUIRED')
  return {
    admin: { server, records: await of.oldRecords(), ownPrefix: prefix, clock: systemClock },
    origin: {
      ...{ name, mode: 'read', keyPrefix: keys.prefix },
      familyOf: (key) => keys.familyOf(key),
      isReadable: (key, { text }) => keys.isReadable(key, text),
      endOf: () => null,
    },
    close: async () => other?.close(),
  }
}

/**
 * Opens the application's tokens for a run.
 * @param options those of the application
 * @param confirmation `isConfirmed`: in the mode `move`, go on also if no process of the application has reported its keys. Default false
 * @throws {ConfigError} `COATCHECK_CONFIG_MISSING` without keys, `COATCHECK_CONFIG_INVALID` in the mode `move` for keys that the application does
 *   not have, and the errors of the options
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` if neither the origin nor the options name the provider of the tokens
 * @throws {RedisError} during an outage
 */
export async function openTokenMigration(
  options: Options,
  origin: TokenOrigin,
  { isConfirmed = false }: { readonly isConfirmed?: boolean } = {},
): Promise<TokenMigration> {
  const provider = providerOf(options, origin)
  const keys = configuredKeys(options)
  if (keys.length === 0) {
    throw missing(settingOf('', 'keys'), {
      why: 'Only with the keys of the application can it read what is moved.',
      fix: 'Set COATCHECK_KEYS to the value that the application has.',
    })
  }
  await assertOpenable(options, keys, origin.mode, isConfirmed)
  const { coatcheckOfOperator } = await import('./coatcheck.ts')
  const hasBaseUrl = options.baseUrl !== undefined || variable(processEnvironment(), 'COATCHECK_BASE_URL') !== undefined
  // This process answers no request, so any base URL will do.
  const auth = coatcheckOfOperator(hasBaseUrl ? options : { ...options, baseUrl: 'https://application.invalid' })
  leaveUncounted(auth.events)
  try {
    await auth.ready()
    return { adoption: auth.tokens.adopt(origin), provider, close: () => auth.close() }
  } catch (error) {
    await auth.close()
    throw error
  }
}

async function assertOpenable(
  options: Options,
  keys: readonly string[],
  mode: MigrationMode,
  isConfirmed: boolean,
): Promise<void> {
  const { store, close } = await openServer(options)
  try {
    await assertApplicationOpens({ store, keyring: createKeyring(keys), isLocal: false }, mode, isConfirmed)
  } finally {
    await close()
  }
}

/** An application without this name would look for the tokens under another one, and not find them. */
function providerOf({ providers = [] }: Options, origin: TokenOrigin): string {
  if (origin.provider === undefined && providers.length === 0) {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      `It is unknown which provider issued the tokens of ${origin.name}. Nothing was read or changed.`,
      {
        why: 'Coatcheck stores tokens under the name of their provider. Under another name, the application does not find them.',
        fix: 'Name the provider as the application does, for example --provider entra, or list the providers in coatcheck.config. For tokens that no provider of the application issued, the name is "default".',
      },
    )
  }
  return resolveProvider(
    resolveProviders(providers, processEnvironment()).map(({ name }) => name),
    origin.provider === undefined ? {} : { provider: origin.provider },
  )
}
