/**
 * Entra ID's on-behalf-of flow: an API sends the access token with which it was called, and receives one for another API and the same user.
 * It only accepts tokens of this provider, verified with its own keys.
 */
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import type Provider from 'oidc-provider'
import { entraEndpoints } from './entra-routes.ts'
import { apiIn, resourceServerOf } from './grant-rules.ts'
import type { OidcProviderModule } from './load-oidc-provider.ts'
import type { ResolvedDevOptions } from './options.ts'
import { findUserBySubject } from './people.ts'

export const ON_BEHALF_OF = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

interface Parameters {
  readonly assertion?: string
  readonly requested_token_use?: string
}

export function registerOnBehalfOf(
  provider: Provider,
  options: ResolvedDevOptions,
  { errors }: OidcProviderModule,
  url: string,
): void {
  const keys = createRemoteJWKSet(new URL(entraEndpoints(url, options.tenantId)['jwks_uri'] ?? url))
  const verified = async (assertion: string | undefined): Promise<JWTPayload> => {
    try {
      const { payload } = await jwtVerify(assertion ?? '', keys, { issuer: provider.issuer, algorithms: ['RS256'] })
      return payload
    } catch {
      throw new errors.InvalidGrant('the assertion is no valid access token of this provider')
    }
  }

  provider.registerGrantType<Parameters>(
    ON_BEHALF_OF,
    async (ctx) => {
      const { client, params } = ctx.oidc
      if (params.requested_token_use !== 'on_behalf_of') throw new errors.InvalidRequest('requested_token_use')
      const { sub = '' } = await verified(params.assertion)
      if (!findUserBySubject(sub)) throw new errors.InvalidGrant('the user of the assertion is unknown')
      const api = apiIn(params.scope, options.apis)
      if (!api) throw new errors.InvalidScope('no API of this provider is named', params.scope ?? '')
      const grant = new provider.Grant({ accountId: sub, clientId: client.clientId })
      const token = new provider.AccessToken({
        accountId: sub,
        client,
        grantId: await grant.save(),
        gty: ON_BEHALF_OF,
        scope: params.scope ?? '',
      })
      token.resourceServer = new provider.ResourceServer(api.audience, resourceServerOf(api, options))
      ctx.body = {
        access_token: await token.save(),
        expires_in: token.expiration,
        token_type: token.tokenType,
        scope: token.scope,
      }
    },
    ['assertion', 'requested_token_use', 'scope', 'claims'],
  )
}
