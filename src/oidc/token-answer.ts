/**
 * Checks of token answers that openid-client leaves to its caller: the type and the life of the access token (RFC 6749 section
 * 5.1), the authorized party and the signature of the ID token (OpenID Connect Core section 3.1.3.7), and the claims that a refreshed
 * ID token must share with the previous one (section 12.2).
 */
import type { ResolvedProvider } from '../config/types.ts'
import { systemClock } from '../core/clock.ts'
import { claimsIn } from '../token/token-subject.ts'
import { toleranceOf } from './clock-tolerance.ts'
import { shown } from './failed-checks.ts'
import { signInRefused } from './oidc-errors.ts'
import type { ProviderClient } from './provider-client.ts'

/** The parameters of a token answer that Coatcheck uses. */
export interface TokenAnswer {
  readonly access_token: string
  /** In lower case. */
  readonly token_type: string
  readonly expires_in?: number | undefined
  readonly refresh_token?: string | undefined
  readonly id_token?: string | undefined
  readonly scope?: string | undefined
}

/** A hundred years. A longer life is an error of the provider. */
const MAX_LIFE_SECONDS = 100 * 366 * 24 * 3600

/** Claims of a refreshed ID token that must equal those of the first one, if both tokens have them. */
const SAME_AS_BEFORE = [
  ['auth_time', 'authentication-time'],
  ['nonce', 'nonce'],
] as const

/** @throws {OidcError} `COATCHECK_SIGNIN_REJECTED` for a token that is no bearer token, and for an unusable `expires_in` */
export function assertTokenAnswer({ token_type: type, expires_in: lifeSeconds }: TokenAnswer): void {
  if (type !== 'bearer') {
    throw signInRefused('COATCHECK_SIGNIN_REJECTED', 'token-type', { expected: 'Bearer', got: shown(type) })
  }
  if (lifeSeconds !== undefined && !(lifeSeconds >= 0 && lifeSeconds <= MAX_LIFE_SECONDS)) {
    throw signInRefused('COATCHECK_SIGNIN_REJECTED', 'expires-in')
  }
}

/**
 * Checks an ID token whose other claims openid-client has checked.
 * @param before the ID token of the grant, at a refresh
 * @throws {OidcError} `COATCHECK_SIGNIN_REJECTED`
 */
export function assertIdToken(provider: ResolvedProvider, idToken: string, before?: string): void {
  const { clientId } = provider
  const claims = claimsIn(idToken) ?? {}
  // Section 3.1.3.7, rule 10: the library requires the claim but does not compare it.
  const { iat } = claims
  if (typeof iat === 'number' && iat > systemClock.now() / 1000 + toleranceOf(provider))
    throw signInRefused('COATCHECK_SIGNIN_REJECTED', 'issued-at')
  // Section 3.1.3.7, rule 5. The library checks it only if the token has several audiences.
  if (claims['azp'] !== undefined && claims['azp'] !== clientId) {
    const compared = { expected: shown(clientId), got: shown(claims['azp']) }
    throw signInRefused('COATCHECK_SIGNIN_REJECTED', 'authorized-party', compared)
  }
  const earlier = claimsIn(before) ?? {}
  const changed = SAME_AS_BEFORE.find(
    ([claim]) => claims[claim] !== undefined && earlier[claim] !== undefined && claims[claim] !== earlier[claim],
  )
  if (changed) throw signInRefused('COATCHECK_SIGNIN_REJECTED', changed[1])
}

/**
 * @throws {OidcError} `COATCHECK_SIGNIN_REJECTED` for a signature that no key of the provider confirms;
 *   `COATCHECK_OIDC_UNAVAILABLE` when its key set cannot be fetched
 */
export async function assertSigned({ keys }: ProviderClient, idToken: string): Promise<void> {
  const verdict = await keys.verify(idToken, 'provider')
  if (verdict !== 'valid') throw signInRefused('COATCHECK_SIGNIN_REJECTED', verdict)
}
