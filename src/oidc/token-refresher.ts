/** The refresh grant (RFC 6749 section 6) through openid-client: the port of `token/`, one request per call, no retry. */
import { refreshTokenGrant } from 'openid-client'
import type { Clock } from '../core/clock.ts'
import { RefreshFailure } from '../token/refresh-outcome.ts'
import type { RefreshedTokens, RefreshRequest, TokenRefresher } from '../token/types.ts'
import { factsOf, scrubbed } from './oidc-errors.ts'
import type { ProviderClient, ProviderClients } from './provider-client.ts'

export function createTokenRefresher(clients: ProviderClients, clock: Clock): TokenRefresher {
  return {
    async refresh(provider, request): Promise<RefreshedTokens> {
      const client = await clients.get(provider)
      // A request that has left is not cut off: its answer may hold the only valid refresh token.
      request.signal?.throwIfAborted()
      try {
        const answer = await refreshTokenGrant(client.refresh, request.refreshToken, parametersOf(client, request))
        return {
          accessToken: answer.access_token,
          expiresInSeconds: answer.expires_in ?? null,
          ...(answer.refresh_token !== undefined && { refreshToken: answer.refresh_token }),
          ...(answer.id_token !== undefined && { idToken: answer.id_token }),
          scopes: answer.scope?.split(' ').filter((scope) => scope !== '') ?? [],
        }
      } catch (error) {
        const { status, error: oauthError, suberror, errorCodes, claims, retryAfterMs } = factsOf(error, clock)
        throw new RefreshFailure(
          {
            ...(status !== undefined && { status }),
            ...(oauthError !== undefined && { error: oauthError }),
            ...(suberror !== undefined && { suberror }),
            ...(errorCodes !== undefined && { errorCodes }),
            ...(claims !== undefined && { claims }),
            ...(retryAfterMs !== undefined && { retryAfterMs }),
          },
          { cause: scrubbed(error) },
        )
      }
    },
  }
}

/** Without scopes the grant's own apply (RFC 6749 section 6). */
function parametersOf({ provider }: ProviderClient, { scopes, resource }: RefreshRequest): URLSearchParams {
  const parameters = new URLSearchParams()
  // Entra ID hands out a new refresh token only to those who ask for offline_access each time.
  const kept = provider.preset === 'entra' && provider.scopes.includes('offline_access') ? ['offline_access'] : []
  if (scopes?.length) parameters.set('scope', [...new Set([...scopes, ...kept])].join(' '))
  if (resource !== undefined) parameters.set('resource', resource)
  return parameters
}
