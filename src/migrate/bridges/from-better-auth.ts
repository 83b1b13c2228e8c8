/** The bridge from better-auth 1: `<token>.<signature>` in a cookie, the session in secondary storage. */
import type { CookieBridge } from '../cookie-bridge.ts'
import { readJson } from '../read-json.ts'
import { createBridge, type Verify } from './bridge.ts'
import {
  beginOf,
  isSessionOrigin,
  type OldSessionOrigin,
  type OldSessionRead,
  type OldSessions,
  timeOf,
} from './old-sessions.ts'
import { bridgeOptions, type BridgeOptions, requireStore, requireName, secretsOf } from './options.ts'
import { unsign } from './signed-value.ts'

/** A session of better-auth, as its secondary storage holds it. */
export interface BetterAuthSession {
  /** The session. */
  readonly session: Readonly<Record<string, unknown>> & {
    /** The signed part of the cookie: a secret. */
    readonly token: string
    /** Id of the user in better-auth. */
    readonly userId: string
    /** When the session ends. */
    readonly expiresAt: Date | string
  }
  /** Its user. */
  readonly user: Readonly<Record<string, unknown>> & {
    /** Id of the user in better-auth. */
    readonly id: string
  }
}

/** The `secondaryStorage` of better-auth, or an object of the same shape that reads the sessions from a database. */
export interface BetterAuthStorage {
  /** Returns `{ session, user }` by the token of the session, as an object or as JSON. `null`: there is none. */
  get(token: string): unknown
  /** Ends a session. */
  delete(token: string): unknown
}

/** Options of `fromBetterAuth()`. */
export interface BetterAuthBridgeOptions<S = BetterAuthSession> extends BridgeOptions<S> {
  /** The option `secret` of better-auth, or `BETTER_AUTH_SECRET`: all of them, the current one first. */
  readonly secret: string | readonly string[]
  /** The option `secondaryStorage` of better-auth, or an origin of `coatcheck/migrate`. */
  readonly store: BetterAuthStorage | OldSessionOrigin
  /** The option `advanced.cookiePrefix` of better-auth. Default `better-auth`. */
  readonly cookiePrefix?: string
}

/**
 * Creates a bridge from the sessions of better-auth 1. It checks the signature of the session cookie, reads the session from secondary
 * storage, and asks `user` for its user.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for an option that is unknown, missing or wrong
 */
export function fromBetterAuth<S = BetterAuthSession>(given: BetterAuthBridgeOptions<S>): CookieBridge {
  const caller = 'fromBetterAuth()'
  const options = bridgeOptions(given, caller, ['secret', 'store', 'cookiePrefix'])
  const secrets = secretsOf(options.secret, 'secret', caller)
  const prefix = requireName(options.cookiePrefix ?? 'better-auth', 'cookiePrefix', caller)
  const named = (name: string, chunkMark: string | null) =>
    ['__Secure-', ''].map((security) => ({ name: `${security}${prefix}.${name}`, chunkMark }))
  return createBridge<S>({
    ...options,
    ...{ origin: 'better-auth', caller },
    cookies: {
      session: named('session_token', null),
      // The copy of the session in this cookie stays valid for some minutes after a sign-out.
      companions: [...named('session_data', '.'), ...named('dont_remember', null)],
    },
    verifier: verifierOf(options.store, secrets, caller),
  })
}

function verifierOf(
  store: BetterAuthStorage | OldSessionOrigin,
  secrets: readonly string[],
  caller: string,
): Parameters<typeof createBridge>[0]['verifier'] {
  requireStore(store, 'better-auth', ['get', 'delete'], caller)
  return ({ clock, oldRecords }): Verify => {
    const now = (): number => clock.now()
    const sessions = isSessionOrigin(store) ? store.openSessions({ oldRecords, now }) : storageSessions(store, now)
    return ({ value }) => {
      const token = unsign(value, secrets, 'padded')
      if (token === null) return null
      return { identity: token, endsAtMs: null, load: () => sessions.read(token), end: () => sessions.end(token) }
    }
  }
}

function storageSessions(storage: BetterAuthStorage, now: () => number): OldSessions {
  return {
    async read(token): Promise<OldSessionRead> {
      const stored: unknown = await storage.get(token)
      if (stored === null || stored === undefined) return null
      const data: Partial<BetterAuthSession> | null = typeof stored === 'string' ? readJson(stored) : stored
      const endsAtMs = timeOf(data?.session?.expiresAt)
      // The same storage contains other values under other names.
      if (!data?.user || data.session?.token !== token || endsAtMs === null) return 'unreadable'
      return endsAtMs <= now() ? null : { data, endsAtMs, beganAtMs: beginOf(data) }
    },
    async end(token) {
      await storage.delete(token)
    },
  }
}
