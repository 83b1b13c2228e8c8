/**
 * `coatcheck/nextjs-auth0`: a `sessionStore` for @auth0/nextjs-auth0 4: ids hashed, values sealed, `update` and
 * `deleteByLogoutToken` that a session under way cannot get past. See docs/nextjs-auth0.md. The SDK is not loaded from here.
 */
import './core/node-version.ts'
import {
  type Auth0Session,
  createSessionDataStore,
  type SessionDataStore,
} from './adapters/hosts/session-data-store.ts'
import { checkShape } from './config/shape.ts'
import { systemClock } from './core/clock.ts'
import { type Duration, parseDurationMs } from './core/duration.ts'
import { EventBus, type Events } from './core/events.ts'
import { createDocuments } from './documents/documents.ts'
import { createHosted, documentDeps, type HostedOptions } from './hosted.ts'

export type { Auth0LogoutToken, Auth0Session, SessionDataStore } from './adapters/hosts/session-data-store.ts'

const DAY_MS = 86_400_000

/** Options of `sessionDataStore()`. */
export interface SessionDataStoreOptions extends HostedOptions {
  /** The same as `session.absoluteDuration` of the SDK, which does not tell its store. Default `3d`, as there. */
  readonly absoluteDuration?: Duration
  /** The same as `session.inactivityDuration` of the SDK. Default `1d`, as there. */
  readonly inactivityDuration?: Duration
}

/** Ready to be handed to `new Auth0Client({ sessionStore })`. */
export interface CoatcheckSessionDataStore extends SessionDataStore {
  /** Events of this store. */
  readonly events: Events
  /** Ends its connection. */
  close(): Promise<void>
}

/** @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`: shapes only */
export function sessionDataStore(options: SessionDataStoreOptions = {}): CoatcheckSessionDataStore {
  checkShape('sessionDataStore()', options)
  const events = new EventBus()
  const lives = {
    absoluteMs: parseDurationMs(options.absoluteDuration) ?? 3 * DAY_MS,
    inactivityMs: parseDurationMs(options.inactivityDuration) ?? DAY_MS,
  }
  const { open, close } = createHosted(options, events, (foundation, config) => {
    const documents = createDocuments<Auth0Session>(documentDeps(foundation, config, events), 'nextjs-auth0')
    return createSessionDataStore(documents, lives, systemClock)
  })
  return {
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
}
