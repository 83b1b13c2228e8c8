/** `coatcheck/migrate`: what reads the sessions and tokens of another library while an application moves to Coatcheck. */
import './core/node-version.ts'

export type { OldRecord, OldRecordDriver, OldRecordWritten } from './migrate/old-record-driver.ts'
export type { MigrationMode, SessionOrigin } from './migrate/session-origin.ts'
export type { OriginOptions } from './migrate/sessions/create-origin.ts'
export { connectRedis, type ConnectRedisOptions } from './migrate/origins/connect-redis.ts'
export { koaSessionStore, type KoaSessionStoreOptions } from './migrate/origins/koa-session-store.ts'
export { jsonSessions, type JsonSessionsOptions } from './migrate/origins/json-sessions.ts'
