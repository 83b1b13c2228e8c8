/**
 * The option `adopt` in Next. Next has no middleware in front of all code: pages, actions and route handlers use the instance, so the
 * instance carries the bridge.
 */
import type { HttpEdge, HttpInstance } from '../../http/instance.ts'
import { adoptingHandler, assertCoatcheck, checkAdapterOptions } from '../../http/node-edge.ts'
import type { CookieBridge } from '../../migrate/cookie-bridge.ts'

/** Options of `withAdoption()`. */
export interface AdoptionOptions {
  /** Adopts the sessions of another library: a bridge of `coatcheck/migrate`, such as `fromAuthJs()`. */
  readonly adopt: CookieBridge
}

/**
 * Returns the instance with a bridge: every function of `coatcheck/next` that receives it adopts the sessions of another library. A server
 * component can set no cookie. It still gets the session, and a later request gets the cookie. `hasTicket` is also true for a request with
 * an old cookie.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when `auth` is not from `coatcheck()`, or `adopt` is not a bridge
 */
export function withAdoption<D extends object, I extends HttpInstance<D>>(
  auth: HttpInstance<D> & I,
  options: AdoptionOptions,
): I {
  assertCoatcheck(auth, 'withAdoption()')
  const { adopt } = checkAdapterOptions(options, 'withAdoption()', ['adopt'])
  const http: HttpEdge<D> = auth.http
  return {
    ...auth,
    handler: adoptingHandler(auth, adopt),
    http: {
      ...http,
      requestSession: (input) => http.requestSession({ ...input, adopt }),
      hasTicket: (cookieHeader) => http.hasTicket(cookieHeader) || adopt.mayHold(cookieHeader ?? ''),
    },
  }
}
