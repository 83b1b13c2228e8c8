/**
 * Opens a drop-in and the servers of its old keys for `coatcheck migrate sessions`. The drop-in is an export of an application's module, or
 * `createDropIn()` creates it from flags. Origins and drop-ins are loaded on demand.
 */
import type { BulkOrigin, OldContext } from '../admin/adoption.ts'
import { type BulkAccess, bulkAccessOf } from './bulk-access.ts'
import { missing } from '../config/refusal.ts'
import { settingOf } from '../config/settings.ts'
import type { Options } from '../config/types.ts'
import { systemClock } from '../core/clock.ts'
import type { Duration } from '../core/duration.ts'
import { ConfigError, MisuseError } from '../core/errors.ts'
import type { Events } from '../core/events.ts'
import type { JsonObject } from '../documents/json-merge.ts'
import type { SessionStoreOptions } from './drop-in-store.ts'
import { assertApplicationOpens } from './migration-settings.ts'
import { textAt } from './bulk-users.ts'
import type { MigrationMode } from '../migrate/migration-mode.ts'
import type { StoreFactory } from '../stores/store.ts'

/** An opened bulk migration. */
export interface BulkMigration {
  /** The old records, one by one. */
  readonly origin: BulkOrigin
  /** Receives `migration.read` of the origin. */
  readonly events: Events
  /** The servers of the old keys. */
  readonly context: OldContext
  /** Closes all connections. */
  close(): Promise<void>
}

/** Formats that `createDropIn()` knows. */
export const BULK_FORMATS = ['connect-redis', 'koa-session', 'auth-js', 'better-auth', 'nextjs-auth0'] as const
/** A format that `createDropIn()` knows. */
export type BulkFormat = (typeof BULK_FORMATS)[number]

/** Drop-ins for formats that several can take. */
export const BULK_KINDS = ['express-session', 'fastify-session', 'koa-session'] as const
/** A library that takes over sessions of another store of its own. */
export type BulkKind = (typeof BULK_KINDS)[number]

/** The choices from which `createDropIn()` creates a drop-in that no module exports. */
export interface DropInChoice {
  /** Format of the old records. */
  readonly from: BulkFormat
  /** Default: the first that takes the format. */
  readonly kind?: BulkKind
  /** `read`: old keys stay. `move`: they are removed. */
  readonly mode: MigrationMode
  /** Literal beginning of the old keys. Default: the prefix of the format. */
  readonly oldPrefix?: string
  /** The Redis of the old keys. Default: the store of the options. */
  readonly oldStore?: StoreFactory
  /** Path of the user id in the data of a session, with dots, such as `passport.user`. Default: sessions have no user. */
  readonly userIdPath?: string
  /** Life of a session whose old key has no expiry. Default `24h`. */
  readonly ttl?: Duration
}

/** Returns the drop-ins among the exports of a module, by name. */
export function dropInsOf(exports: Readonly<Record<string, unknown>>): ReadonlyMap<string, BulkAccess> {
  const found = new Map<string, BulkAccess>()
  for (const [name, value] of Object.entries(exports)) {
    const access = bulkAccessOf(value)
    // A default export may be exported by its name as well.
    if (access && ![...found.values()].includes(access)) found.set(name, access)
  }
  return found
}

/**
 * Creates the drop-in as the application would.
 * @param options store, keys and prefix of the application
 * @throws {ConfigError} as the drop-in
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for a kind that does not take the format
 */
