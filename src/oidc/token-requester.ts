/**
 * Token requests after sign-in, through openid-client: refresh (RFC 6749 section 6), client credentials (section 4.4), on
 * behalf of a caller (Entra ID's flow, RFC 8693 elsewhere). The port of `token/`: one request per call, no retry, and what went
 * wrong as facts.
 */
import { clientCredentialsGrant, genericGrantRequest, refreshTokenGrant } from 'openid-client'
import type { Clock } from '../core/clock.ts'
import { OidcError } from '../core/errors.ts'
import { providerReasonIn } from '../core/provider-reason.ts'
import { RefreshFailure } from '../token/refresh-outcome.ts'
import type { DirectTokenRequest, RefreshedTokens, TokenRequester } from '../token/types.ts'
import { factsOf, scrubbed } from './oidc-errors.ts'
import type { ProviderClient, ProviderClients } from './provider-client.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer' // RFC 7523
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange' // RFC 8693
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
/** Network errors after which the provider cannot have seen the request. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

/** What the three grants of openid-client answer, as far as it matters. */
interface TokenAnswer {
  readonly access_token: string
  readonly expires_in?: number | undefined
  readonly refresh_token?: string | undefined
  readonly id_token?: string | undefined
  readonly scope?: string | undefined
}

export function createTokenRequester(clients: ProviderClients, clock: Clock): TokenRequester {
  const request = async (
    provider: string,
    signal: AbortSignal | undefined,
    send: (client: ProviderClient) => Promise<TokenAnswer>,
  ): Promise<RefreshedTokens> => {
    const client = await clientOf(clients, provider)
    // A request that has left is not cut off: its answer may hold the only valid refresh token.
    signal?.throwIfAborted()
    try {
      return tokensOf(await send(client))
    } catch (error) {
      throw failureOf(error, clock)
    }
  }

  return {
    refresh: (provider, { refreshToken, ...rest }) =>
      request(provider, rest.signal, (client) =>
        refreshTokenGrant(client.refresh, refreshToken, parametersOf(withOfflineAccess(client, rest))),
      ),

    requestAppToken: (provider, wish) =>
      request(provider, wish.signal, (client) =>
        clientCredentialsGrant(client.refresh, parametersOf(withDefaultScope(client, wish))),
      ),

    requestOnBehalfOf: (provider, { assertion, ...wish }) =>
      request(provider, wish.signal, (client) => {
        const parameters = parametersOf(withDefaultScope(client, wish))
        if (client.provider.preset === 'entra') {
          parameters.set('assertion', assertion)
          parameters.set('requested_token_use', 'on_behalf_of')
          return genericGrantRequest(client.refresh, JWT_BEARER, parameters)
        }
        parameters.set('subject_token', assertion)
        parameters.set('subject_token_type', ACCESS_TOKEN)
        return genericGrantRequest(client.refresh, TOKEN_EXCHANGE, parameters)
      }),
  }
}

/** Without scopes those of the grant apply (RFC 6749 section 6). */
function parametersOf({ scopes = [], resource, claims }: DirectTokenRequest): URLSearchParams {
  const parameters = new URLSearchParams()
  if (scopes.length > 0) parameters.set('scope', scopes.join(' '))
  if (resource !== undefined) parameters.set('resource', resource)
  if (claims !== undefined) parameters.set('claims', claims)
  return parameters
}

/** Entra ID hands out a new refresh token only to those who ask for offline_access each time. */
function withOfflineAccess({ provider }: ProviderClient, request: DirectTokenRequest): DirectTokenRequest {
  const { scopes = [] } = request
  const isAsked = scopes.length > 0 && provider.preset === 'entra' && provider.scopes.includes('offline_access')
  return isAsked ? { ...request, scopes: [...new Set([...scopes, 'offline_access'])] } : request
}

/** Entra ID knows no `resource`: what the application was granted there is the scope `<resource>/.default`. */
function withDefaultScope({ provider }: ProviderClient, request: DirectTokenRequest): DirectTokenRequest {
  const { resource, scopes = [], ...rest } = request
  if (provider.preset !== 'entra' || resource === undefined) return request
  return { ...rest, scopes: scopes.length > 0 ? scopes : [`${resource}/.default`] }
}

function tokensOf({ access_token, expires_in, refresh_token, id_token, scope }: TokenAnswer): RefreshedTokens {
  return {
    accessToken: access_token,
    expiresInSeconds: expires_in ?? null,
    ...(refresh_token !== undefined && { refreshToken: refresh_token }),
    ...(id_token !== undefined && { idToken: id_token }),
    scopes: scope?.split(' ').filter((name) => name !== '') ?? [],
  }
}

/** @throws {RefreshFailure} when discovery fails: the token request has not been sent */
export async function clientOf(clients: ProviderClients, provider: string): Promise<ProviderClient> {
  try {
    return await clients.get(provider)
  } catch (error) {
    if (!(error instanceof OidcError)) throw error
    const facts = { ...providerReasonIn(error.details), wasNeverSent: true } as const
    throw new RefreshFailure(facts, { cause: error, outcome: 'transient' })
  }
}

/** What went wrong with a request to a provider, as facts. */
export function failureOf(error: unknown, clock: Clock): RefreshFailure {
  const { isInvalidAnswer: _, ...facts } = factsOf(error, clock)
  const wasNeverSent = facts.reason !== undefined && NEVER_SENT.has(facts.reason)
  return new RefreshFailure({ ...facts, ...(wasNeverSent && { wasNeverSent }) }, { cause: scrubbed(error) })
}
