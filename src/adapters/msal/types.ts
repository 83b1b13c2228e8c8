/**
 * The cache plugin contract of `@azure/msal-node` 5 to 7, as far as it is used, typed by shape: an application brings its own
 * copy of MSAL, and this package loads none.
 */

/** `ISerializableTokenCache`. */
export interface MsalTokenCache {
  serialize(): string
  deserialize(cache: string): void
}

/** `TokenCacheContext`: one object for the two calls that belong together. */
export interface MsalCacheContext {
  readonly cacheHasChanged: boolean
  readonly tokenCache: MsalTokenCache
}

/** `ICachePlugin`. */
export interface MsalCachePlugin {
  beforeCacheAccess(context: MsalCacheContext): Promise<void>
  afterCacheAccess(context: MsalCacheContext): Promise<void>
}

/** What of MSAL's account names a partition. */
export interface MsalAccount {
  readonly homeAccountId: string
  readonly environment: string
  readonly localAccountId: string
  readonly username: string
  /** Tenant. */
  readonly realm: string
}

/** `IPartitionManager` of MSAL's own distributed plugin. */
export interface MsalPartitionManager {
  /** Whose cache is about to be used; empty when nobody is signed in yet. */
  getKey(): Promise<string>
  /** Where an account's cache lies. */
  extractKey(account: never): Promise<string>
}
