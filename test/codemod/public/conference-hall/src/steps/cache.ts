import type { Redis } from 'ioredis'
import { RedisCacheLayer } from '../cache-layer.js'
import { FlagsStorage } from '../flags-storage.js'

export async function cachesWithATtl() {
  const cache = new RedisCacheLayer({ prefix: 'cache:' })
  const loaded = await cache.get('event:1', async () => ({ name: 'Devoxx' }))
  const cached = await cache.get('event:1', async () => ({ name: 'never' }))
  return { loaded, cached, none: await cache.get('event:2') }
}

export async function usesAShortTtl(redis: Redis) {
  const cache = new RedisCacheLayer({ client: redis, ttl: 30 })
  await cache.set('short', [1, 2])
  await cache.set('gone', true)
  await cache.del('gone')
  return [await cache.get('short'), await redis.ttl('short')]
}

export async function clearsByPrefix(redis: Redis) {
  await redis.set('other', 'kept')
  const cache = new RedisCacheLayer({ prefix: 'c:' })
  await cache.set('a', 1)
  await cache.set('b', 2)
  const keys = (await cache.keys('*')).sort()
  await cache.clear()
  await cache.clear()
  return { keys, left: await redis.keys('*') }
}

export async function keepsFlags() {
  const flags = new FlagsStorage()
  await flags.write('dark', true)
  await flags.write('limit', 5)
  return flags.read()
}
