/**
 * `coatcheck/redis`: the store on Redis through the official client library (`redis` 4.7, 5 or 6). It checks options at once, and reads
 * environment and certificates and connects at first use.
 */
import { createHash } from 'node:crypto'
import { processEnvironment } from '../../config/environment.ts'
import { processState } from '../../core/process-state.ts'
import { systemRandom } from '../../core/random.ts'
import { createRedisDocumentDriver } from './document-driver.ts'
import { createRedisProviderSessionDriver } from './provider-session-driver.ts'
import { createRedisTransactionDriver } from './transaction-driver.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import { EventStream } from './event-stream.ts'
import { RevocationRetries } from './revocation-retries.ts'
import { announcedPrefixes, redisKeys } from '../keys.ts'
import { NearCache } from './near-cache.ts'
import { openRedisClient } from '../../redis/open-client.ts'
import { limitsOf, TIMEOUT_VARIABLES } from '../../redis/options.ts'
import { checkRedisOptions, eventStreamOf, nearCacheOf, type RedisSetup, type RedisStoreOptions } from './options.ts'
import { placeOfServers } from '../../redis/place.ts'
import { destinationOf } from '../../redis/resolve-destination.ts'
import { estimateSessions } from './session-estimate.ts'
import { createRedisSessionDriver } from './session-driver.ts'
import type { RedisStoreFactory } from './operator-view.ts'
import { createRedisProviderGateDriver } from './provider-gate-driver.ts'
import { tokenRevocationsOf } from '../../token/revocation-driver.ts'
import { createRedisRevocationDriver } from './revocation-driver.ts'
import { createRedisTokenDriver } from './token-driver.ts'

export { consumeEvents, type ConsumeEventsOptions, type EventWorker } from './consume-events.ts'
export type { LifecycleEvent } from './event-consumer.ts'
export type { LifecycleEventName } from './event-stream.ts'
export type { SuppliedClient, RedisLibraryCluster, RedisLibrarySentinel } from '../../redis/supplied-client.ts'
export type { RedisLibraryClient } from '../../redis/library.ts'
export type { RedisStoreOptions } from './options.ts'
export type { RedisConnectionOptions, RedisTlsOptions } from '../../redis/options.ts'
export type { RedisCredentialsProvider } from '../../redis/target.ts'

const ENVIRONMENT = [
  ...['REDIS_URL', 'REDIS_CLUSTER', 'REDIS_SENTINELS', 'REDIS_USERNAME', 'REDIS_PASSWORD'],
  ...['REDIS_TLS_CA', 'REDIS_TLS_CERT', 'REDIS_TLS_KEY', 'REDIS_ALLOW_PLAINTEXT'],
  ...TIMEOUT_VARIABLES,
] as const

/**
 * Creates a store on Redis or Valkey. It checks the shapes of the options at once. It reads environment and certificates and connects at
 * first use. See docs/redis.md.
 * @param options default: everything from `REDIS_URL` and the other variables `REDIS_…`
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`; at first use also `COATCHECK_CONFIG_MISSING`
 */
export function redisStore(options: RedisStoreOptions = {}): RedisStoreFactory {
  options = checkRedisOptions(options)
  const inspect = (): RedisSetup => ({
    destination: destinationOf(options, processEnvironment()),
    limits: limitsOf(options, processEnvironment()),
    nearCache: nearCacheOf(options),
  })
  return {
    isLocal: false,
    get identity() {
      return identityOf(options)
    },
    inspect,
    open(context) {
      const { destination, limits, nearCache: nearOptions } = inspect()
      const retries: RevocationRetries = new RevocationRetries(() => client, context)
      const near = nearOptions && new NearCache(nearOptions.maxEntries, context.events)
      const back = new Set<() => void>()
      const whenBack = (listener: () => void): void => void back.add(listener)
      const changed = (isUp: boolean): void => {
        // A new connection may lead to another server, whose changes the near cache has not received.
        near?.changed(null)
        if (!isUp) return
        retries.again()
        for (const hear of back) hear()
      }
      const client: RedisClientPort = openRedisClient(destination, limits, { ...context, changed })
      const keys = redisKeys(context.prefix)
      if (near !== null && nearOptions !== null) {
        near.follow(client.track(announcedPrefixes(context.prefix), nearOptions.maxStaleMs, near.changed))
      }
      const streamOptions = eventStreamOf(options)
      const stream = streamOptions && new EventStream(client, keys, streamOptions, context)
      const revocations = createRedisRevocationDriver(client, keys)
      const tokenRevocations = tokenRevocationsOf(revocations, context.tokenRevocations)
      return {
        isDurable: client.isDurable,
        place: placeOfServers(destination),
        server: { client, keys },
        revocations,
        sessions: createRedisSessionDriver(client, keys, { random: systemRandom, tokenRevocations, retries, near }),
        tokens: createRedisTokenDriver(client, keys, { tokenRevocations, near, whenBack }),
        appTokens: createRedisTokenDriver(client, { ...keys, tokens: keys.appTokens }),
        providerGate: createRedisProviderGateDriver(client, keys),
        transactions: createRedisTransactionDriver(client, keys),
        documents: createRedisDocumentDriver(client, keys),
        migrationReads: async () => (await import('./read-counts-driver.ts')).createRedisReadCountsDriver(client, keys),
        oldRecords: async () => (await import('./old-record-driver.ts')).createRedisOldRecordDriver(client, context),
        providerSessions: createRedisProviderSessionDriver(client, keys),
        estimateSessions: () => estimateSessions(client, announcedPrefixes(context.prefix)[0] ?? ''),
        ...(stream && { follow: (events) => stream.follow(events) }),
        ready: () => client.ready(),
        close: async () => {
          await retries.close()
          await client.close()
        },
      }
    },
  }
}

/**
 * Returns the same text for the same connection in one process. It is a hash, because it covers the password. Objects count by identity.
 */
function identityOf({ client, credentialsProvider, ...options }: RedisStoreOptions): string {
  const environment = client ? [] : ENVIRONMENT.map((name) => processEnvironment()[name] ?? null)
  const objects = [client, credentialsProvider].map((object) => (object ? numberOf(object) : 0))
  const content = JSON.stringify([objects, options, environment])
  return `redis:${createHash('sha256').update(content).digest('base64url')}`
}

/** All copies of this module share one numbering, because the shared runtime is looked up by this number. */
function numberOf(client: object): number {
  const clients = processState('redis-clients', () => ({ numbers: new WeakMap<object, number>(), last: 0 }))
  const number = clients.numbers.get(client) ?? ++clients.last
  clients.numbers.set(client, number)
  return number
}
