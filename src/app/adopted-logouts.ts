/**
 * Registers adopted sessions for logout at the provider. Coatcheck did not sign these users in, so it has no ID token. The description of the
 * old sign-in that `user()` returns replaces it.
 */
import type { Clock } from '../core/clock.ts'
import { isCoatcheckError } from '../core/errors.ts'
import type { BridgeStores } from '../migrate/cookie-bridge.ts'
import type { ProviderLogout } from '../oidc/provider-logout.ts'

/** How long an instance with a bridge remembers a logout: most old cookies expire within this time. */
export const ADOPTING_MARK_MS: number = 30 * 86_400_000
/** How far the clock of the old application may be ahead. */
const CLOCK_SLACK_MS = 5 * 60_000

export function adoptedLogouts(logout: Pick<ProviderLogout, 'register'>, clock: Clock): BridgeStores['register'] {
  return async ({ provider, issuer, subject, sid, authenticatedAtMs }, sessionId) => {
    // The application returned these values. Without them, no logout can name the session.
    if (!isName(provider) || !isName(issuer) || !isName(subject)) return true
    // An unknown time counts as earlier than every logout.
    const isTime = Number.isFinite(authenticatedAtMs) && authenticatedAtMs <= clock.now() + CLOCK_SLACK_MS
    const iat = isTime ? Math.max(0, Math.floor(authenticatedAtMs / 1000)) : 0
    try {
      await logout.register({ provider, issuer, subject, claims: { iat, ...(isName(sid) && { sid }) } }, sessionId)
      return true
    } catch (error) {
      if (isCoatcheckError(error) && error.code === 'COATCHECK_SIGNIN_REJECTED') return false
      throw error
    }
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
