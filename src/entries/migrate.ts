/** `coatcheck/migrate`: what reads the sessions and tokens of another library while an application moves to Coatcheck. */
import '../core/node-version.ts'

export { fromAuth0, type Auth0BridgeOptions, type Auth0SessionStore } from '../migrate/bridges/from-auth0.ts'
export type { Auth0OldSession } from '../migrate/bridges/auth0-session.ts'
export {
  type AuthJsAdapter,
  type AuthJsDatabaseBridgeOptions,
  type AuthJsDatabaseSession,
  type AuthJsJwtBridgeOptions,
  type AuthJsToken,
  fromAuthJs,
} from '../migrate/bridges/from-authjs.ts'
export {
  type BetterAuthBridgeOptions,
  type BetterAuthSession,
  type BetterAuthStorage,
  fromBetterAuth,
} from '../migrate/bridges/from-better-auth.ts'
export {
  type ExpressSessionBridgeOptions,
  fromExpressSession,
  type StoredSession,
} from '../migrate/bridges/from-express-session.ts'
export { type FastifySessionBridgeOptions, fromFastifySession } from '../migrate/bridges/from-fastify-session.ts'
export { fromIronSession, type IronSessionBridgeOptions } from '../migrate/bridges/from-iron-session.ts'
export type {
  CallbackSessionStore,
  OldSession,
  OldSessionOrigin,
  OldSessionRead,
  OldSessionsContext,
  OldSessions,
} from '../migrate/bridges/old-sessions.ts'
export type { AdoptedUser, BridgeOptions } from '../migrate/bridges/options.ts'
export type {
  Adopted,
  AdoptingRequest,
  AttachedBridge,
  BridgeContext,
  BridgeStores,
  CookieBridge,
} from '../migrate/cookie-bridge.ts'
export type {
  OldRecord,
  OldRecordChanged,
  OldRecordDone,
  OldRecordDriver,
  OldRecordWritten,
} from '../migrate/old-record-driver.ts'
export type { MigrationMode } from '../migrate/migration-mode.ts'
export type { SessionOrigin } from '../migrate/session-origin.ts'
export type { OriginOptions } from '../migrate/origin-options.ts'
export { connectRedis, type ConnectRedisOptions } from '../migrate/origins/connect-redis.ts'
export { koaSessionStore, type KoaSessionStoreOptions } from '../migrate/origins/koa-session-store.ts'
export { jsonSessions, type JsonSessionsOptions } from '../migrate/origins/json-sessions.ts'
export { auth0Store, type Auth0Origin, type Auth0StoreOptions } from '../migrate/auth0.ts'
export { betterAuthStorage, type BetterAuthOrigin, type BetterAuthStorageOptions } from '../migrate/better-auth.ts'
export type { Origin, OriginDeps } from '../migrate/origin.ts'
export { upstashAdapter, type AuthJsOrigin, type UpstashAdapterOptions } from '../migrate/upstash-adapter.ts'
export type { UpstashPrefixes } from '../migrate/upstash-records.ts'
export { msalCache, type MsalCacheOptions, type MsalOrigin } from '../migrate/msal-cache.ts'
export { fromMsal, type FromMsalOptions, type MsalCacheAccount } from '../migrate/tokens/from-msal.ts'
export { fromGuideTokens, type FromGuideTokensOptions } from '../migrate/tokens/from-guide-tokens.ts'
export {
  type BetterAuthAccount,
  fromAuthJsAccounts,
  type FromAuthJsAccountsOptions,
  fromBetterAuthAccounts,
  type FromBetterAuthAccountsOptions,
} from '../migrate/tokens/from-accounts.ts'
export type { AdoptionOutcome, TokenAdoption, TokenOrigin, TokenOriginOptions } from '../migrate/tokens/token-origin.ts'
