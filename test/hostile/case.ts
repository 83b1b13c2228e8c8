/** One answer of a hostile or broken provider, and how Coatcheck treats it. The cases are data; `run.ts` runs them. */
import type { HostileProvider } from '../support/hostile-provider.ts'

export interface HostileCase {
  /** Completes "The provider …". */
  readonly does: string
  /** `accepted`, or the error or outcome with the check that failed. */
  readonly result: string
  /** Changes the provider's answers. For a refresh case: after a sign-in with correct answers. */
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
