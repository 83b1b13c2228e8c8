/**
 * Checks the authorization response before the store and the token endpoint are used. openid-client repeats these checks when it redeems
 * the code. Here they run before the transaction is claimed.
 */
import { AuthorizationResponseError } from 'openid-client'
import type { Clock } from '../core/clock.ts'
import { shown } from './failed-checks.ts'
import { signInRefused, toSignInError } from './oidc-errors.ts'
import type { ProviderClient } from './provider-client.ts'

/** Parameters of flows that Coatcheck does not use: JARM, the implicit and the hybrid flow. */
const FOREIGN_PARAMETERS = ['response', 'id_token', 'token'] as const
/** RFC 6749 appendix A.11. A visitor chooses the code: no other character reaches the provider, and no text that is too long for it. */
const CODE = /^[\x20-\x7e]{1,8192}$/

/**
 * @throws {OidcError} `COATCHECK_SIGNIN_REJECTED` for another issuer, or for none where the provider announces one (RFC 9207), and for a
 *   response of another flow or without a code. For an error response: the error that `toSignInError` returns
 */
export function checkAuthorizationResponse(client: ProviderClient, parameters: URLSearchParams, clock: Clock): void {
  const metadata = client.signIn.serverMetadata()
  const issuer = parameters.get('iss')
  const isMissing = !issuer && metadata.authorization_response_iss_parameter_supported === true
  if (isMissing || (issuer && issuer !== metadata.issuer)) {
    const compared = { expected: shown(metadata.issuer), got: shown(issuer ?? undefined) }
    throw signInRefused('COATCHECK_SIGNIN_REJECTED', 'response-issuer', compared)
  }
  if (parameters.get('error')) {
    throw toSignInError(
      new AuthorizationResponseError('The provider answered with an error.', { cause: parameters }),
      clock,
    )
  }
  if (!CODE.test(parameters.get('code') ?? '') || FOREIGN_PARAMETERS.some((name) => parameters.has(name))) {
    throw signInRefused('COATCHECK_SIGNIN_REJECTED', 'response')
  }
}
