import type { Redis } from 'ioredis'

async function fill(redis: Redis) {
  await redis.mset(Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`item:${at}`, at])))
  await redis.hset('hash', Object.fromEntries(Array.from({ length: 700 }, (_, at) => [`f${at}`, at])))
}

export async function closesAScan(redis: Redis) {
  await fill(redis)
  const stream = redis.scanStream({ count: 10, match: 'item:*' })
  const events: string[] = []
  stream.on('end', () => events.push('end'))
  const closed = new Promise((resolve) => stream.on('close', resolve))
  stream.once('data', () => stream.close())
  let pages = 0
  stream.on('data', () => (pages += 1))
  await closed
  return { isShort: pages < 10, events }
}

export async function closesBeforeItReads(redis: Redis) {
  await fill(redis)
  const stream = redis.scanStream()
  stream.close()
  const pages: unknown[] = []
  for await (const page of stream) pages.push(page)
  return pages
}

export async function closesAScanOfAHash(redis: Redis) {
  await fill(redis)
  const stream = redis.hscanStream('hash', { count: 10 })
  let pages = 0
  for await (const _page of stream) {
    pages += 1
    stream.close()
  }
  return pages < 20
}

export async function closesTheOthers(redis: Redis) {
  await redis.sadd('set', 'a')
  await redis.zadd('zset', 1, 'a')
  const types: string[] = []
  for (const stream of [redis.sscanStream('set'), redis.zscanStream('zset'), redis.scanBufferStream({ match: 'no' })]) {
    types.push(typeof stream.close)
    stream.close()
    for await (const page of stream) types.push(String(page))
  }
  return types
}
