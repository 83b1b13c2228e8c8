/**
 * The parts of the cache plugin contract of `@azure/msal-node` 5 to 7 that are used, typed by shape: an application brings its own copy of
 * MSAL, and this package loads none.
 */

/** `ISerializableTokenCache`. */
export interface MsalTokenCache {
  /** Returns the whole cache as JSON. */
  serialize(): string
  /** Replaces the whole cache by JSON. */
  deserialize(cache: string): void
}

/** `TokenCacheContext`: one object for the two calls that belong together. */
export interface MsalCacheContext {
  /** Whether MSAL changed the cache since it was read. */
  readonly cacheHasChanged: boolean
  /** The cache that MSAL is about to use, or has used. */
  readonly tokenCache: MsalTokenCache
}

/** `ICachePlugin`. */
export interface MsalCachePlugin {
  /** MSAL calls it before it reads its cache: the partition is loaded. */
  beforeCacheAccess(context: MsalCacheContext): Promise<void>
  /** MSAL calls it after it used its cache: changes are merged into the store. */
  afterCacheAccess(context: MsalCacheContext): Promise<void>
}

/** The fields of MSAL's account that identify a partition. */
export interface MsalAccount {
  /** Id of the account over all tenants: object id and tenant id. */
  readonly homeAccountId: string
  /** Host name of the authority. */
  readonly environment: string
  /** Id of the account within its tenant. */
  readonly localAccountId: string
  /** Name that the user signs in with. */
  readonly username: string
  /** Tenant. */
  readonly realm: string
}

/** `IPartitionManager` of MSAL's own distributed plugin. */
export interface MsalPartitionManager {
  /** Returns the partition key of the user whose cache MSAL is about to use; empty if no user is signed in yet. */
  getKey(): Promise<string>
  /** Returns the partition key of an account. */
  extractKey(account: never): Promise<string>
}
