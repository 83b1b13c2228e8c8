/**
 * Logout at the provider, for sessions that a bridge adopts. They have seen no sign-in of ours, so what `user()` says of the old sign-in
 * takes the place of its ID token.
 */
import type { Clock } from '../core/clock.ts'
import { isCoatcheckError } from '../core/errors.ts'
import type { BridgeStores } from '../migrate/cookie-bridge.ts'
import type { ProviderLogout } from '../oidc/provider-logout.ts'

/** While an instance adopts, a logout is remembered as long as most old cookies can be shown. */
export const ADOPTING_MARK_MS: number = 30 * 86_400_000
/** As far may the clock of the old application be ahead. */
const CLOCK_SLACK_MS = 5 * 60_000

export function adoptedLogouts(logout: Pick<ProviderLogout, 'register'>, clock: Clock): BridgeStores['register'] {
  return async ({ provider, issuer, subject, sid, authenticatedAtMs }, sessionId) => {
    // What the application returned. Without these names, no logout can mean the session.
    if (!isName(provider) || !isName(issuer) || !isName(subject)) return true
    // An unknown time lies before every logout.
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
