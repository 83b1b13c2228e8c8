/** Declares and checks the options that all bridges have. */
import { MisuseError } from '../../core/errors.ts'
import { own } from '../../core/json.ts'
import { describeValue } from '../../core/redact.ts'
import type { CookiePlace } from '../../http/cookie.ts'
import type { Json } from '../../core/json.ts'
import type { Authentication } from '../../session/sign-in-input.ts'
import { isSessionOrigin } from './old-sessions.ts'

/** The user of an old session, and the first data of our session. */
export interface AdoptedUser {
  /** Id of the user, as `signIn.userId` returns it for this user. Absent or empty: the old session has no user. */
  readonly userId: string | null | undefined
  /** Claims for `session.user`, without `id`. Default: the user has an id only. */
  readonly profile?: { readonly [claim: string]: Json | undefined }
  /** First data of our session: JSON that fits `session.schema`. Default: none. */
  readonly data?: Readonly<Record<string, unknown>>
  /** How the user signed in. Default: `session.authentication` is `null`, so `requireUser({ maxAge })` asks for a new sign-in. */
  readonly authentication?: Authentication
}

/** Options that all bridges have. */
export interface BridgeOptions<S> {
  /**
   * Returns the user of an old session, and the data to carry. `null`: the old session has no user, and the visitor stays anonymous.
   * Called once per old session. If it throws, the error reaches the error handler, and no session is created.
   */
  readonly user: (oldSession: S) => AdoptedUser | null | undefined | Promise<AdoptedUser | null | undefined>
  /**
   * `read` keeps the old session and its cookie, so that the old application can come back. `move` ends the old session and removes its
   * cookie once ours is set. Default `read`.
   */
  readonly mode?: 'read' | 'move'
  /**
   * Whether uses extend our session beyond the end that the old one had, as `session.idleTimeout` says. False: our session ends when the
   * old one would have ended. Default true; false for `fromIronSession()`, whose seals have a fixed end.
   */
  readonly extend?: boolean
  /** Attributes of the old cookie, for removing it: the `path` and `domain` that the old library was given. Default: `path: '/'`. */
  readonly cookie?: CookiePlace
}

/**
 * Returns the options that the caller gave, without inherited ones.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for an unknown option or a wrong value
 */
export function bridgeOptions<T extends BridgeOptions<never>>(given: T, caller: string, known: readonly string[]): T {
  const options = own(given)
  const all = ['user', 'mode', 'extend', 'cookie', ...known]
  const unknown = Object.keys(options).filter((name) => !all.includes(name))
  if (unknown.length > 0) throw refusal(`${caller} has no option "${unknown.join('", "')}".`)
  if (typeof options.user !== 'function') throw refusal(`"user" of ${caller} must be a function.`)
  const mode: unknown = options.mode
  if (mode !== undefined && mode !== 'read' && mode !== 'move') {
    throw refusal(`"mode" of ${caller} must be 'read' or 'move'; it got ${describeValue(mode)}.`)
  }
  if (options.extend !== undefined && typeof options.extend !== 'boolean') {
    throw refusal(`"extend" of ${caller} must be true or false; it got ${describeValue(options.extend)}.`)
  }
  return options
}

/**
 * Returns the secrets as a list, the current one first.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` without a secret
 */
export function secretsOf(
  given: string | readonly string[] | undefined,
  option: string,
  caller: string,
): readonly string[] {
  const secrets: unknown = typeof given === 'string' ? [given] : given
  if (Array.isArray(secrets) && secrets.length > 0 && secrets.every(isText)) return secrets.map(String)
  throw refusal(`"${option}" of ${caller} must be the secret of the old library, or a list with the current one first.`)
}

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when an object lacks one of the methods */
function requireMethods(given: unknown, methods: readonly string[], option: string, caller: string): void {
  const object = given as Readonly<Record<string, unknown>> | null | undefined
  if (typeof object === 'object' && object !== null && methods.every((name) => typeof object[name] === 'function'))
    return
  throw refusal(
    `"${option}" of ${caller} must have the methods ${methods.join(' and ')}; it got ${describeValue(given)}.`,
  )
}

/**
 * Checks the option `store` of a bridge: an origin of its library, or an object with these methods.
 * @param library as origins name it
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function requireStore(given: unknown, library: string, methods: readonly string[], caller: string): void {
  if (!isSessionOrigin(given)) {
    requireMethods(given, methods, 'store', caller)
    return
  }
  const { name, libraries } = given
  const fits = libraries === undefined ? name === library : (libraries?.includes(library) ?? true)
  if (!fits) throw refusal(`"store" of ${caller} must hold sessions of ${library}; it got the origin "${name}".`)
}

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` */
export function requireName(given: unknown, option: string, caller: string): string {
  if (typeof given === 'string' && given !== '') return given
  throw refusal(`"${option}" of ${caller} must be a name; it got ${describeValue(given)}.`)
}

/**
 * Checks what `user` returned. `null`: the old session has no user.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function adoptedUser(given: unknown, caller: string): (AdoptedUser & { readonly userId: string }) | null {
  if (given === null || given === undefined) return null
  if (typeof given !== 'object')
    throw refusal(`"user" of ${caller} must return an object; it returned ${describeValue(given)}.`)
  const user = own(given) as AdoptedUser
  const userId: unknown = user.userId
  if (userId === null || userId === undefined || userId === '') return null
  if (typeof userId !== 'string') {
    throw refusal(`"user" of ${caller} must return userId as a text; it returned ${describeValue(userId)}.`)
  }
  return { ...user, userId }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function refusal(message: string): MisuseError {
  return new MisuseError('COATCHECK_INVALID_ARGUMENT', message)
}
