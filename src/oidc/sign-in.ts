/**
 * Starts a sign-in: a transaction for a cookie of the browser, and an authorization URL. It always uses the code flow with PKCE S256, state
 * and nonce. A visitor can set only a login hint and a stricter `max_age` (OWASP ASVS 10.2.3). Scopes, claims, prompt and redirect URI come
 * from configuration and application code only. Claims and scopes that tokens need travel as signed parameters (`sign-in-params.ts`).
 */
import { buildAuthorizationUrl, calculatePKCECodeChallenge, randomPKCECodeVerifier } from 'openid-client'
import type { ResolvedProvider } from '../config/types.ts'
import { OidcError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { Random } from '../core/random.ts'
import type { Keyring } from '../keyring/keyring.ts'
import { accountPromptOf } from './account-prompt.ts'
import type { ProviderClients } from './provider-client.ts'
import { freshSignIn } from './fresh-sign-in.ts'
import type { SignedParams } from './sign-in-params.ts'
import type { StartedTransaction, Transactions } from './transaction.ts'

const NONCE_BYTES = 32
const MAX_HINT_CHARACTERS = 254 // the longest e-mail address, RFC 5321

export interface SignInRequest {
  /** Default: the first provider. */
  readonly provider?: string
  /** A path that `http/return-to.ts` has accepted. */
  readonly returnTo?: string | null
  /** The user that the provider should suggest. Any value other than a short plain text is ignored. */
  readonly loginHint?: string | null
  /** From application code only. */
  readonly prompt?: 'login' | 'select_account' | 'consent' | 'none'
  /** True: the provider asks which account to use, even if it remembers one. `prompt` has precedence. */
  readonly asksAccount?: boolean
  /** The longest time since the user's authentication, in seconds; the callback verifies it. */
  readonly maxAgeSeconds?: number | null
  /** Claims and scopes that a provider or a resource requested; see `sign-in-params.ts`. */
  readonly params?: SignedParams | null
}

export interface StartedSignIn {
  readonly url: URL
  readonly transaction: StartedTransaction
}

export interface SignInDeps {
  readonly clients: ProviderClients
  readonly transactions: Transactions
  readonly keyring: Keyring
  readonly random: Random
  readonly events: EventBus
  /** Redirect URI of a provider, from configuration; see `redirectUriOf`. */
  readonly redirectUri: (provider: ResolvedProvider) => string
}

/**
 * Starts a sign-in without using the store.
 * @throws {OidcError} `COATCHECK_REQUEST_INVALID` for an unknown provider, `COATCHECK_OIDC_DISCOVERY` when its metadata cannot be read
 */
export async function startSignIn(deps: SignInDeps, request: SignInRequest): Promise<StartedSignIn> {
  const provider = deps.clients.find(request.provider)
  if (!provider) throw new OidcError('COATCHECK_REQUEST_INVALID', { details: { reason: 'provider' } })
  const client = await deps.clients.get(provider.name)
  const maxAgeSeconds = request.maxAgeSeconds ?? null
  const nonce = deps.random.bytes(NONCE_BYTES).toString('base64url')
  const codeVerifier = randomPKCECodeVerifier()
  const redirectUri = deps.redirectUri(provider)
  const transaction = deps.transactions.start({
    provider: provider.name,
    issuer: provider.issuer,
    clientId: provider.clientId,
    redirectUri,
    nonce,
    codeVerifier,
    returnTo: request.returnTo ?? null,
    maxAgeSeconds,
  })
  const parameters = new URLSearchParams({
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: [...new Set([...provider.scopes, ...(request.params?.scopes ?? [])])].join(' '),
    state: transaction.state,
    nonce,
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  })
  if (provider.responseMode === 'form_post') parameters.set('response_mode', 'form_post')
  const hint = plainHint(request.loginHint)
  if (hint !== null) parameters.set('login_hint', hint)
  const fresh = maxAgeSeconds === null ? null : freshSignIn(provider, maxAgeSeconds, request.params?.claims ?? null)
  const account = request.asksAccount ? accountPromptOf(provider, client.promptValues) : null
  const prompt = request.prompt ?? fresh?.prompt ?? account
  if (prompt !== null) parameters.set('prompt', prompt)
  if (fresh) parameters.set('max_age', fresh.maxAge)
  const claims = fresh?.claims ?? request.params?.claims
  if (claims) parameters.set('claims', claims)
  deps.events.emit('signin.started', { provider: provider.name })
  return { url: buildAuthorizationUrl(client.signIn, parameters), transaction }
}

/**
 * The first provider returns to `<basePath>/callback`, every other one to its own address. So an answer of
 * one provider can never pass as that of another (RFC 9700 section 4.4.2.2; Entra ID sends no `iss`).
 */
export function redirectUriOf(
  baseUrl: URL,
  basePath: string,
  providers: readonly ResolvedProvider[],
): SignInDeps['redirectUri'] {
  return ({ name }) => {
    const isFirst = providers[0]?.name === name
    return new URL(`${basePath}/callback${isFirst ? '' : `/${encodeURIComponent(name)}`}`, baseUrl.origin).href
  }
}

function plainHint(hint: string | null | undefined): string | null {
  if (!hint || hint.length > MAX_HINT_CHARACTERS) return null
  return /^[\p{L}\p{N}\p{P}\p{S} ]+$/u.test(hint) ? hint : null
}
