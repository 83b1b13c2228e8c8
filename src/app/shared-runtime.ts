/**
 * The runtime that all instances of one configuration share in a process: the store with its connections, the token cache with its single
 * flight, and the providers' metadata. It is stored on `globalThis`, because a Next process evaluates this module four times, and a
 * development server at each reload. Its key is a hash of its configuration. It counts its users, and the last `close()` closes it.
 */
import { createHash } from 'node:crypto'
import { type Environment, variable } from '../config/environment.ts'
import type { ResolvedConfig } from '../config/types.ts'
import { CacheBudget } from '../core/cache-budget.ts'
import { systemClock } from '../core/clock.ts'
import { EventRelay } from '../core/event-relay.ts'
import type { EventBus } from '../core/events.ts'
import { processState } from '../core/process-state.ts'
import { systemRandom } from '../core/random.ts'
import { createKeyring, type Keyring } from '../keyring/keyring.ts'
import { createSeal, type Seal } from '../keyring/seal.ts'
import { createProviderClients } from '../oidc/provider-client.ts'
import { signInUrlOf } from '../oidc/sign-in-params.ts'
import { createTokenRevoker } from '../oidc/token-revoker.ts'
import { createTokenRequester } from '../oidc/token-requester.ts'
import { createSessionMemory, type SessionMemory } from '../session/session-memory.ts'
import type { Store, StoreFactory } from '../stores/store.ts'
import { startLog } from '../telemetry/log.ts'
import { createProviderGate, gateNames, type ProviderGate } from '../token/provider-gate.ts'
import { createProviderRevocations, type ProviderRevocations } from '../token/provider-revocations.ts'
import { createTokenCache, type OwnedTokenCache } from '../token/token-cache.ts'
import { createTokenCodec } from '../token/token-codec.ts'
import { scheduleTimer } from '../token/uncommitted-grants.ts'

export interface SharedRuntime {
  readonly keyring: Keyring
  readonly seal: Seal
  readonly store: Store
  /** Whether the store is in the memory of this process. */
  readonly isLocal: boolean
  readonly tokens: OwnedTokenCache
  /** Shared by refreshes and code redemptions, so that both see at once that it is shut, also during an outage of the store. */
  readonly gate: ProviderGate
  readonly revocations: ProviderRevocations
  readonly memory: SessionMemory
  /** Reports to the bus of every user. */
  readonly relay: EventRelay
}

export interface SharedRuntimeUse {
  readonly runtime: SharedRuntime
  /** Closes the runtime when no other instance uses it. A second call does nothing. */
  release(): Promise<void>
}

interface Shared {
  readonly runtime: SharedRuntime
  users: number
}

const KEY_BYTES = 32

/**
 * Opens the runtime of this configuration, or joins the open one. Connects in the background.
 * @param isApplication false for tools of operators, which serve no visitors: no line about development defaults is written
 * @throws {ConfigError} `COATCHECK_REDIS_PACKAGE_MISSING`, `COATCHECK_STORE_REQUIRED`, and the errors of the store's options
 * @throws {KeyringError} `COATCHECK_KEY_INVALID`
 */
export async function useSharedRuntime(
  config: ResolvedConfig<object>,
  events: EventBus,
  env: Environment,
  { isApplication = true }: { readonly isApplication?: boolean } = {},
): Promise<SharedRuntimeUse> {
  const factory = await chooseStore(config.store, env)
  const keys = keysOf(config)
  if (isApplication) announceDevelopment(config, factory)
  // No `await` from here on: two calls at the same time must not open two runtimes.
  const all = processState('shared-runtimes', () => new Map<string, Shared>())
  const name = nameOf(config, factory, keys)
  const shared = all.get(name) ?? { runtime: build(config, factory, keys), users: 0 }
  all.set(name, shared)
  shared.users++
  // Before the bus is attached, because its first events report the state of the connections.
  const stopLog = startLog(events, { ...config.log, isDevelopment: config.loopback })
  const stopFollowing = shared.runtime.store.follow?.(events)
  const detach = shared.runtime.relay.attach(events)
  let released = false
  return {
    runtime: shared.runtime,
    async release() {
      if (released) return
      released = true
      shared.users--
      if (shared.users === 0) {
        all.delete(name)
        // Closes the tokens first, because a refresh under way must still be saved.
        await shared.runtime.tokens.close()
        await shared.runtime.revocations.close()
        await shared.runtime.store.close()
      }
      detach()
      stopFollowing?.()
      stopLog()
    },
  }
}

