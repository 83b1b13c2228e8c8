/** The bridge from @fastify/session 11: `<prefix><id>.<signature>` in a cookie, the session in a store. */
import type { CookieBridge } from '../cookie-bridge.ts'
import { createBridge } from './bridge.ts'
import type { StoredSession } from './from-express-session.ts'
import type { CallbackSessionStore, OldSessionOrigin } from './old-sessions.ts'
import { bridgeOptions, type BridgeOptions, requireName, secretsOf } from './options.ts'
import { idVerifier } from './session-id-cookie.ts'
import { unsign } from './signed-value.ts'

/** Options of `fromFastifySession()`. */
export interface FastifySessionBridgeOptions<S = StoredSession> extends BridgeOptions<S> {
  /** The option `secret` of @fastify/session: all of them, the current one first. */
  readonly secret: string | readonly string[]
  /** The option `cookieName` of @fastify/session. Default `sessionId`. */
  readonly name?: string
  /** The option `cookiePrefix` of @fastify/session, such as `s:`. Default: none. */
  readonly cookiePrefix?: string
  /** The option `store` of @fastify/session, such as a `RedisStore` of connect-redis, or an origin of `coatcheck/migrate`. */
  readonly store: CallbackSessionStore | OldSessionOrigin
}

/**
 * Creates a bridge from the sessions of @fastify/session 11. It checks the signature of the cookie, reads the session from its store, and
 * asks `user` for its user.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for an option that is unknown, missing or wrong
 */
export function fromFastifySession<S = StoredSession>(given: FastifySessionBridgeOptions<S>): CookieBridge {
  const caller = 'fromFastifySession()'
  const options = bridgeOptions(given, caller, ['secret', 'name', 'cookiePrefix', 'store'])
  const secrets = secretsOf(options.secret, 'secret', caller)
  const name = requireName(options.name ?? 'sessionId', 'name', caller)
  const { cookiePrefix = '' } = options
  return createBridge<S>({
    ...options,
    ...{ origin: 'fastify-session', caller },
    cookies: { session: [{ name, chunkMark: null }] },
    verifier: idVerifier(options.store, caller, 'fastify-session', false, (value) =>
      value.startsWith(cookiePrefix) ? unsign(value.slice(cookiePrefix.length), secrets, 'unpadded') : null,
    ),
  })
}