export async function createDropIn(
  { store, keys, prefix }: Pick<Options, 'store' | 'keys' | 'prefix'>,
  choice: DropInChoice,
): Promise<BulkAccess> {
  const { from, mode, oldPrefix, oldStore } = choice
  const ours = { ...(store && { store }), ...(keys !== undefined && { keys }), ...(prefix !== undefined && { prefix }) }
  const shared = { mode, ...(oldStore && { store: oldStore }) }
  const behind = oldPrefix === undefined ? {} : { prefix: oldPrefix }
  switch (from) {
    case 'connect-redis': {
      const { connectRedis } = await import('../migrate/origins/connect-redis.ts')
      return sessionsOf(choice, ours, connectRedis({ ...shared, ...behind }))
    }
    case 'koa-session': {
      const { koaSessionStore } = await import('../migrate/origins/koa-session-store.ts')
      return sessionsOf({ ...choice, kind: 'koa-session' }, ours, koaSessionStore({ ...shared, ...behind }))
    }
    case 'auth-js': {
      const { CoatcheckAdapter } = await import('./drop-ins/authjs.ts')
      const { upstashAdapter } = await import('../migrate/upstash-adapter.ts')
      const base = oldPrefix === undefined ? {} : { baseKeyPrefix: oldPrefix }
      return accessOf(CoatcheckAdapter({ ...ours, migrateFrom: upstashAdapter({ ...shared, ...base }) }))
    }
    case 'better-auth': {
      const { secondaryStorage } = await import('./drop-ins/better-auth.ts')
      const { betterAuthStorage } = await import('../migrate/better-auth.ts')
      return accessOf(secondaryStorage({ ...ours, migrateFrom: betterAuthStorage({ ...shared, ...behind }) }))
    }
    case 'nextjs-auth0': {
      if (oldPrefix === undefined) {
        throw new MisuseError(
          'COATCHECK_INVALID_ARGUMENT',
          'The old keys of nextjs-auth0 need their prefix: --old-prefix.',
        )
      }
      const { sessionDataStore } = await import('./drop-ins/nextjs-auth0.ts')
      const { auth0Store } = await import('../migrate/auth0.ts')
      const migrateFrom = auth0Store({ ...shared, keyOf: (id) => oldPrefix + id })
      return accessOf(sessionDataStore({ ...ours, migrateFrom }))
    }
  }
}

/**
 * Opens a drop-in for its old records.
 * @param options `isDryRun`: nothing will be written, so no encryption key is needed. `isConfirmed`: in the mode `move`, go on also if no process
 *   of the application has reported its keys. Default false
 * @throws {ConfigError} `COATCHECK_CONFIG_INVALID` for a drop-in without an origin that recognizes its keys, and in the mode `move` for keys that
 *   the application does not have, `COATCHECK_STORE_REQUIRED`,
 *   `COATCHECK_CONFIG_MISSING` without keys, and the errors of the drop-in
 * @throws {RedisError} during an outage
 */
export async function openBulkMigration(
  access: BulkAccess,
  { isDryRun, isConfirmed = false }: { readonly isDryRun: boolean; readonly isConfirmed?: boolean },
): Promise<BulkMigration> {
  const { origin, events } = access
  const keys = origin?.keys
  if (origin === undefined || keys === undefined) {
    const lack = origin === undefined ? 'has no migrateFrom' : `reads ${origin.name}, whose keys name no session id`
    throw new ConfigError('COATCHECK_CONFIG_INVALID', {
      message: `The store ${lack}, so it has no old records to move.`,
    })
  }
  const { server, records, ownPrefix, hasKeys, own, close } = await access.open()
  try {
    if (server === null) throw new ConfigError('COATCHECK_STORE_REQUIRED')
    if (!hasKeys && !isDryRun) throw withoutKeys()
    if (!isDryRun) await assertApplicationOpens(own, origin.mode, isConfirmed)
  } catch (error) {
    await close()
    throw error
  }
  const { name, mode } = origin
  return {
    events,
    close,
    context: { server, records, ownPrefix, clock: systemClock },
    origin: {
      ...{ name, mode, keyPrefix: keys.prefix },
      familyOf: (key) => keys.familyOf(key),
      isReadable: (key, { text }) => keys.isReadable(key, text),
      endOf: (key, { text }) => keys.endOf?.(key, text) ?? null,
      adopt: (key) => access.adopt(keys.idOf(key)),
    },
  }
}

async function sessionsOf(
  { kind = 'express-session', userIdPath, ttl }: DropInChoice,
  ours: Pick<SessionStoreOptions, 'store' | 'keys' | 'prefix'>,
  migrateFrom: NonNullable<SessionStoreOptions['migrateFrom']>,
): Promise<BulkAccess> {
  const { createDropInSessions } = await import('./drop-in-store.ts')
  const path = userIdPath?.split('.')
  return createDropInSessions(kind, {
    ...ours,
    migrateFrom,
    ...(ttl !== undefined && { ttl }),
    ...(path && { userId: (data: JsonObject) => textAt(data, path) }),
  }).bulk
}

function accessOf(dropIn: object): BulkAccess {
  return bulkAccessOf(dropIn) as BulkAccess
}

function withoutKeys(): ConfigError {
  return missing(settingOf('', 'keys'), {
    why: 'Only with the keys of the application can it read what is moved.',
    fix: 'Set COATCHECK_KEYS to the value that the application has.',
  })
}
