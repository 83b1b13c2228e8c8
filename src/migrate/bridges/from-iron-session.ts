/** The bridge from iron-session 6 to 8. The whole session is sealed in a cookie, so only our document shows that it was used up. */
import type { CookieBridge } from '../cookie-bridge.ts'
import { createBridge } from './bridge.ts'
import { type UnsealedIron, unsealIron } from './iron-seal.ts'
import { bridgeOptions, type BridgeOptions, requireName, secretsOf } from './options.ts'

/** Options of `fromIronSession()`. */
export interface IronSessionBridgeOptions<S = Readonly<Record<string, unknown>>> extends BridgeOptions<S> {
  /** The option `password` of iron-session: a text, or the passwords by their id. */
  readonly password: string | Readonly<Record<string, string>>
  /** The option `cookieName` of iron-session. */
  readonly cookieName: string
}

/**
 * Creates a bridge from the sessions of iron-session 6, 7 and 8. It opens the seal of the cookie and asks `user` for its user.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for an option that is unknown, missing or wrong
 */
export function fromIronSession<S = Readonly<Record<string, unknown>>>(
  given: IronSessionBridgeOptions<S>,
): CookieBridge {
  const caller = 'fromIronSession()'
  const options = bridgeOptions(given, caller, ['password', 'cookieName'])
  const passwords = passwordsOf(options.password, caller)
  return createBridge<S>({
    ...{ extend: false, ...options },
    ...{ origin: 'iron-session', caller },
    cookies: { session: [{ name: requireName(options.cookieName, 'cookieName', caller), chunkMark: null }] },
    verifier:
      () =>
      ({ value }) => {
        const [seal = '', version, ...more] = value.split('~', 3)
        if (more.length > 0) return null
        const opened = unsealIron(seal, passwords)
        const data = opened && sessionIn(opened, version)
        if (!opened || !data) return null
        const endsAtMs = opened.expiresAtMs
        return {
          identity: opened.fingerprint,
          endsAtMs,
          load: () => Promise.resolve({ data, endsAtMs }),
          end: () => Promise.resolve(),
        }
      },
  })
}

/** Reads the session in a seal. The version is outside of the seal, so only the version of these releases counts. */
function sessionIn({ value }: UnsealedIron, version: string | undefined): object | null {
  return version === '2' && typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null
}

function passwordsOf(given: unknown, caller: string): Readonly<Record<string, string>> {
  if (typeof given !== 'object' || given === null) {
    const [password = ''] = secretsOf(given as string | undefined, 'password', caller)
    // iron-session names a single password 1, and older versions gave it no name.
    return { 1: password, default: password }
  }
  secretsOf(Object.values(given) as string[], 'password', caller)
  return { ...(given as Record<string, string>) }
}
