import type { Redis } from 'ioredis'

// A client whose type is lost: no call on it can be told from a call on something else.
export async function losesTheType(redis: Redis) {
  const cache: any = redis
  await cache.set('k', 'v', 'EX', 60)
  return cache.get('k')
}

export async function computesTheMethod(redis: Redis) {
  await redis.set('k', 'v')
  const method = Date.now() > 0 ? 'get' : 'type'
  return redis[method]('k')
}

export async function storesAMethod(redis: Redis) {
  await redis.set('k', 'v')
  const read = redis.get.bind(redis)
  return read('k')
}

export async function appliesArguments(redis: Redis) {
  const args: [string, string] = ['k', 'v']
  await redis.set.apply(redis, args as never)
  return redis.get('k')
}

export async function destructuresMethods(redis: Redis) {
  await redis.set('k', 'v')
  return Promise.all(['k', 'l'].map((key) => redis.get(key)))
}

export async function mapsWithTheMethodItself(redis: Redis) {
  await redis.mset('a', 1, 'b', 2)
  const reads = ['a', 'b'].map(redis.get as never, redis) as Promise<string>[]
  return (await Promise.allSettled(reads)).map(({ status }) => status)
}

export async function usesSendCommand(redis: Redis) {
  const { Command } = await import('ioredis')
  return redis.sendCommand(new Command('PING', [], { replyEncoding: 'utf8' }))
}

export async function spreadsUnknownArguments(redis: Redis) {
  function run(...args: [string, string, ...unknown[]]) {
    return redis.set(...(args as [string, string]))
  }
  await run('k', 'v', 'EX', 30)
  return redis.ttl('k')
}
