/** One thing that a hostile or broken provider does, and what becomes of it. The cases are data; `run.ts` carries them out. */
import type { HostileProvider } from '../support/hostile-provider.ts'

export interface HostileCase {
  /** Completes "The provider …". */
  readonly does: string
  /** `accepted`, or the error or outcome with the check that failed. */
  readonly result: string
  /** Changes what the provider says. At a refresh: after a sign-in where it was honest. */
  readonly change: (provider: HostileProvider) => void | Promise<void>
  /** The relying-party module of the OpenID Foundation's conformance suite that tests the same. */
  readonly module?: string
}

export interface LogoutCase extends Omit<HostileCase, 'change'> {
  /** What is posted to the back-channel logout route. */
  readonly token: (provider: HostileProvider) => Promise<string> | string
}

export const REJECTED = 'COATCHECK_SIGNIN_REJECTED'
export const UNAVAILABLE = 'COATCHECK_OIDC_UNAVAILABLE'
export const DISCOVERY = 'COATCHECK_OIDC_DISCOVERY'
export const ACCEPTED = 'accepted'
