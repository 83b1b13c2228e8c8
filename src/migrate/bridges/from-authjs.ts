/**
 * The bridge from Auth.js: next-auth 4, next-auth 5 and @auth/core. Without `store` the session is an encrypted JWT in the cookie; with
 * `store` the cookie holds a bare token, and the session is in the database of an adapter.
 */
import type { CookieBridge } from '../cookie-bridge.ts'
import { createBridge, type ReceivedCookie, type Verify } from './bridge.ts'
import {
  isSessionOrigin,
  type OldSessionOrigin,
  type OldSessionRead,
  type OldSessions,
  timeOf,
} from './old-sessions.ts'
import { bridgeOptions, type BridgeOptions, requireStore, requireName, secretsOf } from './options.ts'
import { createJwtOpener, encryptionOf, type KeyRecipe } from './sealed-jwt.ts'

/** Version 5 first: after an update of the application, browsers may still have cookies of version 4. */
const NAMES = [
  '__Secure-authjs.session-token',
  'authjs.session-token',
  '__Secure-next-auth.session-token',
  'next-auth.session-token',
]
/** Both versions generate UUIDs or hexadecimal texts. A colon would lead to another key of the adapter. */
const TOKEN = /^[\w.~-]{16,256}$/

/** The claims of a JWT of Auth.js, such as `sub`, and what the callback `jwt` has added. */
export type AuthJsToken = Readonly<Record<string, unknown>>

/** A database session of Auth.js, as `getSessionAndUser()` of an adapter returns it. */
export interface AuthJsDatabaseSession {
  /** The session. */
  readonly session: {
    /** The value of the cookie: a secret. */
    readonly sessionToken: string
    /** Id of the user in Auth.js. */
    readonly userId: string
    /** When the session ends. */
    readonly expires: Date | string
  }
  /** Its user. */
  readonly user: Readonly<Record<string, unknown>> & {
    /** Id of the user in Auth.js. */
    readonly id: string
  }
}

/** The methods of an Auth.js adapter that a bridge needs. Auth.js declares them as optional; an adapter for database sessions has both. */
export interface AuthJsAdapter {
  /** Reads a session and its user by the token. */
  readonly getSessionAndUser?: ((sessionToken: string) => unknown) | undefined
  /** Ends a session. */
  readonly deleteSession?: ((sessionToken: string) => unknown) | undefined
}

/** Options of `fromAuthJs()` for sessions in JWTs. */
export interface AuthJsJwtBridgeOptions<S = AuthJsToken> extends BridgeOptions<S> {
  /** `AUTH_SECRET` or `NEXTAUTH_SECRET`: all of them, the current one first. */
  readonly secret: string | readonly string[]
  /** The name of the session cookie. Default: the names of versions 4 and 5, with and without `__Secure-`. */
  readonly name?: string
  /** Not for JWTs. */
  readonly store?: undefined
}

/** Options of `fromAuthJs()` for sessions in a database. */
export interface AuthJsDatabaseBridgeOptions<S = AuthJsDatabaseSession> extends BridgeOptions<S> {
  /** The adapter that Auth.js was given, or an origin of `coatcheck/migrate`. */
  readonly store: AuthJsAdapter | OldSessionOrigin
  /** The name of the session cookie. Default: the names of versions 4 and 5, with and without `__Secure-`. */
  readonly name?: string
  /** Not for database sessions: their cookies are not signed. */
  readonly secret?: undefined
}

/**
 * Creates a bridge from the sessions of Auth.js 4 and 5. JWTs are opened with `secret`. Tokens of database sessions have no signature, so
 * each one costs up to two reads.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for an option that is unknown, missing or wrong
 */
export function fromAuthJs<S = AuthJsDatabaseSession>(options: AuthJsDatabaseBridgeOptions<S>): CookieBridge
// Two signatures, so that "user" gets the type of its kind of session.
// eslint-disable-next-line @typescript-eslint/unified-signatures
export function fromAuthJs<S = AuthJsToken>(options: AuthJsJwtBridgeOptions<S>): CookieBridge
export function fromAuthJs<S>(given: AuthJsJwtBridgeOptions<S> | AuthJsDatabaseBridgeOptions<S>): CookieBridge {
  const caller = 'fromAuthJs()'
  const options = bridgeOptions(given, caller, ['secret', 'name', 'store'])
  const { store, secret, name } = options
  const names = name === undefined ? NAMES : [requireName(name, 'name', caller)]
  return createBridge<S>({
    ...options,
    ...{ origin: store ? 'authjs-database' : 'authjs-jwt', caller },
    cookies: { session: names.map((one) => ({ name: one, chunkMark: '.' })) },
    verifier: store
      ? databaseVerifier(store, caller)
      : jwtVerifier(secretsOf(secret, 'secret', caller), name !== undefined),
  })
}

/** @param isNamed whether the application has chosen the name of the cookie */
function jwtVerifier(secrets: readonly string[], isNamed: boolean): () => Verify {
  const opener = createJwtOpener(secrets)
  return () => async (cookie) => {
    const recipe = recipeOf(cookie, isNamed)
    const opened = recipe && (await opener.open(cookie.value, recipe))
    if (!opened) return null
    const { payload, fingerprint } = opened
    const endsAtMs = payload.exp === undefined ? null : payload.exp * 1000
    const beganAtMs = payload.iat === undefined ? null : payload.iat * 1000
    return {
      identity: fingerprint,
      endsAtMs,
      load: () => Promise.resolve({ data: payload, endsAtMs, beganAtMs }),
      end: () => Promise.resolve(),
    }
  }
}

/**
 * The encryption identifies the version. Under its default name, each version opens only its own encryption: the keys of version 4 do not
 * depend on the cookie name, so an attacker could plant a token of version 4 under any name.
 */
function recipeOf({ name, value }: ReceivedCookie, isNamed: boolean): KeyRecipe | null {
  const isOfVersion4 = name.endsWith('next-auth.session-token')
  switch (encryptionOf(value)) {
    case 'A256CBC-HS512':
      if (!isNamed && isOfVersion4) return null
      return { encryption: 'A256CBC-HS512', salt: name, label: `Auth.js Generated Encryption Key (${name})` }
    case 'A256GCM':
      if (!isNamed && !isOfVersion4) return null
      return { encryption: 'A256GCM', salt: '', label: 'NextAuth.js Generated Encryption Key' }
    default:
      return null
  }
}

function databaseVerifier(
  store: AuthJsAdapter | OldSessionOrigin,
  caller: string,
): Parameters<typeof createBridge>[0]['verifier'] {
  requireStore(store, 'auth-js', ['getSessionAndUser', 'deleteSession'], caller)
  return ({ clock, oldRecords }) => {
    const now = (): number => clock.now()
    const sessions = isSessionOrigin(store) ? store.openSessions({ oldRecords, now }) : adapterSessions(store, now)
    return ({ value: token }) => {
      if (!TOKEN.test(token)) return null
      return { identity: token, endsAtMs: null, load: () => sessions.read(token), end: () => sessions.end(token) }
    }
  }
}

function adapterSessions(adapter: AuthJsAdapter, now: () => number): OldSessions {
  return {
    async read(token): Promise<OldSessionRead> {
      const found = (await adapter.getSessionAndUser?.(token)) as Partial<AuthJsDatabaseSession> | null | undefined
      if (!found) return null
      const endsAtMs = timeOf(found.session?.expires)
      if (!found.session || !found.user || endsAtMs === null) return 'unreadable'
      return endsAtMs <= now() ? null : { data: found, endsAtMs }
    },
    async end(token) {
      await adapter.deleteSession?.(token)
    },
  }
}
