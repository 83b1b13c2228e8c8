/** Base of the token cases: caches over the harness' driver, and a scripted provider. */
import type { EventMap } from '../core/event-map.ts'
import { EventBus, type EventName } from '../core/events.ts'
import { systemRandom } from '../core/random.ts'
import { createKeyring, type Keyring } from '../keyring/keyring.ts'
import { createSeal } from '../keyring/seal.ts'
import { MemorySpace } from '../stores/memory/space.ts'
import type { TransactionDriver } from '../oidc/transaction-driver.ts'
import { RefreshFailure, type RefreshFacts } from '../token/refresh-outcome.ts'
import { createTokenCache, type OwnedTokenCache } from '../token/token-cache.ts'
import { createMemoryTokenDriver } from '../stores/memory/token-driver.ts'
import { createMemoryProviderGateDriver } from '../stores/memory/provider-gate-driver.ts'
import { createProviderGate, gateNames } from '../token/provider-gate.ts'
import type { ProviderGateDriver } from '../token/provider-gate-driver.ts'
import type { TokenDriver } from '../token/token-driver.ts'
import type { DirectTokenRequest, RefreshedTokens, RefreshRequest, TokenRequester } from '../token/token-requester.ts'
import type { FakeClock } from './fake-clock.ts'
import { testKey } from './session-fixture.ts'

/** A driver under test and its clock. Each case gets one with an empty store. */
export interface TokenHarness {
  /** The driver under test. */
  readonly driver: TokenDriver
  /** Default: in memory. */
  readonly gateDriver?: ProviderGateDriver
  /** Keeps tokens of the application; absent when the cases need none. */
  readonly appDriver?: TokenDriver
  /** The clock that the driver and the store share. */
  readonly clock: FakeClock
  /** Moves the clock and the store's own time. Keys that expire by then are gone. */
  advance(ms: number): Promise<void>
  /** Remaining life of the user's token hash, milliseconds; `null` if there is none. */
  lifeMs(userKey: string): Promise<number | null>
}

/** What the cases of a transaction driver need. */
export interface TransactionHarness {
  /** The driver under test. */
  readonly driver: TransactionDriver
  /** Moves the store's time, milliseconds. */
  advance(ms: number): Promise<void>
}

export interface ScriptedProvider extends TokenRequester {
  readonly requests: { readonly provider: string; readonly request: RefreshRequest }[]
  /** Recorded requests for tokens without a grant. */
  readonly direct: (DirectTokenRequest & { readonly assertion?: string })[]
  /** Responses to the next requests, in order. Afterwards: a new access and refresh token with an hour of life. */
  readonly answers: (Partial<RefreshedTokens> | RefreshFacts | Error)[]
  /** Requests wait for it before they are answered. */
  gate: Promise<void>
}

/** Not a mock of Redis: the provider's side of the port, with a strictly rotating refresh token. */
function scriptedProvider(): ScriptedProvider {
  const requests: ScriptedProvider['requests'] = []
  const direct: ScriptedProvider['direct'] = []
  const answers: ScriptedProvider['answers'] = []
  const answer = async (number: number, gate: Promise<void>, scopes?: readonly string[]): Promise<RefreshedTokens> => {
    await gate
    const next = answers.shift() ?? {}
    if (next instanceof Error) throw next
    if ('status' in next || 'error' in next) throw new RefreshFailure(next)
    return {
      accessToken: `access-${number}`,
      expiresInSeconds: 3600,
      scopes: scopes ?? ['profile'],
      ...(next as Partial<RefreshedTokens>),
    }
  }
  return {
    requests,
    direct,
    answers,
    gate: Promise.resolve(),
    async refresh(provider, request) {
      const number = requests.push({ provider, request })
      return { refreshToken: `refresh-${number}`, ...(await answer(number, this.gate, request.scopes)) }
    },
    async requestAppToken(_provider, request) {
      return answer(direct.push(request), this.gate, request.scopes)
    },
    async requestOnBehalfOf(_provider, request) {
      return answer(direct.push(request), this.gate, request.scopes)
    },
  }
}

export interface SeenEvent {
  readonly name: EventName
  readonly event: EventMap[EventName]
}

export interface TokenFixture {
  readonly cache: OwnedTokenCache
  readonly provider: ScriptedProvider
  readonly keyring: Keyring
  readonly seen: SeenEvent[]
  /** Refresh tokens that came too late to be stored, and that must be revoked at the provider. */
  readonly discarded: string[]
  /** Names of the token events so far. */
  names(): string[]
  /** Runs the scheduled work. */
  runScheduled(): void
}

export function tokenFixture(
  harness: Pick<TokenHarness, 'driver' | 'gateDriver' | 'appDriver' | 'clock'>,
  options: {
    driver?: TokenDriver
    provider?: ScriptedProvider
    providers?: readonly string[]
    namespace?: string
    fetch?: typeof fetch
  } = {},
): TokenFixture {
  const keyring = createKeyring(testKey('first'))
  const events = new EventBus()
  const seen: SeenEvent[] = []
  events.onAny((name, event) => seen.push({ name, event }))
  const provider = options.provider ?? scriptedProvider()
  const scheduled = new Set<() => void>()
  const discarded: string[] = []
  const { clock } = harness
  const gateDriver = harness.gateDriver ?? createMemoryProviderGateDriver(new MemorySpace({ clock }))
  const cache = createTokenCache({
    driver: options.driver ?? harness.driver,
    appDriver: harness.appDriver ?? createMemoryTokenDriver(new MemorySpace({ clock: harness.clock })),
    gate: createProviderGate({ driver: gateDriver, nameOf: gateNames(keyring), clock, random: systemRandom }),
    keyring,
    seal: createSeal(keyring),
    providers: (options.providers ?? ['entra']).map((name) => ({ name })),
    refresher: provider,
    config: { grantLifetimeMs: 90 * 24 * 3_600_000, minValidityMs: 30_000 },
    clock,
    random: systemRandom,
    events,
    namespace: options.namespace ?? '',
    signInUrl: ({ provider: name, claims }) =>
      `/auth/login?provider=${name}${claims === null ? '' : `&claims=${claims}`}`,
    ...(options.fetch && { fetch: options.fetch }),
    revokeLateToken: (_userKey, _provider, refreshToken) => Promise.resolve(void discarded.push(refreshToken)),
    schedule(run) {
      scheduled.add(run)
      return () => scheduled.delete(run)
    },
  })
  return {
    cache,
    provider,
    keyring,
    seen,
    discarded,
    names: () => seen.map(({ name }) => name).filter((name) => name.startsWith('token.')),
    runScheduled() {
      for (const run of [...scheduled]) {
        scheduled.delete(run)
        run()
      }
    },
  }
}
