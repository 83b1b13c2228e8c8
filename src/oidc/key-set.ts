/**
 * The key set of a provider (`jwks_uri`). One copy serves ID tokens of sign-ins and refreshes, and logout tokens. A token that
 * names an unknown key causes one immediate fetch, so a provider may replace its keys without notice. The number of such fetches is
 * limited. The limit is lower for tokens that any visitor can send. If the limit prevents the fetch, such a token gets no verdict:
 * it may be a genuine token of a new key, and its sender can repeat it.
 */
import {
  compactVerify,
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type LocalJWKSet,
} from 'jose'
import type { CustomFetch } from 'openid-client'
import type { ResolvedProvider } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import { OidcError } from '../core/errors.ts'
import { parseJson } from '../core/json.ts'
import { safeUrl } from '../core/redact.ts'
import { signsForIssuer } from './key-issuer.ts'
import { detailsOf, factsOf, scrubbed } from './oidc-errors.ts'

/** Asymmetric algorithms only: never `none`, and no HMAC with the client secret. */
export const SIGNATURE_ALGORITHMS: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]
/** How long a fetched key set is used. After that, a key that the provider has withdrawn verifies nothing. */
const MAX_AGE_MS = 5 * 60_000
const TIMEOUT_MS = 10_000
/** After a failed fetch, tokens of visitors cause no fetch for this time. */
const VISITOR_RETRY_MS = 5000
/** The time in which fetches are counted. */
const WINDOW_MS = 60_000
/** Key ids of the provider's tokens that a new fetch did not bring, remembered for `WINDOW_MS`. */
const MAX_UNKNOWN_IDS = 100

/**
 * The sender of a token. `provider`: it came from the token endpoint over TLS. `visitor`: any visitor can post it, and choose its key
 * id.
 */
export type TokenSender = 'provider' | 'visitor'

/** Fetches in one `WINDOW_MS` because of unknown key ids. For `provider`, fetches of a missing or old key set count too. */
const FETCHES: Readonly<Record<TokenSender, number>> = { provider: 2, visitor: 1 }

/**
 * `signing-key`: the key set holds no key, or more than one, that the token can refer to. `key-issuer`: the key signs for another tenant
 * of Entra ID.
 */
export type SignatureVerdict = 'valid' | 'algorithm' | 'signing-key' | 'signature' | 'key-issuer'

export interface ProviderKeys {
  /** The `jwks_uri` of the metadata. */
  readonly url: string
  /**
   * Verifies the signature of a compact JWS and, at Entra ID, that the key signs for its issuer. Nothing else.
   * @throws {OidcError} `COATCHECK_OIDC_UNAVAILABLE` when the key set cannot be fetched. Also for a visitor's token with an unknown key id,
   *   when the limit prevents the fetch: with `details.reason` `key-fetches`, and `details.retryAfterMs` until the next fetch.
   */
  verify(token: string, sender: TokenSender): Promise<SignatureVerdict>
}

interface Fetched {
  readonly keys: LocalJWKSet
  /** As they were fetched. */
  readonly set: JSONWebKeySet
  readonly atMs: number
  /** The number of its request, counted from 1. */
  readonly request: number
}

