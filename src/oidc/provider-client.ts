/**
 * One openid-client configuration per provider: discovered on first use, shared by all callers, and renewed when it is old.
 * If discovery fails, it is retried after one second. If it succeeded before, the previous metadata stay in use.
 */
import {
  allowInsecureRequests,
  clockTolerance,
  type Configuration,
  customFetch,
  type CustomFetch,
  discovery,
} from 'openid-client'
import type { ResolvedProvider } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import { MisuseError, OidcError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import { providerReasonIn } from '../core/provider-reason.ts'
import { safeUrl } from '../core/redact.ts'
import { boundedFetch } from './bounded-fetch.ts'
import { clientAuthentication } from './client-authentication.ts'
import { toleranceOf } from './clock-tolerance.ts'
import { createProviderKeys, type ProviderKeys } from './key-set.ts'
import { toDiscoveryError } from './oidc-errors.ts'
import { assertEndpoints, serverOf, withOneMetadataRequest } from './provider-metadata.ts'

const TIMEOUT_SECONDS = 10 // for each single request to a provider while a visitor waits at a browser
const TOKEN_TIMEOUT_SECONDS = 30 // for refreshes: a request that ends early may lose a rotated refresh token
const METADATA_MAX_AGE_MS = 60 * 60_000 // so that moved endpoints are noticed without a restart
const FAILURE_KEPT_MS = 1_000 // many visitors must not become many requests
const STALE_RETRY_MS = 60_000 // how often renewal is retried while the provider does not answer

export interface ProviderClient {
  readonly provider: ResolvedProvider
  /** For sign-in, while a visitor waits at a browser. */
  readonly signIn: Configuration
  /** For refreshes, with a longer timeout. */
  readonly refresh: Configuration
  /** Verifies signatures of ID tokens and logout tokens. openid-client verifies no signature in an answer that arrived over TLS. */
  readonly keys: ProviderKeys
  /** `null` when the provider has no RP-initiated logout. */
  readonly endSessionEndpoint: string | null
  /** Values of the parameter `prompt` that the metadata list; `null` when they list none. */
  readonly promptValues: readonly string[] | null
}

export interface ProviderClients {
  readonly providers: readonly ResolvedProvider[]
  /** Returns `null` for a name that is not configured. Without a name: the first provider. */
  find(name?: string): ResolvedProvider | null
  /**
   * @throws {OidcError} `COATCHECK_OIDC_DISCOVERY` when its metadata cannot be read or name another issuer
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for a name that is not configured
   */
  get(name: string): Promise<ProviderClient>
}

export interface ProviderClientOptions {
  readonly clock: Clock
  /** The transport; tests insert faults here. */
  readonly fetch?: typeof fetch
  /** Gets an event for each failed discovery, including those that no caller waits for. */
  readonly events?: Pick<EventBus, 'emit'>
}

interface Entry {
  client: ProviderClient | null
  /** Monotonic time after which the metadata are read again. */
  renewAtMs: number
  pending: Promise<ProviderClient> | null
  failure: { readonly error: unknown; readonly untilMs: number } | null
}

export function createProviderClients(
  providers: readonly ResolvedProvider[],
  options: ProviderClientOptions,
): ProviderClients {
  const { clock } = options
  const send = boundedFetch(options.fetch)
  const entries = new Map<string, Entry>(
    providers.map((p) => [p.name, { client: null, renewAtMs: 0, pending: null, failure: null }]),
  )
  const find = (name?: string): ResolvedProvider | null =>
    (name === undefined ? providers[0] : providers.find((p) => p.name === name)) ?? null

  const renew = (provider: ResolvedProvider, entry: Entry): Promise<ProviderClient> => {
    entry.pending ??= discover(provider, send, clock, entry.client?.keys ?? null)
      .then((client) => {
        entry.client = client
        entry.failure = null
        entry.renewAtMs = clock.monotonic() + METADATA_MAX_AGE_MS
        return client
      })
      .catch((error: unknown) => {
        const failure = toDiscoveryError(error, clock, provider)
        const isUsable = entry.client !== null
        const reason = { code: failure.code, ...providerReasonIn(failure.details) }
        options.events?.emit('provider.discovery-failed', { provider: provider.name, isUsable, ...reason })
        if (entry.client) {
          entry.renewAtMs = clock.monotonic() + STALE_RETRY_MS
          return entry.client
        }
        entry.failure = { error: failure, untilMs: clock.monotonic() + FAILURE_KEPT_MS }
        throw failure
      })
      .finally(() => {
        entry.pending = null
      })
    return entry.pending
  }

  return {
    providers,
    find,
    async get(name) {
      const provider = find(name)
      const entry = entries.get(name)
      if (!provider || !entry) {
        throw new MisuseError(
          'COATCHECK_INVALID_ARGUMENT',
          'The name of the provider is not one of the configured ones.',
        )
      }
      const now = clock.monotonic()
      if (entry.client) {
        // No caller waits for a renewal: the previous metadata still work.
        if (now >= entry.renewAtMs) renew(provider, entry).catch(() => undefined)
        return entry.client
      }
      if (entry.failure && now < entry.failure.untilMs) throw entry.failure.error
      return renew(provider, entry)
    },
  }
}

/** @param known the key set of the previous metadata; it is kept if its address is unchanged */
async function discover(
  provider: ResolvedProvider,
  send: CustomFetch,
  clock: Clock,
  known: ProviderKeys | null,
): Promise<ProviderClient> {
  const authentication = clientAuthentication(provider, () => clock.monotonic())
  const fetchOnce = withOneMetadataRequest(provider, send)
  const configure = (): Promise<Configuration> =>
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the library awaits it, whatever its type says
    discovery(serverOf(provider), provider.clientId, { [clockTolerance]: toleranceOf(provider) }, authentication, {
      [customFetch]: fetchOnce,
      timeout: TIMEOUT_SECONDS,
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so that it stands out; loopback issuers only
      execute: provider.allowInsecureHttp ? [allowInsecureRequests] : [],
    })
  const refresh = await configure()
  const metadata = refresh.serverMetadata()
  // RFC 8414 section 3.3: exactly the configured issuer, compared as text.
  if (metadata.issuer !== provider.issuer) {
    throw new OidcError('COATCHECK_OIDC_DISCOVERY', {
      message: `The metadata of provider "${provider.name}" name ${safeUrl(metadata.issuer)} as issuer, not the configured ${safeUrl(provider.issuer)}.`,
      details: {
        provider: provider.name,
        reason: 'issuer',
        check: 'issuer',
        expected: safeUrl(provider.issuer),
        got: safeUrl(metadata.issuer),
      },
    })
  }
  assertEndpoints(provider, metadata)
  refresh.timeout = TOKEN_TIMEOUT_SECONDS
  const url = metadata.jwks_uri ?? ''
  return {
    provider,
    refresh,
    signIn: await configure(),
    keys: known?.url === url ? known : createProviderKeys({ provider, url, send, clock }),
    endSessionEndpoint: metadata.end_session_endpoint ?? null,
    promptValues: textsOf(metadata['prompt_values_supported']),
  }
}

function textsOf(value: unknown): readonly string[] | null {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : null
}
