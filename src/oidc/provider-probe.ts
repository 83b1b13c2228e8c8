/**
 * Probes a provider without a sign-in: its metadata, whether its keys can be read, and whether it knows the client
 * and the redirect URI. The results are facts; the caller interprets them.
 */
import {
  calculatePKCECodeChallenge,
  clientCredentialsGrant,
  randomPKCECodeVerifier,
  refreshTokenGrant,
} from 'openid-client'
import type { ResolvedProvider } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import { OidcError } from '../core/errors.ts'
import { boundedFetch } from './bounded-fetch.ts'
import { factsOf, toDiscoveryError } from './oidc-errors.ts'
import { createProviderClients, type ProviderClient } from './provider-client.ts'

const QUESTION_MS = 10_000
/** No provider has issued this token. A known client gets `invalid_grant`; an unknown client is refused. */
const UNKNOWN_REFRESH_TOKEN = 'coatcheck-doctor-asks-whether-this-client-is-known'
/** Every tenant has this scope, and an application without permissions gets a token that opens nothing. Coatcheck drops it. */
const ENTRA_PROBE_SCOPE = 'https://graph.microsoft.com/.default'
/** Unknown tenant, unknown application, wrong secret, expired secret, unknown certificate. */
const ENTRA_REFUSES_CLIENT: readonly number[] = [90002, 900023, 700016, 7000215, 7000222, 700027]

export interface ProviderMetadata {
  readonly jwksUri: string | null
  readonly responseModes: readonly string[] | null
  readonly codeChallengeMethods: readonly string[] | null
  readonly scopes: readonly string[] | null
}

export interface ProviderProbe {
  readonly metadata: ProviderMetadata
  /** How far the provider's clock is ahead of this process, from its `Date` header (resolution: one second). `null`: it sends none. */
  readonly clockAheadMs: number | null
  /** Returns the number of signing keys. @throws {OidcError} `COATCHECK_OIDC_DISCOVERY` when they cannot be read */
  signingKeys(): Promise<number>
  /** `null`: the answer does not decide it. */
  knowsClient(): Promise<ClientAnswer | null>
  /** `null`: the answer does not decide it. */
  knowsRedirectUri(redirectUri: string): Promise<boolean | null>
}

export interface ClientAnswer {
  readonly isKnown: boolean
  /** The OAuth error, and Entra ID's number for it. */
  readonly says: string
  /** The number of Entra ID; `null` for other providers. */
  readonly number: number | null
}

/**
 * Reads the metadata.
 * @throws {OidcError} `COATCHECK_OIDC_DISCOVERY`
 * @throws {ConfigError} from `knowsClient`, when a file of the credential cannot be used
 */
export async function probeProvider(
  provider: ResolvedProvider,
  clock: Clock,
  send: typeof fetch = globalThis.fetch,
): Promise<ProviderProbe> {
  let dateMs: number | null = null
  const watching: typeof fetch = async (input, init) => {
    const response = await send(input, init)
    const shown = Date.parse(response.headers.get('date') ?? '')
    if (!Number.isNaN(shown)) dateMs ??= shown - clock.now()
    return response
  }
  const client = await createProviderClients([provider], { clock, fetch: watching }).get(provider.name)
  const metadata = client.signIn.serverMetadata()
  return {
    metadata: {
      jwksUri: metadata.jwks_uri ?? null,
      responseModes: metadata.response_modes_supported ?? null,
      codeChallengeMethods: metadata.code_challenge_methods_supported ?? null,
      scopes: metadata.scopes_supported ?? null,
    },
    clockAheadMs: dateMs,
    signingKeys: () => signingKeys(metadata.jwks_uri ?? '', clock, send),
    knowsClient: () => knowsClient(client, clock),
    knowsRedirectUri: (redirectUri) =>
      knowsRedirectUri(metadata.authorization_endpoint ?? '', provider.clientId, redirectUri, send),
  }
}

/** Sends a request that the library does not make: limited in time and size. */
export function ask(url: string, send: typeof fetch): Promise<Response> {
  const signal = AbortSignal.timeout(QUESTION_MS)
  return boundedFetch(send)(url, { method: 'GET', headers: {}, body: null, redirect: 'manual', signal })
}

async function signingKeys(jwksUri: string, clock: Clock, send: typeof fetch): Promise<number> {
  try {
    const answer = await ask(jwksUri, send)
    if (!answer.ok) throw new OidcError('COATCHECK_OIDC_DISCOVERY', { message: `The answer is ${answer.status}.` })
    const { keys } = (await answer.json()) as { keys?: readonly { use?: string }[] }
    return keys?.filter(({ use = 'sig' }) => use === 'sig').length ?? 0
  } catch (error) {
    throw toDiscoveryError(error, clock)
  }
}

async function knowsClient(client: ProviderClient, clock: Clock): Promise<ClientAnswer | null> {
  try {
    // Entra ID checks a refresh token before it checks the client, so a wrong secret would pass that request.
    if (client.provider.preset === 'entra') await clientCredentialsGrant(client.refresh, { scope: ENTRA_PROBE_SCOPE })
    else await refreshTokenGrant(client.refresh, UNKNOWN_REFRESH_TOKEN)
    return { isKnown: true, says: 'a token', number: null }
  } catch (error) {
    const { error: oauthError, errorCodes } = factsOf(error, clock)
    if (oauthError === undefined) throw error
    const [number = null] = errorCodes ?? []
    const says = number === null ? oauthError : `${oauthError}, AADSTS${number}`
    if (oauthError === 'invalid_client' || (number !== null && ENTRA_REFUSES_CLIENT.includes(number))) {
      return { isKnown: false, says, number }
    }
    return AFTER_AUTHENTICATION.has(oauthError) ? { isKnown: true, says, number } : null
  }
}

/** RFC 6749 section 5.2: errors that follow a successful client authentication. */
const AFTER_AUTHENTICATION: ReadonlySet<string> = new Set([
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
])

/** Requests a sign-in without a page (`prompt=none`). The provider redirects to the redirect URI, or shows why it does not. */
async function knowsRedirectUri(
  endpoint: string,
  clientId: string,
  redirectUri: string,
  send: typeof fetch,
): Promise<boolean | null> {
  const url = new URL(endpoint)
  const parameters = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid',
    prompt: 'none',
    state: randomPKCECodeVerifier(),
    nonce: randomPKCECodeVerifier(),
    code_challenge: await calculatePKCECodeChallenge(randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  const answer = await ask(url.href, send)
  if (answer.headers.get('location')?.startsWith(redirectUri) === true) return true
  const page = (await answer.text()).slice(0, 65_536)
  if (/AADSTS50011\b|redirect_uri/i.test(page) && (answer.status >= 400 || page.includes('AADSTS50011'))) return false
  // Entra ID answers with a page that posts to the redirect URI.
  return page.includes(redirectUri) ? true : null
}