export function createProviderKeys(deps: {
  readonly provider: Pick<ResolvedProvider, 'name' | 'preset'>
  readonly url: string
  readonly send: CustomFetch
  readonly clock: Clock
}): ProviderKeys {
  const { provider, url, send, clock } = deps
  let fetched: Fetched | null = null
  let pending: Promise<Fetched> | null = null
  let failed: { readonly error: OidcError; readonly untilMs: number } | null = null
  let requests = 0
  const fetchTimes: Record<TokenSender, number[]> = { provider: [], visitor: [] }
  // Only key ids of the provider's tokens: a key id that a visitor guesses before the provider uses it would delay sign-ins.
  const unknownIds = new Map<string, number>()
  const verdictFor = (token: string, keys: Fetched): Promise<SignatureVerdict> =>
    verdictOf(token, keys, provider.preset === 'entra')

  const fetchKeys = (): Promise<Fetched> => {
    if (pending !== null) return pending
    const request = ++requests
    pending = requestKeySet(url, send)
      .then((set) => {
        fetched = { keys: createLocalJWKSet(set), set, atMs: clock.monotonic(), request }
        failed = null
        return fetched
      })
      .catch((error: unknown) => {
        const { status } = error as { readonly status?: number }
        const details = { provider: provider.name, url: safeUrl(url), status, ...detailsOf(factsOf(error, clock)) }
        const unavailable = new OidcError('COATCHECK_OIDC_UNAVAILABLE', { details, cause: scrubbed(error) })
        failed = { error: unavailable, untilMs: clock.monotonic() + VISITOR_RETRY_MS }
        throw unavailable
      })
      .finally(() => {
        pending = null
      })
    return pending
  }

  const current = (sender: TokenSender): Promise<Fetched> => {
    if (fetched && clock.monotonic() - fetched.atMs < MAX_AGE_MS) return Promise.resolve(fetched)
    if (sender === 'visitor' && failed && clock.monotonic() < failed.untilMs) return Promise.reject(failed.error)
    if (sender === 'provider') countFetch(sender)
    return fetchKeys()
  }

  const countFetch = (sender: TokenSender): void => {
    fetchTimes[sender] = [...recentFetches(sender), clock.monotonic()].slice(-FETCHES[sender])
  }
  const recentFetches = (sender: TokenSender): number[] =>
    fetchTimes[sender].filter((atMs) => clock.monotonic() - atMs < WINDOW_MS)

  /** A pending fetch serves every caller. */
  const mayFetchFor = (keyId: string, sender: TokenSender): boolean => {
    const missedAtMs = sender === 'provider' ? unknownIds.get(keyId) : undefined
    if (missedAtMs !== undefined && clock.monotonic() - missedAtMs < WINDOW_MS) return false
    return pending !== null || recentFetches(sender).length < FETCHES[sender]
  }

  const rememberUnknown = (keyId: string): void => {
    unknownIds.delete(keyId)
    unknownIds.set(keyId, clock.monotonic())
    const oldest = unknownIds.keys().next()
    if (unknownIds.size > MAX_UNKNOWN_IDS && oldest.done !== true) unknownIds.delete(oldest.value)
  }

  const fetchLimitReached = (): OidcError => {
    const times = recentFetches('visitor')
    const [oldestMs] = times
    const isSpent = oldestMs !== undefined && times.length >= FETCHES.visitor
    const retryAfterMs = isSpent ? oldestMs + WINDOW_MS - clock.monotonic() : 0
    const details = { provider: provider.name, url: safeUrl(url), reason: 'key-fetches', retryAfterMs }
    return new OidcError('COATCHECK_OIDC_UNAVAILABLE', { details })
  }
  /** A request that began after the token arrived proves that the provider does not publish the key. An older request does not. */
  const unknownKey = (sender: TokenSender, { request }: Fetched, requestsBefore: number): SignatureVerdict => {
    if (sender === 'visitor' && request <= requestsBefore) throw fetchLimitReached()
    return 'signing-key'
  }

  return {
    url,
    async verify(token, sender) {
      const requestsBefore = requests
      let judged = await current(sender)
      const verdict = await verdictFor(token, judged)
      if (verdict !== 'signing-key') return verdict
      // Another token may have brought newer keys meanwhile.
      if (fetched !== null && fetched !== judged) {
        judged = fetched
        const again = await verdictFor(token, judged)
        if (again !== 'signing-key') return again
      }
      const keyId = keyIdOf(token)
      if (!mayFetchFor(keyId, sender)) return unknownKey(sender, judged, requestsBefore)
      if (pending === null) countFetch(sender)
      judged = await fetchKeys()
      const last = await verdictFor(token, judged)
      if (last !== 'signing-key') return last
      if (sender === 'provider') rememberUnknown(keyId)
      return unknownKey(sender, judged, requestsBefore)
    },
  }
}

async function verdictOf(token: string, { keys, set }: Fetched, hasKeyIssuers: boolean): Promise<SignatureVerdict> {
  try {
    const { payload, protectedHeader } = await compactVerify(token, keys, { algorithms: [...SIGNATURE_ALGORITHMS] })
    return hasKeyIssuers && !signsForIssuer(set.keys, protectedHeader.kid, payload) ? 'key-issuer' : 'valid'
  } catch (error) {
    if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) return 'algorithm'
    if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWSInvalid) return 'signature'
    // No key, several keys, or one that cannot be imported, such as an RSA key below 2,048 bits.
    return 'signing-key'
  }
}

async function requestKeySet(url: string, send: CustomFetch): Promise<JSONWebKeySet> {
  const answer = await send(url, {
    method: 'GET',
    headers: { accept: 'application/json, application/jwk-set+json' },
    body: null,
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (answer.status !== 200) throw keySetError('KEY_SET_STATUS', answer.status)
  const keys = keysIn(await answer.text())
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'object' && key !== null && !Array.isArray(key))) {
    throw keySetError('KEY_SET_INVALID', answer.status)
  }
  return { keys: keys as JSONWebKeySet['keys'] }
}

function keysIn(text: string): unknown {
  try {
    return (parseJson(text) as { readonly keys?: unknown } | null)?.keys
  } catch {
    return undefined
  }
}

function keySetError(code: string, status: number): Error {
  return Object.assign(new Error('The answer is no key set.'), { code, status })
}

function keyIdOf(token: string): string {
  try {
    const { kid } = decodeProtectedHeader(token)
    return typeof kid === 'string' ? kid : ''
  } catch {
    return ''
  }
}
