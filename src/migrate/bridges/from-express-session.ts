/** The bridge from express-session 1: `s:<id>.<signature>` in a cookie, the session in a store. */
import type { CookieBridge } from '../cookie-bridge.ts'
import { createBridge } from './bridge.ts'
import type { CallbackSessionStore, OldSessionOrigin } from './old-sessions.ts'
import { bridgeOptions, type BridgeOptions, requireName, secretsOf } from './options.ts'
import { idVerifier } from './session-id-cookie.ts'
import { unsign } from './signed-value.ts'

/** A session of express-session or @fastify/session as its store hands it out: the application's fields, and `cookie`. */
export type StoredSession = Readonly<Record<string, unknown>>

/** Options of `fromExpressSession()`. */
export interface ExpressSessionBridgeOptions<S = StoredSession> extends BridgeOptions<S> {
  /** The option `secret` of express-session: all of them, the current one first. */
  readonly secret: string | readonly string[]
  /** The option `name` of express-session. Default `connect.sid`. */
  readonly name?: string
  /** The option `store` of express-session, such as a `RedisStore` of connect-redis, or an origin of `coatcheck/migrate`. */
  readonly store: CallbackSessionStore | OldSessionOrigin
}

/**
 * Creates a bridge from the sessions of express-session 1. It checks the signature of `connect.sid`, reads the session from its store, and
 * asks `user` for its user.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for an option that is unknown, missing or wrong
 */
export function fromExpressSession<S = StoredSession>(given: ExpressSessionBridgeOptions<S>): CookieBridge {
  const caller = 'fromExpressSession()'
  const options = bridgeOptions(given, caller, ['secret', 'name', 'store'])
  const secrets = secretsOf(options.secret, 'secret', caller)
  const name = requireName(options.name ?? 'connect.sid', 'name', caller)
  return createBridge<S>({
    ...options,
    ...{ origin: 'express-session', caller },
    cookies: { session: [{ name, chunkMark: null }] },
    verifier: idVerifier(options.store, caller, 'express-session', true, (value) =>
      value.startsWith('s:') ? unsign(value.slice(2), secrets, 'unpadded') : null,
    ),
  })
}
