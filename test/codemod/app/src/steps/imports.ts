import Client, * as IORedis from 'ioredis'
import type { Redis as Connection } from 'ioredis'
import legacy = require('ioredis')

const port = Number(process.env.REDIS_PORT)

export { Redis as RedisClass } from 'ioredis'

export async function usesADefaultImportOfAnotherName() {
  const client = new Client(port)
  const reply = await client.set('k', 1)
  await client.quit()
  return reply
}

export async function usesANamespaceImport() {
  const client: IORedis.Redis = new IORedis.Redis(port)
  const reply = await client.incr('k')
  client.disconnect()
  return reply
}

export async function usesAnImportEquals() {
  const client = new legacy.Redis(port)
  const reply = await client.sadd('s', 'a', 'b')
  client.disconnect()
  return reply
}

export async function usesADynamicImport() {
  const { Redis } = await import('ioredis')
  const client = new Redis(port)
  const reply = await client.rpush('l', 'a', 'b')
  await client.quit()
  return reply
}

export async function usesATypeImport(redis: import('ioredis').Redis) {
  return redis.hset('h', { a: 1 })
}

let shared: InstanceType<typeof Client> | undefined

export async function usesDerivedTypes(redis: Connection) {
  type Reply = Awaited<ReturnType<Connection['hgetall']>>
  shared = redis
  await shared.hset('h', 'a', 1)
  const all: Reply = await shared.hgetall('h')
  return all
}

export async function usesTypeof(redis: Connection) {
  const copy: typeof redis = redis
  return copy.setex('k', 40, 'v')
}
