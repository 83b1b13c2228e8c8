/**
 * Completes a sign-in when the browser returns from the provider. It checks the answer against the transaction of this browser, claims the
 * transaction in the store, redeems the code, and returns the identity. Checks that need neither the store nor the provider come first.
 * Sessions and cookies belong to `http/`, which creates a session from the result.
 */
import { authorizationCodeGrant } from 'openid-client'
import type { Identity, ResolvedProvider } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import { parseJson } from '../core/json.ts'
import type { TokenSet } from '../token/types.ts'
import { checkAuthorizationResponse } from './authorization-response.ts'
import { identityOf } from './identity.ts'
import { signInRefused, toSignInError } from './oidc-errors.ts'
import type { ProviderClient, ProviderClients } from './provider-client.ts'
import type { Redemptions } from './redemptions.ts'
import { assertIdToken, assertSigned, assertTokenAnswer } from './token-answer.ts'
import type { Transaction, Transactions } from './transaction.ts'

const SINGLE_PARAMETERS = ['state', 'code', 'iss', 'error', 'response', 'id_token'] as const
const MAX_STATE_CHARACTERS = 256
/** Assumed when a provider does not report the life of its access token (RFC 6749 section 5.1 only recommends it). */
const ASSUMED_TOKEN_LIFE_MS = 5 * 60_000

export interface CallbackAnswer {
  /** The parameters, from the query or the form. */
  readonly parameters: URLSearchParams
  /** The address where the answer arrived, built from configuration and never from the request's host. */
  readonly redirectUri: string
  /** Returns the value of this browser's cookie for the transaction; `null` without one. */
  readonly sealed: (transactionId: string) => string | null
}

export interface CompletedSignIn {
  readonly identity: Identity
  readonly tokens: TokenSet
  readonly returnTo: string | null
}

export interface CallbackDeps {
  readonly clients: ProviderClients
  readonly transactions: Transactions
  readonly redemptions: Redemptions
  readonly clock: Clock
}

/**
 * Returns the state of an answer.
 * @throws {OidcError} `COATCHECK_SIGNIN_REJECTED` when it is missing, too long, or a parameter appears twice (RFC 6749
 *   section 3.1)
 */
export function stateOf(parameters: URLSearchParams): string {
  if (SINGLE_PARAMETERS.some((name) => parameters.getAll(name).length > 1)) {
    throw signInRefused('COATCHECK_SIGNIN_REJECTED', 'duplicate-parameter')
  }
  const state = parameters.get('state')
  if (!state || state.length > MAX_STATE_CHARACTERS) throw signInRefused('COATCHECK_SIGNIN_REJECTED', 'state')
  return state
}

/**
 * Completes the sign-in. It sends at most one token request for any number of answers with one state.
 * @throws {OidcError} `COATCHECK_SIGNIN_EXPIRED` for a transaction that is unknown, used, too old or of another browser;
 *   `COATCHECK_SIGNIN_REJECTED`, `COATCHECK_SIGNIN_DENIED`, `COATCHECK_OIDC_CLIENT_REJECTED`, `COATCHECK_OIDC_UNAVAILABLE`. If
 *   the provider gate lets no request through, `COATCHECK_OIDC_UNAVAILABLE` comes before the claim, so the same answer works later
 * @throws {RedisError} when the store did not answer. The code is not redeemed, so the same answer works later
 */
export async function completeSignIn(deps: CallbackDeps, answer: CallbackAnswer): Promise<CompletedSignIn> {
  const { clients, transactions, clock } = deps
  const state = stateOf(answer.parameters)
  const id = transactions.idOf(state)
  const sealed = answer.sealed(id)
  if (sealed === null) throw signInRefused('COATCHECK_SIGNIN_EXPIRED', 'browser')
  const transaction = transactions.open(id, sealed)
  if (!transaction) throw signInRefused('COATCHECK_SIGNIN_EXPIRED', 'transaction')
  const client = await clients.get(boundProvider(deps, transaction, answer.redirectUri).name)
  checkAuthorizationResponse(client, answer.parameters, clock)
  // If the gate refuses requests, the transaction stays unused: the same answer works later.
  const reservation = await deps.redemptions.reserve(client.provider.name)
  try {
    if (!(await transactions.claim(transaction))) throw signInRefused('COATCHECK_SIGNIN_EXPIRED', 'used')
    const { claims, tokens } = await reservation
      .redeem(() => redeem(client, transaction, state, answer, clock))
      .catch((error: unknown) => {
        throw toSignInError(error, clock)
      })
    return { identity: identityOf(client.provider, claims), tokens, returnTo: transaction.returnTo }
  } finally {
    reservation.leave()
  }
}

/** Returns the provider where the transaction started, if this is its redirect URI and its configuration is unchanged. */
function boundProvider(
  { clients, transactions }: CallbackDeps,
  transaction: Transaction,
  redirectUri: string,
): ResolvedProvider {
  const provider = clients.find(transaction.provider)
  if (!provider || !transactions.isBoundTo(transaction, { ...provider, redirectUri })) {
    throw signInRefused('COATCHECK_SIGNIN_REJECTED', 'provider')
  }
  return provider
}

async function redeem(
  client: ProviderClient,
  transaction: Transaction,
  state: string,
  answer: CallbackAnswer,
  clock: Clock,
): Promise<{ claims: Readonly<Record<string, unknown>>; tokens: TokenSet }> {
  const url = new URL(answer.redirectUri)
  url.search = answer.parameters.toString()
  // Read before the request: a slow answer must not make a token look younger than it is.
  const sentAtMs = clock.now()
  const result = await authorizationCodeGrant(client.signIn, url, {
    expectedState: state,
    expectedNonce: transaction.nonce,
    pkceCodeVerifier: transaction.codeVerifier,
    idTokenExpected: true,
    ...(transaction.maxAgeSeconds !== null && { maxAge: transaction.maxAgeSeconds }),
  })
  const claims = result.claims()
  if (!claims || result.id_token === undefined) throw signInRefused('COATCHECK_SIGNIN_REJECTED', 'id-token')
  assertTokenAnswer(result)
  assertIdToken(client.provider, result.id_token)
  await assertSigned(client, result.id_token)
  const lifeMs = result.expires_in === undefined ? ASSUMED_TOKEN_LIFE_MS : result.expires_in * 1000
  return {
    claims: parseJson(JSON.stringify(claims)) as typeof claims,
    tokens: {
      accessToken: result.access_token,
      expiresAt: sentAtMs + lifeMs,
      refreshToken: result.refresh_token ?? null,
      idToken: result.id_token,
      // An omitted scope means: granted as requested (RFC 6749 section 5.1).
      scopes: result.scope?.split(' ').filter((scope) => scope !== '') ?? client.provider.scopes,
    },
  }
}
