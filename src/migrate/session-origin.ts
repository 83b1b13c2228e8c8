/**
 * The type of `migrateFrom` in the stores for other session libraries. An origin carries its own behavior. So a store imports this type only,
 * and an application without `migrateFrom` loads nothing of `src/migrate/`.
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { SessionLinks } from '../documents/library-session-lists.ts'
import type { LibrarySessions } from '../documents/library-sessions.ts'
import type { Store, StoreFactory } from '../stores/store.ts'
import type { OldSessionOrigin } from './bridges/old-sessions.ts'
import type { MigrationMode } from './migration-mode.ts'
import type { OldKeys } from './old-keys.ts'

/** Old sessions that a store takes over. `connectRedis()`, `koaSessionStore()` and `jsonSessions()` make it. */
export interface SessionOrigin extends OldSessionOrigin {
  /** Name of the old format, as in events and metrics. */
  readonly name: string
  /** How old records are treated. */
  readonly mode: MigrationMode
  /** Libraries whose store can take this origin, such as `koa-session`. `null`: all. */
  readonly libraries: readonly string[] | null
  /** The store that holds the old records. Absent: the store of the new sessions. */
  readonly store?: StoreFactory
  /** Recognizes the old keys by their names. Absent: their names do not identify them. */
  readonly keys?: OldKeys
  /** Opens the old records. Called by the store at its first use. Rejects with what the old store says about its configuration. */
  attach(deps: SessionOriginDeps): Promise<AttachedOrigin>
}

/** The parts that a store gives to the origin of its old sessions. */
export interface SessionOriginDeps {
  /** The store of the new sessions. Old records are on its servers, unless the origin names a store of its own. */
  readonly store: Store
  /** Source of the current time. */
  readonly clock: Clock
  /** Where migration reads are reported. */
  readonly events: EventBus
  /** Whether a store in memory is allowed. */
  readonly loopback: boolean
  /** Life of a session whose old record has no expiry, milliseconds. */
  readonly defaultTtlMs: number
}

/** An origin whose old records are open. */
export interface AttachedOrigin {
  /** The old records by the links of the new sessions. */
  readonly links: SessionLinks
  /** Combines the old records with the new sessions, by the rules of the mode. */
  over(sessions: LibrarySessions): LibrarySessions
  /** Drops planned removals, and closes the store of the origin if it has its own. */
  close(): Promise<void>
}

/** How a library stores its sessions in Redis. */
export interface SessionFormat {
  /** Name of the format, as in events and metrics. */
  readonly name: string
  /** Libraries whose store can take it. `null`: all. */
  readonly libraries: readonly string[] | null
  /** The prefix that all old keys have, and no other key. `null`: no prefix identifies them. */
  readonly prefix: string | null
  /** Whether `decode` distinguishes a session from other JSON objects. If not, keys without a prefix are not searched for sessions. */
  readonly isRecognizable: boolean
  /** The old key of a session id. */
  keyOf(sid: string): string
  /** Returns the session as JSON text of an object. `null`: the value is no session of this format, and is left alone. */
  decode(text: string): string | null
  /** Returns the old value for the JSON text of a session. */
  encode(json: string): string
}
