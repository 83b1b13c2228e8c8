/**
 * Questions to a provider that sign nobody in: what its metadata say, whether its keys can be read, whether it knows the client
 * and the redirect URI. Answers are facts; what they mean is for who asks.
 */
import { calculatePKCECodeChallenge, randomPKCECodeVerifier, refreshTokenGrant } from 'openid-client'
import type { ResolvedProvider } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import { OidcError } from '../core/errors.ts'
import { boundedFetch } from './bounded-fetch.ts'
import { factsOf, toDiscoveryError } from './oidc-errors.ts'
import { createProviderClients, type ProviderClient } from './provider-client.ts'

const QUESTION_MS = 10_000
/** No provider has given it to anybody: a client that is known is told so (`invalid_grant`), another one is turned away. */
const NOBODYS_REFRESH_TOKEN = 'coatcheck-doctor-asks-whether-this-client-is-known'

export interface ProviderMetadata {
  readonly jwksUri: string | null
  readonly responseModes: readonly string[] | null
  readonly codeChallengeMethods: readonly string[] | null
  readonly scopes: readonly string[] | null
}

export interface ProviderProbe {
  readonly metadata: ProviderMetadata
  /** How far its clock is ahead of ours, as far as it says; one second is the resolution. */
  readonly clockAheadMs: number | null
  /** How many signing keys it shows. @throws {OidcError} `COATCHECK_OIDC_DISCOVERY` when they cannot be read */
  signingKeys(): Promise<number>
  /** `null`: its answer says neither. Not for a public client. */
  knowsClient(): Promise<ClientAnswer | null>
  /** `null`: its answer says neither. */
  knowsRedirectUri(redirectUri: string): Promise<boolean | null>
}

export interface ClientAnswer {
  readonly isKnown: boolean
  /** The OAuth error, and Entra's number for it. */
  readonly says: string
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

async function signingKeys(jwksUri: string, clock: Clock, send: typeof fetch): Promise<number> {
  try {
    const answer = await boundedFetch(send)(jwksUri, {
      method: 'GET',
      headers: {},
      body: null,
      redirect: 'manual',
      signal: AbortSignal.timeout(QUESTION_MS),
    })
    if (!answer.ok) throw new OidcError('COATCHECK_OIDC_DISCOVERY', { message: `The answer is ${answer.status}.` })
    const { keys } = (await answer.json()) as { keys?: readonly { use?: string }[] }
    return keys?.filter(({ use = 'sig' }) => use === 'sig').length ?? 0
  } catch (error) {
    throw toDiscoveryError(error, clock)
  }
}

async function knowsClient(client: ProviderClient, clock: Clock): Promise<ClientAnswer | null> {
  try {
    await refreshTokenGrant(client.refresh, NOBODYS_REFRESH_TOKEN)
    return null
  } catch (error) {
    const { error: oauthError, errorCodes } = factsOf(error, clock)
    if (oauthError === undefined) throw error
    const says = [oauthError, ...(errorCodes?.slice(0, 1).map((code) => `AADSTS${code}`) ?? [])].join(', ')
    if (oauthError === 'invalid_client' || oauthError === 'unauthorized_client') return { isKnown: false, says }
    // Both come after the client was authenticated.
    return oauthError === 'invalid_grant' || oauthError === 'unsupported_grant_type' ? { isKnown: true, says } : null
  }
}

/** Asks for a sign-in without a page (`prompt=none`): it answers to the redirect URI, or shows why it does not go there. */
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
  const answer = await send(url, { redirect: 'manual', signal: AbortSignal.timeout(QUESTION_MS) })
  if (answer.headers.get('location')?.startsWith(redirectUri) === true) return true
  const page = (await answer.text()).slice(0, 65_536)
  if (/AADSTS50011\b|redirect_uri/i.test(page) && (answer.status >= 400 || page.includes('AADSTS50011'))) return false
  // Entra ID answers with a page that posts to the redirect URI.
  return page.includes(redirectUri) ? true : null
}
