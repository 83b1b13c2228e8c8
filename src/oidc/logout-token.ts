/**
 * Verifies logout tokens of OpenID Connect Back-Channel Logout 1.0 (section 2.6): all its rules, each with its own reason.
 * Checks without cost come first, and the signature is verified before anything is stored. So forged tokens cost neither requests to
 * the provider nor commands to the store.
 */
import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose'
import type { ResolvedProvider } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import { OidcError } from '../core/errors.ts'
import { safeUrl } from '../core/redact.ts'
import { shown } from './failed-checks.ts'
import { toleranceOf } from './clock-tolerance.ts'
import { isIssuerOf } from './identity.ts'
import { SIGNATURE_ALGORITHMS } from './key-set.ts'
import type { ProviderClients } from './provider-client.ts'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const MAX_TOKEN_CHARACTERS = 16_384
const MAX_NAME_CHARACTERS = 512
/** A provider sends a token when the user signs out, and repeats it for a short time. An older token may be a replay. */
const MAX_AGE_SECONDS = 300

/** Why a logout token is refused: part of the response, for the operators of the provider. */
export type LogoutRefusal =
  | 'too-long'
  | 'encrypted'
  | 'malformed'
  | 'algorithm'
  | 'type'
  | 'issuer'
  | 'audience'
  | 'issued-at'
  | 'too-old'
  | 'expired'
  | 'subject'
  | 'events'
  | 'nonce'
  | 'token-id'
  | 'signature'
  | 'replayed'

export interface LogoutToken {
  readonly issuer: string
  readonly subject: string | null
  /** The provider's session. `null`: the token covers all sessions of the subject. */
  readonly sid: string | null
  readonly tokenId: string
  /** Epoch seconds of the provider. */
  readonly issuedAtSeconds: number
  /** No instance accepts the token after this time of its clock. */
  readonly takenUntilSeconds: number
}

export interface LogoutTokens {
  /**
   * @throws {OidcError} `COATCHECK_REQUEST_INVALID` with the refusal as `details.check`; `COATCHECK_OIDC_UNAVAILABLE` or
   *   `COATCHECK_OIDC_DISCOVERY` when the provider's keys cannot be fetched
   */
  verify(provider: ResolvedProvider, token: string): Promise<LogoutToken>
}

export function createLogoutTokens(clients: ProviderClients, clock: Clock): LogoutTokens {
  const assertSigned = async (provider: ResolvedProvider, token: string): Promise<void> => {
    const { keys } = await clients.get(provider.name)
    const verdict = await keys.verify(token, 'visitor')
    if (verdict !== 'valid') throw refused('signature', { reason: verdict })
  }

  return {
    async verify(provider, token) {
      const claims = readable(provider, token)
      const checked = checkClaims(provider, claims, Math.floor(clock.now() / 1000))
      await assertSigned(provider, token)
      return checked
    },
  }
}

export function refused(
  check: LogoutRefusal,
  compared: { readonly expected?: string; readonly got?: string; readonly reason?: string } = {},
): OidcError {
  return new OidcError('COATCHECK_REQUEST_INVALID', { details: { check, ...compared } })
}

/** Makes all checks that need no key. */
function readable({ allowUntypedLogoutTokens }: ResolvedProvider, token: string): JWTPayload {
  if (token.length > MAX_TOKEN_CHARACTERS) throw refused('too-long')
  const parts = token.split('.')
  // Section 2.4: encrypted only if the client is registered for it. Coatcheck has no option for that.
  if (parts.length === 5) throw refused('encrypted')
  if (parts.length !== 3) throw refused('malformed')
  // The signature is not verified yet: the decoder returns an object, and the header fields may have any type.
  let header: { readonly alg?: unknown; readonly typ?: unknown }
  let claims: JWTPayload
  try {
    header = decodeProtectedHeader(token)
    claims = decodeJwt(token)
  } catch {
    throw refused('malformed')
  }
  const { alg, typ = '' } = header
  if (typeof typ !== 'string') throw refused('malformed')
  if (typeof alg !== 'string' || !SIGNATURE_ALGORITHMS.includes(alg)) throw refused('algorithm')
  // Explicit typing excludes ID and access tokens (section 2.4). Older providers omit the type, or send JWT.
  const type = typ.toLowerCase().replace(/^application\//, '')
  const isUntyped = type === '' || type === 'jwt'
  if (type !== 'logout+jwt' && !(isUntyped && allowUntypedLogoutTokens)) throw refused('type')
  return claims
}

function checkClaims(provider: ResolvedProvider, claims: JWTPayload, nowSeconds: number): LogoutToken {
  const { iss, aud, iat, nbf, exp, sub, sid, events, jti } = claims
  if (typeof iss !== 'string' || !isIssuerOf(provider, iss)) {
    throw refused('issuer', { expected: safeUrl(provider.issuer), got: shown(iss) })
  }
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!audiences.includes(provider.clientId)) {
    throw refused('audience', { expected: provider.clientId, got: shown(aud) })
  }
  const toleranceSeconds = toleranceOf(provider)
  if (typeof iat !== 'number' || iat > nowSeconds + toleranceSeconds) throw refused('issued-at')
  if (iat + MAX_AGE_SECONDS + toleranceSeconds <= nowSeconds) throw refused('too-old')
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= nowSeconds + toleranceSeconds))
    throw refused('issued-at')
  // REQUIRED since the Final version of the specification.
  if (typeof exp !== 'number' || exp + toleranceSeconds <= nowSeconds) throw refused('expired')
  if ((sub === undefined && sid === undefined) || !isName(sub ?? sid) || !isName(sid ?? sub)) throw refused('subject')
  const event = isObject(events) ? events[EVENT] : undefined
  if (!isObject(event)) throw refused('events')
  // An ID token that is sent as a logout token.
  if ('nonce' in claims) throw refused('nonce')
  if (!isName(jti)) throw refused('token-id')
  return {
    issuer: iss,
    subject: sub ?? null,
    sid: (sid as string | undefined) ?? null,
    tokenId: jti,
    issuedAtSeconds: iat,
    takenUntilSeconds: Math.min(exp, iat + MAX_AGE_SECONDS) + toleranceSeconds,
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_CHARACTERS
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
