/**
 * `coatcheck/authjs`: an adapter for Auth.js (next-auth 4 and 5, @auth/core). It stores users, accounts, sessions, verification tokens and
 * authenticators on Redis, sealed, with TTLs, and with an index of every session of a user. See docs/authjs.md. This module loads none of
 * these packages.
 */
import { type AuthJsDocuments, createAuthJsAdapter } from '../../drop-ins/authjs/adapter.ts'
import type { EmailClaim } from '../../drop-ins/authjs/emails.ts'
import type { CoatcheckAuthJsAdapter } from '../../drop-ins/authjs/types.ts'
import type { StoredDates } from '../../drop-ins/dated-json.ts'
import { bulkAccess, withBulkAccess } from '../bulk-access.ts'
import { ownOptions } from '../../config/shape.ts'
import { systemClock } from '../../core/clock.ts'
import { EventBus } from '../../core/events.ts'
import { systemRandom } from '../../core/random.ts'
import { createDocuments, type Documents } from '../../documents/documents.ts'
import { linkedJson } from '../../documents/linked-json.ts'
import { createDropInRuntime, documentDeps, type DropInOptions } from '../drop-in-runtime.ts'
import { originDeps } from '../drop-in-origin.ts'
import type { AuthJsOrigin } from '../../migrate/upstash-adapter.ts'

export type {
  AuthJsAccount,
  AuthJsAdapter,
  AuthJsAuthenticator,
  AuthJsSession,
  AuthJsSessions,
  AuthJsUser,
  AuthJsVerificationToken,
} from '../../drop-ins/authjs/types.ts'

/** Options of `CoatcheckAdapter()`. */
export interface CoatcheckAdapterOptions extends DropInOptions {
  /** The keys of an earlier adapter: `upstashAdapter()` of `coatcheck/migrate`. Default: none are read. */
  readonly migrateFrom?: AuthJsOrigin
}

/** The adapter for Auth.js, with methods to list and end a user's sessions. */
export type CoatcheckAdapter = CoatcheckAuthJsAdapter & {
  /** Closes the connection. Calls afterwards are refused with `COATCHECK_CLOSED`. */
  close(): Promise<void>
}

/**
 * Creates an adapter for Auth.js: `NextAuth({ adapter: CoatcheckAdapter() })`. It checks the shapes of the options; environment, keys
 * and connection wait for the first use. Its methods reject with a `RedisError` during an outage.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
 */
export function CoatcheckAdapter(options: CoatcheckAdapterOptions = {}): CoatcheckAdapter {
  options = ownOptions('CoatcheckAdapter()', options)
  const bus = new EventBus()
  const { migrateFrom: origin } = options
  const dropIn = createDropInRuntime(options, bus, async (runtime, config, closing) => {
    const deps = documentDeps(runtime, config, bus)
    const documents = (kind: string): Documents<StoredDates> => createDocuments(deps, `authjs-${kind}`, linkedJson())
    const all: AuthJsDocuments = {
      users: documents('user'),
      emails: createDocuments<EmailClaim>(deps, 'authjs-email'),
      accounts: documents('account'),
      sessions: documents('session'),
      tokens: documents('token'),
      authenticators: documents('authenticator'),
    }
    const make = (of: AuthJsDocuments): CoatcheckAuthJsAdapter =>
      createAuthJsAdapter(of, { clock: systemClock, random: systemRandom })
    if (!origin) return make(all)
    const old = await originDeps(origin, runtime, config, bus, closing)
    return origin.attach({ ...old, documents: all, make, random: systemRandom })
  })
  const { open, close } = dropIn
  // next-auth 4 wraps only own functions of the adapter, so each method is listed here.
  const adapter: CoatcheckAdapter = {
    createUser: async (user) => (await open()).createUser(user),
    getUser: async (id) => (await open()).getUser(id),
    getUserByEmail: async (email) => (await open()).getUserByEmail(email),
    getUserByAccount: async (account) => (await open()).getUserByAccount(account),
    updateUser: async (changes) => (await open()).updateUser(changes),
    deleteUser: async (userId) => (await open()).deleteUser(userId),
    linkAccount: async (account) => (await open()).linkAccount(account) as Promise<unknown>,
    unlinkAccount: async (account) => (await open()).unlinkAccount(account) as Promise<unknown>,
    getAccount: async (id, provider) => (await open()).getAccount(id, provider) as Promise<unknown>,
    createSession: async (session) => (await open()).createSession(session),
    getSessionAndUser: async (token) => (await open()).getSessionAndUser(token),
    updateSession: async (changes) => (await open()).updateSession(changes),
    deleteSession: async (token) => (await open()).deleteSession(token),
    createVerificationToken: async (token) => (await open()).createVerificationToken(token),
    useVerificationToken: async (token) => (await open()).useVerificationToken(token),
    createAuthenticator: async (authenticator) => (await open()).createAuthenticator(authenticator),
    getAuthenticator: async (id) => (await open()).getAuthenticator(id),
    listAuthenticatorsByUserId: async (userId) => (await open()).listAuthenticatorsByUserId(userId),
    updateAuthenticatorCounter: async (id, counter) => (await open()).updateAuthenticatorCounter(id, counter),
    listSessionsByUser: async (userId) => (await open()).listSessionsByUser(userId),
    revokeSession: async (id) => (await open()).revokeSession(id),
    revokeSessionsByUser: async (userId, options) => (await open()).revokeSessionsByUser(userId, options),
    close,
  }
  const adopt = async (made: CoatcheckAuthJsAdapter, key: string): Promise<true | null> =>
    (await origin?.adopt(made, key)) ? true : null
  return withBulkAccess(adapter, bulkAccess(dropIn, { origin, events: bus, adopt }))
}
