/** The public shapes of a sign-in: the user, how and on which device the user signed in, and what the new session stores. */
import type { Json } from '../core/json.ts'

/** The signed-in user: the id from `signIn.userId`, and the claims that `signIn.profile` returns. */
export interface User {
  /** Id of the user. Default: issuer and subject of the ID token, separated by a space. */
  readonly id: string
  readonly [claim: string]: Json | undefined
}

/** How the user signed in: facts from the ID token (OpenID Connect Core section 2). */
export interface Authentication {
  /** Name of the provider in the configuration. */
  readonly provider: string
  /** Issuer of the ID token: its claim `iss`. */
  readonly issuer: string
  /** Subject of the ID token: its claim `sub`. Unique at this issuer only. */
  readonly subject: string
  /** Id of the session at the provider: the claim `sid`. Never the id of the Coatcheck session. Absent: the provider sent none. */
  readonly sid?: string
  /**
   * When the user last authenticated, epoch milliseconds: the claim `auth_time`, or the time of the sign-in without one. A token
   * refresh does not change it.
   */
  readonly authenticatedAtMs: number
  /** True: the provider sent no `auth_time`, so `requireUser({ maxAge })` does not count the time. Absent: the time is known. */
  readonly isAuthTimeUnknown?: true
  /** Authentication context class: the claim `acr`. Absent: the provider sent none. */
  readonly acr?: string
  /** Authentication methods: the claim `amr`. Absent: the provider sent none. */
  readonly amr?: readonly string[]
}

/** Helps users to recognize a device in their list of sessions. No decision depends on it. */
export interface Device {
  /** Name of the browser, such as `Firefox`. Absent: unknown. */
  readonly browser?: string
  /** Name of the operating system, such as `Linux`. Absent: unknown. */
  readonly system?: string
  /** Network of the client: the first 24 bits of an IPv4 address, the first 48 bits of an IPv6 address. Absent: unknown. */
  readonly ip?: string
}

/** The input of a sign-in: what the new session stores. */
export interface SignInInput<D extends object> {
  /** Id of the user: any text that is not empty. */
  readonly userId: string
  /** Claims for `session.user`, without `id`, which is `userId`. Absent: the user has an id only. */
  readonly profile?: { readonly [claim: string]: Json | undefined }
  /** How the user signed in. Absent: `session.authentication` is `null`. */
  readonly authentication?: Authentication
  /**
   * Fields of the previous session that the new session takes over. All others end with the previous session. Fields of another user's
   * session are never taken over. Default: none.
   */
  readonly carry?: readonly (keyof D & string)[]
  /** First data of the session. It replaces fields that `carry` takes over. */
  readonly data?: Partial<D>
  /** Browser, system and network of the sign-in. Absent: unknown; a `Visit` derives it from the request. */
  readonly device?: Device
  /**
   * Runs after the new session is stored, before its ticket is sent and before the previous session ends. Use it for steps that
   * the sign-in must not miss, such as `tokens.setUserTokens()`. If it rejects, the new session ends, the previous one stays, and
   * `signIn` rejects with its error. If the new session was ended meanwhile, `signIn` rejects with `COATCHECK_SESSION_ENDED`. In both
   * cases the user's tokens are deleted, unless another session of the user is live. Default: no step.
   * @param sessionId id of the new session
   */
  readonly beforeComplete?: (sessionId: string) => Promise<unknown>
}
