/**
 * `coatcheck/nextjs-auth0`: a `sessionStore` for @auth0/nextjs-auth0 4. It hashes ids and seals values. `update` never stores an ended session
 * again, and `deleteByLogoutToken` also ends sessions that are being stored. See docs/nextjs-auth0.md. This module does not load the SDK.
 */
import {
  type Auth0Session,
  createSessionDataStore,
  type SessionDataStore,
  sessionLife,
  sessionSets,
} from '../../drop-ins/session-data-store.ts'
import { bulkAccess, withBulkAccess } from '../bulk-access.ts'
import { ownOptions } from '../../config/shape.ts'
import { systemClock } from '../../core/clock.ts'
import { type Duration, parseDurationMs } from '../../core/duration.ts'
import { EventBus, type Events } from '../../core/events.ts'
import { createDocuments } from '../../documents/documents.ts'
import { linkedJson } from '../../documents/linked-json.ts'
import { createDropInRuntime, documentDeps, type DropInOptions } from '../drop-in-runtime.ts'
import { originDeps } from '../drop-in-origin.ts'
import type { Auth0Origin } from '../../migrate/auth0.ts'

export type { Auth0LogoutToken, Auth0Session, SessionDataStore } from '../../drop-ins/session-data-store.ts'

const DAY_MS = 86_400_000

/** Options of `sessionDataStore()`. */
export interface SessionDataStoreOptions extends DropInOptions {
  /** Must equal `session.absoluteDuration` of the SDK, which does not pass it to its store. Default `3d`, as in the SDK. */
  readonly absoluteDuration?: Duration
  /** Must equal `session.inactivityDuration` of the SDK. `rolling: false` turns it off. Default `1d`, as in the SDK. */
  readonly inactivityDuration?: Duration
  /** Must equal `session.rolling` of the SDK. `false`: only `absoluteDuration` ends a session. Default `true`, as in the SDK. */
  readonly rolling?: boolean
  /** The keys of an earlier session store: `auth0Store()` of `coatcheck/migrate`. Default: none are read. */
  readonly migrateFrom?: Auth0Origin
}

/** The store for `new Auth0Client({ sessionStore })`. Its methods reject with a `RedisError` during an outage. */
export interface CoatcheckSessionDataStore extends SessionDataStore {
  /** The events of this store. */
  readonly events: Events
  /** Closes the connection. Calls afterwards are refused with `COATCHECK_CLOSED`. */
  close(): Promise<void>
}

/**
 * Creates a session store for @auth0/nextjs-auth0 4. It checks the shapes of the options; environment, keys and connection wait for the
 * first use.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
 */
export function sessionDataStore(options: SessionDataStoreOptions = {}): CoatcheckSessionDataStore {
  options = ownOptions('sessionDataStore()', options)
  const events = new EventBus()
  const lives = {
    absoluteMs: parseDurationMs(options.absoluteDuration) ?? 3 * DAY_MS,
    inactivityMs: parseDurationMs(options.inactivityDuration) ?? DAY_MS,
    isRolling: options.rolling ?? true,
  }
  const { migrateFrom: origin } = options
  const dropIn = createDropInRuntime(options, events, async (runtime, config, closing) => {
    const documents = createDocuments<Auth0Session>(documentDeps(runtime, config, events), 'nextjs-auth0', linkedJson())
    const make = (all: typeof documents): SessionDataStore => createSessionDataStore(all, lives, systemClock)
    if (!origin) return make(documents)
    return origin.attach({
      ...(await originDeps(origin, runtime, config, events, closing)),
      ...{ documents, make, lifeOf: sessionLife(lives, systemClock), setsOf: sessionSets(documents) },
    })
  })
  const { open, close } = dropIn
  const dataStore: CoatcheckSessionDataStore = {
    events,
    close,
    get: async (id) => (await open()).get(id),
    set: async (id, session) => (await open()).set(id, session),
    update: async (id, session) => (await open()).update(id, session),
    delete: async (id) => (await open()).delete(id),
    deleteByLogoutToken: async (token) => (await open()).deleteByLogoutToken(token),
    listByUser: async (sub) => (await open()).listByUser(sub),
    revoke: async (id) => (await open()).revoke(id),
    revokeByUser: async (sub, other) => (await open()).revokeByUser(sub, other),
    idOf: async (id) => (await open()).idOf(id),
  }
  return withBulkAccess(dataStore, bulkAccess(dropIn, { origin, events, adopt: (made, id) => made.get(id) }))
}