/** Returns the given store, otherwise the one that the environment names. */
export async function chooseStore(given: StoreFactory | null, env: Environment): Promise<StoreFactory> {
  if (given) return given
  if (variable(env, 'REDIS_URL') !== undefined) return (await import('../stores/redis/redis-store.ts')).redisStore()
  return (await import('../stores/memory/memory-store.ts')).memoryStore()
}

function build(config: ResolvedConfig<object>, factory: StoreFactory, keys: readonly string[]): SharedRuntime {
  const { prefix, loopback, basePath, providers } = config
  const relay = new EventRelay()
  const caches = new CacheBudget(config.cache.maxBytes)
  const keyring = createKeyring(keys, caches)
  const memory = createSessionMemory({ keyring, random: systemRandom, clock: systemClock }, caches)
  const seal = createSeal(keyring, systemRandom)
  const revocable = revocableOf(config)
  const tokenRevocations = { providers: revocable, moved: (userKey: string) => revocations.moved(userKey) }
  const store = factory.open({ prefix, loopback, clock: systemClock, events: relay, tokenRevocations })
  // Not part of the runtime: its objects work only with this copy of openid-client, which recognizes them by private fields.
  const clients = createProviderClients(providers, { clock: systemClock, events: relay })
  const revocations = createProviderRevocations({
    driver: store.revocations,
    revoker: createTokenRevoker(clients, systemClock),
    codec: createTokenCodec(seal, prefix, caches),
    providers: revocable,
    clock: systemClock,
    random: systemRandom,
    events: relay,
    schedule: scheduleTimer,
  })
  const gate = createProviderGate({
    ...{ driver: store.providerGate, nameOf: gateNames(keyring) },
    ...{ clock: systemClock, random: systemRandom },
  })
  const tokens = createTokenCache({
    driver: store.tokens,
    appDriver: store.appTokens,
    gate,
    keyring,
    seal,
    providers,
    refresher: createTokenRequester(clients, systemClock),
    config: config.tokens,
    clock: systemClock,
    random: systemRandom,
    events: relay,
    namespace: prefix,
    caches,
    signInUrl: signInUrlOf(keyring, basePath, systemClock),
    revokeLateToken: (userKey, provider, refreshToken) => revocations.revokeLateToken(userKey, provider, refreshToken),
  })
  return { keyring, seal, store, isLocal: factory.isLocal, tokens, gate, revocations, relay, memory }
}

/** Entra ID has no revocation endpoint, so its tokens are not queued for revocation. */
function revocableOf({ tokens, providers }: ResolvedConfig<object>): readonly string[] {
  if (!tokens.revokeAtProvider) return []
  return providers.filter(({ preset }) => preset !== 'entra').map(({ name }) => name)
}

/** Returns the key of a configuration. It is a hash, because the configuration contains secrets. */
function nameOf(
  { prefix, loopback, basePath, providers, tokens, cache }: ResolvedConfig<object>,
  { identity }: StoreFactory,
  keys: readonly string[],
): string {
  return createHash('sha256')
    .update(JSON.stringify({ identity, prefix, loopback, basePath, providers, tokens, cache, keys }))
    .digest('base64url')
}

/** Returns the keys of the configuration. In development without keys, it returns random ones. */
export function keysOf({ keys }: Pick<ResolvedConfig<object>, 'keys'>): readonly string[] {
  return keys.length > 0 ? keys : drawnKeys()
}

/** Generates one key for the whole process, so that a reloaded module still opens earlier records. */
function drawnKeys(): readonly string[] {
  return processState('drawn-keys', () => [systemRandom.bytes(KEY_BYTES).toString('base64')])
}

/** Reports the development defaults in one line, once, at any log level. A production system must not run on them unnoticed. */
function announceDevelopment({ baseUrl, cookie, keys }: ResolvedConfig<object>, factory: StoreFactory): void {
  const reliefs = [
    factory.isLocal && 'sessions in the memory of this process (REDIS_URL is not set)',
    keys.length === 0 && 'keys generated at start (COATCHECK_KEYS is not set), so a restart signs all users out',
    !cookie.secure && 'cookie without Secure',
  ].filter((relief) => relief !== false)
  if (reliefs.length === 0) return
  const line = `coatcheck: the base URL ${baseUrl.origin} is a development address: ${reliefs.join('; ')}\n`
  processState(`announced ${line}`, () => process.stderr.write(line))
}
