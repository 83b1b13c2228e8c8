/** The only function that chooses the client port for the options of `redisStore()`. */
import { EventBus } from '../core/events.ts'
import { RedisClient, type RedisClientDeps } from './client.ts'
import type { RedisClientPort } from './client-port.ts'
import { RedisCluster } from './cluster.ts'
import { asLibraryClient, type SuppliedClient, isCluster, mastersOf } from './supplied-client.ts'
import { observedClient } from './observed-client.ts'
import type { RedisLimits } from './options.ts'
import { SentinelSource } from './sentinel.ts'
import { addressSource, suppliedClientSource } from './source.ts'
import { type Destination, nameOfAddress } from './target.ts'

export function openRedisClient(
  to: Destination | SuppliedClient,
  limits: RedisLimits,
  deps: RedisClientDeps,
): RedisClientPort {
  const server = 'kind' in to && to.kind === 'single' ? nameOfAddress(to.target.address) : null
  return observedClient(openUnobserved(to, limits, deps), deps, server)
}

function openUnobserved(to: Destination | SuppliedClient, limits: RedisLimits, deps: RedisClientDeps): RedisClientPort {
  if (!('kind' in to)) {
    const source = suppliedClientSource(asLibraryClient(to))
    const masters = isCluster(to) ? { masters: () => mastersOf(to, limits.writeTimeoutMs) } : {}
    return new RedisClient(source, limits, { ...deps, ...masters })
  }
  switch (to.kind) {
    case 'cluster':
      return new RedisCluster(to.target, limits, deps)
    case 'sentinel': {
      const silent = { clock: deps.clock, events: new EventBus() }
      return new RedisClient(new SentinelSource(to.target, limits, silent), limits, deps)
    }
    case 'single':
      return new RedisClient(addressSource(to.target), limits, deps)
  }
}
