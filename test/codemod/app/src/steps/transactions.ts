import type { Redis } from 'ioredis'

export async function runsATransaction(redis: Redis) {
  return redis.multi().set('a', 1).incr('a').get('a').exec()
}

export async function keepsResultsOfFailingTransactions(redis: Redis) {
  await redis.set('text', 'abc')
  const results = await redis.multi().set('x', '1').incr('text').set('y', '2').exec()
  return results?.map(([error, value]) => [error?.message ?? null, value])
}

export async function abortsOnASyntaxError(redis: Redis) {
  try {
    // @ts-ignore wrong number of arguments, refused when it is queued
    return await redis.multi().set('a', 'b').get().exec()
  } catch (error) {
    return [(error as Error).message, await redis.exists('a')]
  }
}

export async function watchesWithoutConflict(redis: Redis) {
  const own = redis.duplicate()
  await redis.set('stock', 5)
  await own.watch('stock')
  const stock = Number(await own.get('stock'))
  const result = await own.multi().set('stock', stock - 1).exec()
  own.disconnect()
  return result
}

export async function watchesWithConflict(redis: Redis) {
  const own = redis.duplicate()
  await redis.set('stock', 5)
  await own.watch('stock')
  await redis.set('stock', 9)
  const result = await own.multi().decr('stock').exec()
  await own.quit()
  if (result === null) return 'conflict'
  return result
}

export async function retriesOnConflict(redis: Redis) {
  const own = redis.duplicate()
  let attempts = 0
  for (;;) {
    attempts++
    await own.watch('seat')
    const taken = await own.get('seat')
    if (attempts === 1) await redis.set('seat', 'other')
    const results = await own.multi().set('seat', `${taken ?? 'free'}-mine`).exec()
    if (results) {
      own.disconnect()
      return { attempts, results }
    }
  }
}

export async function unwatches(redis: Redis) {
  const own = redis.duplicate()
  await own.watch('k', 'l')
  await redis.set('k', 1)
  const reply = await own.unwatch()
  const result = await own.multi().set('k', 2).exec()
  own.disconnect()
  return { reply, result }
}

export async function discards(redis: Redis) {
  const multi = redis.multi()
  multi.set('never', '1')
  multi.discard()
  return redis.exists('never')
}

export async function queuesWithoutAPipeline(redis: Redis) {
  const own = redis.duplicate()
  const started = await own.multi({ pipeline: false })
  const queued = await own.set('inline', '1')
  const queuedToo = await own.get('inline')
  const results = await own.exec()
  own.disconnect()
  return { started, queued, queuedToo, results }
}

export async function buildsInALoop(redis: Redis) {
  const multi = redis.multi()
  for (const n of [1, 2, 3]) multi.rpush('l', n)
  multi.lrange('l', 0, -1)
  const results = await multi.exec()
  return results!.at(-1)![1]
}

export async function takesCommandsAsAnArray(redis: Redis) {
  return redis.multi([['set', 'foo', 'bar'], ['get', 'foo']]).exec()
}

export async function incrementsAtomically(redis: Redis) {
  const [[, count], [, ttl]] = (await redis.multi().incr('rate:1').expire('rate:1', 60, 'NX').exec()) as [
    [null, number],
    [null, number],
  ]
  return { count, ttl, limited: count > 10 }
}

export async function usesExecCallback(redis: Redis) {
  return new Promise((resolve) => {
    redis
      .multi()
      .set('cb', 'x')
      .get('cb')
      .exec((error, results) => resolve({ error, results }))
  })
}

export async function returnsObjects(redis: Redis) {
  return redis.multi().hset('h', 'a', 1).hgetall('h').hget('h', 'none').zincrby('z', 2, 'm').exec()
}
