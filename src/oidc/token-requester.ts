/**
 * Sends token requests after sign-in, through openid-client: refresh (RFC 6749 section 6), client credentials (section 4.4), and on
 * behalf of a caller (Entra ID's flow, RFC 8693 elsewhere). It implements the port of `token/`: one request per call, no retry, and
 * failures as facts.
 */
import { clientCredentialsGrant, genericGrantRequest, refreshTokenGrant } from 'openid-client'
import type { Clock } from '../core/clock.ts'
import { OidcError } from '../core/errors.ts'
import { parseJson } from '../core/json.ts'
import { providerReasonIn } from '../core/provider-reason.ts'
import { RefreshFailure, type RefusedAnswer } from '../token/refresh-outcome.ts'
import { subjectIn } from '../token/token-subject.ts'
import type { DirectTokenRequest, RefreshedTokens, TokenRequester } from '../token/token-requester.ts'
import { type SeenAnswer, watchAnswer } from './bounded-fetch.ts'
import { factsOf, type ProviderFacts, scrubbed } from './oidc-errors.ts'
import type { ProviderClient, ProviderClients } from './provider-client.ts'
import { assertIdToken, assertSigned, assertTokenAnswer, type TokenAnswer } from './token-answer.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer' // RFC 7523
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange' // RFC 8693
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
/** Network errors after which the provider cannot have seen the request. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

export function createTokenRequester(clients: ProviderClients, clock: Clock): TokenRequester {
  const request = async (
    provider: string,
    signal: AbortSignal | undefined,
    send: (client: ProviderClient) => Promise<TokenAnswer>,
    accept: (client: ProviderClient, answer: TokenAnswer) => Promise<RefreshedTokens> = (_, answer) =>
      Promise.resolve(tokensOf(answer)),
  ): Promise<RefreshedTokens> => {
    const client = await clientOf(clients, provider)
    // A sent request is not aborted: its answer may hold the only valid refresh token.
    signal?.throwIfAborted()
    const watched = watchAnswer(() => send(client))
    try {
      const answer = await watched.result
      assertTokenAnswer(answer)
      return await accept(client, answer)
    } catch (error) {
      throw failureOf(error, clock, watched.seen)
    }
  }

  return {
    refresh: (provider, { refreshToken, idToken, ...rest }) =>
      request(
        provider,
        rest.signal,
        (client) => refreshTokenGrant(client.refresh, refreshToken, parametersOf(withOfflineAccess(client, rest))),
        async (client, answer) => ({ ...tokensOf(answer), ...(await identityIn(client, answer, idToken)) }),
      ),

    requestAppToken: (provider, params) =>
      request(provider, params.signal, (client) =>
        clientCredentialsGrant(client.refresh, parametersOf(withDefaultScope(client, params))),
      ),

    requestOnBehalfOf: (provider, { assertion, ...params }) =>
      request(provider, params.signal, (client) => {
        const parameters = parametersOf(withDefaultScope(client, params))
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

/** Without scopes, the scopes of the grant apply (RFC 6749 section 6). */
function parametersOf({ scopes = [], resource, claims }: DirectTokenRequest): URLSearchParams {
  const parameters = new URLSearchParams()
  if (scopes.length > 0) parameters.set('scope', scopes.join(' '))
  if (resource !== undefined) parameters.set('resource', resource)
  if (claims !== undefined) parameters.set('claims', claims)
  return parameters
}

/** Entra ID returns a new refresh token only if each request asks for `offline_access`. */
function withOfflineAccess({ provider }: ProviderClient, request: DirectTokenRequest): DirectTokenRequest {
  const { scopes = [] } = request
  const isAsked = scopes.length > 0 && provider.preset === 'entra' && provider.scopes.includes('offline_access')
  return isAsked ? { ...request, scopes: [...new Set([...scopes, 'offline_access'])] } : request
}

/** Entra ID has no `resource` parameter. The scope `<resource>/.default` covers what the application was granted there. */
function withDefaultScope({ provider }: ProviderClient, request: DirectTokenRequest): DirectTokenRequest {
  const { resource, scopes = [], ...rest } = request
  if (provider.preset !== 'entra' || resource === undefined) return request
  return { ...rest, scopes: scopes.length > 0 ? scopes : [`${resource}/.default`] }
}

/** @throws {OidcError} when a check refuses the ID token; a key set that cannot be fetched refuses no token */
async function identityIn(
  client: ProviderClient,
  { id_token: idToken }: TokenAnswer,
  before: string | undefined,
): Promise<Pick<RefreshedTokens, 'idToken' | 'subject'>> {
  if (idToken === undefined) return {}
  assertIdToken(client.provider, idToken, before)
  const subject = subjectIn(idToken)
  const isVerified = await assertSigned(client, idToken).then(
    () => true,
    (error: unknown) => {
      if (error instanceof OidcError && error.code === 'COATCHECK_OIDC_UNAVAILABLE') return false
      throw error
    },
  )
  return { ...(subject && { subject }), ...(isVerified && { idToken }) }
}

function tokensOf({ access_token, expires_in, refresh_token, scope }: TokenAnswer): RefreshedTokens {
  return {
    accessToken: access_token,
    expiresInSeconds: expires_in ?? null,
    ...(refresh_token !== undefined && { refreshToken: refresh_token }),
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

/**
 * Returns the facts of a failed request to a provider.
 * @param seen the answer, if one arrived: the provider has then carried out the request, and no caller repeats it
 */
export function failureOf(error: unknown, clock: Clock, seen?: SeenAnswer): RefreshFailure {
  if (error instanceof RefreshFailure) return error
  const { isInvalidAnswer, ...facts } = error instanceof OidcError ? refusalFacts(error) : factsOf(error, clock)
  const wasNeverSent = facts.reason !== undefined && NEVER_SENT.has(facts.reason)
  const status = facts.status ?? seen?.status ?? undefined
  const answer = refusedAnswerIn(seen)
  const isRefused = isInvalidAnswer === true || (status === 200 && answer.refreshToken !== null)
  return new RefreshFailure(
    { ...facts, ...(status !== undefined && { status }), ...(wasNeverSent && { wasNeverSent }) },
    { cause: scrubbed(error), ...(isRefused && { outcome: 'invalid-answer', answer }) },
  )
}

/** Facts of a check that failed in Coatcheck, or of a key set that could not be fetched. */
function refusalFacts({ code, details }: OidcError): ProviderFacts {
  return { ...providerReasonIn(details), isInvalidAnswer: code === 'COATCHECK_SIGNIN_REJECTED' }
}

function bodyOf(seen: SeenAnswer | undefined): { readonly id_token?: unknown; readonly refresh_token?: unknown } {
  try {
    return (parseJson(seen?.text ?? '') as object | null) ?? {}
  } catch {
    return {}
  }
}

/** Reads parts of the answer. None of them is verified. */
function refusedAnswerIn(seen: SeenAnswer | undefined): RefusedAnswer {
  const { id_token: idToken, refresh_token: refreshToken } = bodyOf(seen)
  return {
    subject: typeof idToken === 'string' ? subjectIn(idToken) : null,
    refreshToken: typeof refreshToken === 'string' && refreshToken !== '' ? refreshToken : null,
  }
}
