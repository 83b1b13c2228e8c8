/** The revocation endpoint (RFC 7009) through openid-client. */
import { tokenRevocation } from 'openid-client'
import type { Clock } from '../core/clock.ts'
import type { TokenRevoker } from '../token/provider-revocations.ts'
import type { ProviderClients } from './provider-client.ts'
import { clientOf, failureOf } from './token-requester.ts'

export function createTokenRevoker(clients: ProviderClients, clock: Clock): TokenRevoker {
  return {
    async revoke(provider, refreshToken) {
      const client = await clientOf(clients, provider)
      if (client.refresh.serverMetadata().revocation_endpoint === undefined) return 'unsupported'
      try {
        await tokenRevocation(client.refresh, refreshToken, { token_type_hint: 'refresh_token' })
        return 'revoked'
      } catch (error) {
        throw failureOf(error, clock)
      }
    },
  }
}
