/**
 * The bridge from @auth0/nextjs-auth0 3 and 4. Without `store` the session is an encrypted JWT in the cookie. With `store` the cookie
 * names a session of that store: encrypted in version 4, signed in version 3 (JWS with a detached payload, RFC 7797).
 */
import { hkdfSync } from 'node:crypto'
import { base64url, flattenedVerify } from 'jose'
import type { CookieBridge } from '../cookie-bridge.ts'
import type { VerifiedCookie } from './verified-cookie.ts'
import { createBridge, type ReceivedCookie, type Verify } from './bridge.ts'
import { type Auth0OldSession, auth0SessionBegin, auth0SessionIn, storedAuth0Session } from './auth0-session.ts'
import { isSessionOrigin, type OldSessionOrigin, type OldSessions } from './old-sessions.ts'
import { bridgeOptions, type BridgeOptions, requireStore, requireName, secretsOf } from './options.ts'
import { createJwtOpener, type JwtOpener, type KeyRecipe } from './sealed-jwt.ts'

const SEALING: KeyRecipe = { encryption: 'A256GCM', salt: '', label: 'JWE CEK' }
const SIGNING_LABEL = 'JWS Cookie Signing'
const SIGNATURE_HEADER = base64url.encode(JSON.stringify({ alg: 'HS256', b64: false, crit: ['b64'] }))

/** The session store of nextjs-auth0: `sessionStore` of version 4, `session.store` of version 3. */
export interface Auth0SessionStore {
  /** Reads a session by its id. */
  get(id: string): unknown
  /** Ends a session. */
  delete(id: string): unknown
}

/** Options of `fromAuth0()`. */
export interface Auth0BridgeOptions<S = Auth0OldSession> extends BridgeOptions<S> {
  /** `AUTH0_SECRET`: all of them, the current one first. */
  readonly secret: string | readonly string[]
  /** The session store of nextjs-auth0, or an origin of `coatcheck/migrate`. Default: the session is in the cookie. */
  readonly store?: Auth0SessionStore | OldSessionOrigin
  /** The name of the session cookie. Default: `__session` of version 4, then `appSession` of version 3. */
  readonly name?: string
}

/**
 * Creates a bridge from the sessions of @auth0/nextjs-auth0 3 and 4. `user` gets the session in the shape of version 4.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for an option that is unknown, missing or wrong
 */
export function fromAuth0<S = Auth0OldSession>(given: Auth0BridgeOptions<S>): CookieBridge {
  const caller = 'fromAuth0()'
  const options = bridgeOptions(given, caller, ['secret', 'store', 'name'])
  const secrets = secretsOf(options.secret, 'secret', caller)
  const { store, name } = options
  const names = name === undefined ? ['__session', 'appSession'] : [requireName(name, 'name', caller)]
  const opener = createJwtOpener(secrets)
  return createBridge<S>({
    ...options,
    ...{ origin: store ? 'nextjs-auth0-store' : 'nextjs-auth0', caller },
    cookies: {
      session: names.flatMap((one) => [
        { name: one, chunkMark: '__' },
        { name: one, chunkMark: '.' },
      ]),
      companions: [{ name: '__FC', chunkMark: '_' }],
    },
    verifier: store ? storeVerifier(store, opener, secrets, caller) : () => (cookie) => sealedSession(opener, cookie),
  })
}

async function sealedSession(opener: JwtOpener, { value }: ReceivedCookie): Promise<VerifiedCookie | null> {
  const opened = await opener.open(value, SEALING)
  // The SDK seals other cookies with the same key. A payload without a user is no session.
  const found = opened && auth0SessionIn(opened.payload, opened.header)
  if (!opened || !found) return null
  const { session, endsAtMs } = found
  const { sid, createdAt } = session.internal
  return {
    // The SDK seals the session again at each request, but these three values stay. Some providers send no `sid`, and hooks may drop it.
    identity:
      sid === undefined && createdAt === undefined
        ? opened.fingerprint
        : JSON.stringify([session.user.sub, sid ?? null, createdAt]),
    endsAtMs,
    load: () => Promise.resolve({ data: session, endsAtMs, beganAtMs: auth0SessionBegin(session) }),
    end: () => Promise.resolve(),
  }
}

function storeVerifier(
  store: Auth0SessionStore | OldSessionOrigin,
  opener: JwtOpener,
  secrets: readonly string[],
  caller: string,
): Parameters<typeof createBridge>[0]['verifier'] {
  requireStore(store, 'nextjs-auth0', ['get', 'delete'], caller)
  const keys = secrets.map((secret) => new Uint8Array(hkdfSync('sha256', secret, '', SIGNING_LABEL, 32)))
  return ({ clock, oldRecords }): Verify => {
    const now = (): number => clock.now()
    const sessions = isSessionOrigin(store) ? store.openSessions({ oldRecords, now }) : storedSessions(store, now)
    return async (cookie) => {
      const named = (await sealedId(opener, cookie)) ?? (await signedId(keys, cookie))
      if (!named) return null
      const { id, endsAtMs } = named
      return { identity: id, endsAtMs, load: () => sessions.read(id), end: () => sessions.end(id) }
    }
  }
}

interface SessionName {
  readonly id: string
  readonly endsAtMs: number | null
}

async function sealedId(opener: JwtOpener, { value }: ReceivedCookie): Promise<SessionName | null> {
  const { payload } = (await opener.open(value, SEALING)) ?? {}
  if (typeof payload?.['id'] !== 'string' || payload['id'] === '') return null
  return { id: payload['id'], endsAtMs: payload.exp === undefined ? null : payload.exp * 1000 }
}

async function signedId(keys: readonly Uint8Array[], { name, value }: ReceivedCookie): Promise<SessionName | null> {
  const [id = '', signature = '', ...more] = value.split('.', 3)
  if (id === '' || signature === '' || more.length > 0) return null
  const jws = { protected: SIGNATURE_HEADER, payload: `${name}=${id}`, signature }
  for (const key of keys) {
    try {
      await flattenedVerify(jws, key, { algorithms: ['HS256'] })
      return { id, endsAtMs: null }
    } catch {
      // Tries the next secret.
    }
  }
  return null
}

function storedSessions(store: Auth0SessionStore, now: () => number): OldSessions {
  return {
    async read(id) {
      const stored = (await store.get(id)) as object | null | undefined
      if (stored === null || stored === undefined) return null
      const found = storedAuth0Session(stored)
      if (!found) return 'unreadable'
      return found.endsAtMs !== null && found.endsAtMs <= now() ? null : found
    },
    async end(id) {
      await store.delete(id)
    },
  }
}
