/**
 * The origin `auth0Store`: sessions that a hand-written `sessionStore` of nextjs-auth0 stored, as JSON under a key that the application
 * builds from the session id.
 */
import type { Auth0Session, SessionDataStore } from '../drop-ins/session-data-store.ts'
import type { DocumentRef } from '../documents/document-driver.ts'
import type { Documents } from '../documents/documents.ts'
import { storedAuth0Session } from './bridges/auth0-session.ts'
import { type OldSessionOrigin, recordSessions } from './bridges/old-sessions.ts'
import { createLateRemovals } from './late-removals.ts'
import { createSealedRecords, endingOldKeys } from './sealed-records.ts'
import { keysMadeBy } from './old-keys.ts'
import { type Origin, type OriginDeps, reporter } from './origin.ts'
import { checkedOptions, type OriginOptions } from './origin-options.ts'
import { readJson } from './read-json.ts'
import { shareRecords } from './share-records.ts'
import { isAlive, oldRemoval } from './shared-records.ts'

/** Options of `auth0Store()`. */
export interface Auth0StoreOptions extends OriginOptions {
  /** The old key of a session, from the session id that nextjs-auth0 passes to its store, such as `(id) => \`sessions:${id}\``. */
  readonly keyOf: (id: string) => string
}

/** The keys of an earlier session store of nextjs-auth0, for `sessionDataStore({ migrateFrom })`. */
export interface Auth0Origin extends Origin, OldSessionOrigin {
  /** Called by the drop-in at its first use. */
  attach(
    deps: OriginDeps & {
      /** The documents of the drop-in. */
      readonly documents: Documents<Auth0Session>
      /** Makes the store of the drop-in on these documents. */
      readonly make: (documents: Documents<Auth0Session>) => SessionDataStore
      /** Returns the life of a session by the SDK's rules, milliseconds. */
      readonly lifeOf: (session: Auth0Session) => number
      /** Returns the sets of the user and of the provider session. */
      readonly setsOf: (session: Auth0Session) => readonly DocumentRef[]
    },
  ): SessionDataStore
}

/**
 * Reads the keys of an earlier session store of nextjs-auth0.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function auth0Store(options: Auth0StoreOptions): Auth0Origin {
  const { keyOf, mode = 'read', store } = checkedOptions('auth0Store()', options, { keyOf: 'required function' })
  const name = 'nextjs-auth0'
  const keys = keysMadeBy(keyOf, (text) => sessionIn(text) !== null)
  return {
    ...{ name, mode, ...(store && { store }), ...(keys && { keys }) },
    openSessions: (context) =>
      recordSessions({ keyOf, decode: (text) => storedAuth0Session(readJson(text)) }, store, context),
    attach({ documents, make, lifeOf, setsOf, ...deps }) {
      const { old, clock } = deps
      const sealed = createSealedRecords<Auth0Session>({
        documents,
        clock,
        toValue: sessionIn,
        toText: JSON.stringify,
        setsOf,
      })
      const lifeIn = (text: string): number => lifeOf(JSON.parse(text) as Auth0Session)
      const report = reporter(name, deps.events)
      const late = createLateRemovals(deps.closing)
      const shared = { ...deps, late, sealed, report, keyOf, endOf: () => null, defaultTtlMs: lifeIn }
      const sessions = shareRecords(mode, shared)
      const ours = make(endingOldKeys(documents, oldRemoval(shared)))

      return {
        ...ours,
        async get(id) {
          const text = await sessions.find(id)
          return text === null ? null : (JSON.parse(text) as Auth0Session)
        },

        async set(id, session) {
          const ttlMs = lifeOf(session)
          if (ttlMs > 0) await sessions.store(id, JSON.stringify(session), ttlMs)
          else await sessions.end(id)
        },

        async update(id, session) {
          const ttlMs = lifeOf(session)
          if (ttlMs > 0) return (await sessions.change(id, () => ({ text: JSON.stringify(session), ttlMs }))) !== null
          await sessions.end(id)
          return false
        },

        async delete(id) {
          await sessions.end(id)
        },

        async listByUser(sub) {
          const listed = await ours.listByUser(sub)
          const alive = await Promise.all(listed.map(({ id }) => isAlive({ documents, old }, id)))
          return listed.filter((_session, i) => alive[i])
        },
      }
    },
  }
}

/** `null`: the text is no session of nextjs-auth0. */
function sessionIn(text: string): Auth0Session | null {
  const { user, internal } = (readJson(text) ?? {}) as Partial<Auth0Session>
  const isSession = typeof user?.sub === 'string' && typeof internal?.createdAt === 'number'
  // Parses again: the SDK gets plain objects, as it stored them.
  return isSession ? (JSON.parse(text) as Auth0Session) : null
}
