import type { Redis } from 'ioredis'

async function fill(redis: Redis, count = 25): Promise<void> {
  for (let i = 0; i < count; i++) await redis.set(`item:${i}`, i)
}

export async function scansWithACursor(redis: Redis) {
  await fill(redis)
  const found: string[] = []
  let cursor = '0'
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', 'item:1*', 'COUNT', 100)
    cursor = next
    found.push(...keys)
  } while (cursor !== '0')
  return found.sort()
}

export async function scansFromANumber(redis: Redis) {
  await fill(redis, 3)
  const reply = await redis.scan(0)
  return [reply[0], reply[1].sort()]
}

export async function scansByType(redis: Redis) {
  await redis.sadd('set', 1)
  await redis.set('string', 1)
  const [cursor, keys] = await redis.scan(0, 'TYPE', 'set')
  return { cursor, keys }
}

export async function scansCountFirst(redis: Redis) {
  await fill(redis, 3)
  const [, keys] = await redis.scan('0', 'COUNT', 50, 'TYPE', 'string')
  return keys.sort()
}

export async function scansAHash(redis: Redis) {
  await redis.hset('h', { a: 1, b: 2 })
  const [cursor, entries] = await redis.hscan('h', 0)
  const [, matched] = await redis.hscan('h', '0', 'MATCH', 'a*', 'COUNT', 10)
  return { cursor, entries, matched }
}

export async function scansASet(redis: Redis) {
  await redis.sadd('s', 1, 2, 3)
  const [cursor, members] = await redis.sscan('s', 0)
  return { cursor, members: members.sort() }
}

export async function scansASortedSet(redis: Redis) {
  await redis.zadd('z', 1, 'a', 2.5, 'b')
  const [cursor, pairs] = await redis.zscan('z', 0, 'COUNT', 10)
  return { cursor, pairs }
}

export async function scansAMissingKey(redis: Redis) {
  return [await redis.hscan('none', 0), await redis.sscan('none', 0), await redis.zscan('none', 0)]
}

export async function streamsKeys(redis: Redis) {
  await fill(redis)
  const stream = redis.scanStream({ match: 'item:*', count: 10 })
  const keys = new Set<string>()
  await new Promise<void>((resolve, reject) => {
    stream.on('data', (batch: string[]) => {
      for (const key of batch) keys.add(key)
    })
    stream.on('end', resolve)
    stream.on('error', reject)
  })
  return [...keys].sort()
}

export async function iteratesOverAScanStream(redis: Redis) {
  await fill(redis)
  let count = 0
  for await (const batch of redis.scanStream({ match: 'item:2*' })) {
    if (!Array.isArray(batch)) throw new Error('not a batch')
    count += (batch as string[]).length
  }
  return count
}

export async function deletesByPattern(redis: Redis) {
  await fill(redis, 8)
  await redis.set('other', 1)
  const stream = redis.scanStream({ match: 'item:*' })
  const removals: Promise<number>[] = []
  stream.on('data', (keys: string[]) => {
    if (keys.length) removals.push(redis.unlink(...keys))
  })
  await new Promise((resolve) => stream.on('end', resolve))
  const removed = await Promise.all(removals)
  return removed.reduce((sum, n) => sum + n, 0)
}

export async function deletesByPatternInAPipeline(redis: Redis) {
  await fill(redis, 8)
  const stream = redis.scanStream({ match: 'item:*', count: 100 })
  await new Promise<void>((resolve, reject) => {
    stream.on('data', async (keys: string[]) => {
      stream.pause()
      const pipeline = redis.pipeline()
      keys.forEach((key) => pipeline.del(key))
      await pipeline.exec()
      stream.resume()
    })
    stream.on('end', () => resolve())
    stream.on('error', reject)
  })
  return redis.dbsize()
}

export async function streamsAHash(redis: Redis) {
  await redis.hset('h', { a: 1, b: 2 })
  const all: string[] = []
  for await (const part of redis.hscanStream('h', { match: '*' })) all.push(...(part as string[]))
  return all
}

export async function streamsASet(redis: Redis) {
  await redis.sadd('s', 5, 6)
  const all: string[] = []
  for await (const part of redis.sscanStream('s')) all.push(...(part as string[]))
  return all.sort()
}

export async function streamsASortedSet(redis: Redis) {
  await redis.zadd('z', 1, 'a', 2, 'b')
  const all: string[] = []
  for await (const part of redis.zscanStream('z', { count: 5 })) all.push(...(part as string[]))
  return all
}

export async function listsKeys(redis: Redis) {
  await fill(redis, 3)
  return [(await redis.keys('item:*')).sort(), await redis.keys('nothing:*')]
}

export async function flushes(redis: Redis) {
  await fill(redis, 2)
  return [await redis.flushdb(), await redis.dbsize(), await redis.flushall('ASYNC')]
}
