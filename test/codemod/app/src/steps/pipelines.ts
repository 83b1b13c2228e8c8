import Redis, { type ChainableCommander } from 'ioredis'

export async function runsAPipeline(redis: Redis) {
  const results = await redis.pipeline().set('a', '1').incr('a').get('a').expire('a', 60).exec()
  return results
}

export async function destructuresResults(redis: Redis) {
  await redis.set('name', 'Ada')
  const [[nameError, name], [ageError, age]] = (await redis.pipeline().get('name').get('age').exec()) as [
    [Error | null, string],
    [Error | null, string | null],
  ]
  return { nameError, name, ageError, age }
}

export async function keepsErrorsInTheirPlace(redis: Redis) {
  await redis.set('text', 'abc')
  const results = await redis.pipeline().incr('text').get('text').lpush('text', 'x').set('after', '1').exec()
  return results!.map(([error, value]) => (error ? `error: ${error.message}` : value))
}

export async function throwsOnTheFirstError(redis: Redis) {
  const results = await redis.pipeline().set('a', 'x').incr('a').set('b', 'y').exec()
  for (const [error] of results ?? []) if (error) throw error
  return 'no error'
}

export async function fillsInALoop(redis: Redis) {
  const pipeline = redis.pipeline()
  for (const id of [1, 2, 3]) {
    pipeline.hset(`user:${id}`, { id, name: `n${id}` })
    pipeline.expire(`user:${id}`, 600)
  }
  const results = await pipeline.exec()
  return { count: results?.length, length: pipeline.length }
}

export async function fillsWithForEach(redis: Redis) {
  const pipeline = redis.pipeline()
  const keys = ['a', 'b', 'c']
  await redis.mset({ a: 1, b: 2 })
  keys.forEach((key) => {
    pipeline.get(key)
    pipeline.ttl(key)
  })
  const replies = await pipeline.exec()
  return replies?.map(([, value]) => value)
}

export async function storesTheChain(redis: Redis) {
  let chain: ChainableCommander = redis.pipeline()
  chain = chain.set('x', 1)
  if (chain) chain = chain.incrby('x', 2)
  return chain.exec()
}

function addVisit(chain: ChainableCommander, user: string): ChainableCommander {
  return chain.incr(`visits:${user}`).expire(`visits:${user}`, 300)
}

export async function passesTheChainOn(redis: Redis) {
  const chain = redis.pipeline()
  addVisit(chain, 'ada')
  addVisit(chain, 'bob')
  return (await chain.exec())?.map(([, value]) => value)
}

export async function runsAnEmptyPipeline(redis: Redis) {
  return redis.pipeline().exec()
}

export async function takesAnArrayOfCommands(redis: Redis) {
  return redis
    .pipeline([
      ['set', 'k', 'v'],
      ['get', 'k'],
      ['hset', 'h', 'f', 1],
      ['hgetall', 'h'],
    ])
    .exec()
}

export async function usesACallback(redis: Redis) {
  return new Promise((resolve, reject) => {
    redis
      .pipeline()
      .set('cb', '1')
      .get('cb')
      .exec((error, results) => {
        if (error) reject(error)
        else resolve(results)
      })
  })
}

export async function usesCallbacksInside(redis: Redis) {
  const seen: unknown[] = []
  const results = await redis
    .pipeline()
    .set('cb', '1', (error, value) => seen.push([error, value]))
    .incr('cb', (error, value) => seen.push([error, value]))
    .exec()
  return { seen, results }
}

export async function returnsShapes(redis: Redis) {
  return redis
    .pipeline()
    .hset('h', { a: 1 })
    .hgetall('h')
    .zadd('z', 1, 'm')
    .zrange('z', 0, -1, 'WITHSCORES')
    .zscore('z', 'm')
    .sadd('s', 'a', 'b')
    .smembers('none')
    .scan(0, 'MATCH', 'h')
    .hexists('h', 'a')
    .mget('x', 'y')
    .del('h', 'z')
    .exec()
}

export async function readsBuffersInAPipeline(redis: Redis) {
  await redis.set('bin', Buffer.from([255, 0]))
  return redis.pipeline().getBuffer('bin').get('bin').exec()
}

export async function runsAScriptInAPipeline(redis: Redis) {
  return redis.pipeline().eval('return redis.call("incrby", KEYS[1], ARGV[1])', 1, 'n', 5).get('n').exec()
}

export async function runsCallInAPipeline(redis: Redis) {
  return redis.pipeline().call('SET', 'called', '1').call('GET', 'called').exec()
}

export async function mapsManyKeys(redis: Redis) {
  const ids = Array.from({ length: 20 }, (_, i) => i)
  await redis.mset(Object.fromEntries(ids.map((id) => [`k:${id}`, id * 2])))
  const pipeline = redis.pipeline()
  for (const id of ids) pipeline.get(`k:${id}`)
  const results = (await pipeline.exec()) ?? []
  return results.map(([error, value], index) => (error ? null : Number(value) - index))
}

export async function reducesIntoOneChain(redis: Redis) {
  const chain = ['a', 'b'].reduce((pipeline, key) => pipeline.set(key, key.toUpperCase()), redis.pipeline())
  const results = await chain.exec()
  return results?.every(([error, value]) => error === null && value === 'OK')
}

export async function catchesPipelineErrors(redis: Redis) {
  return redis
    .pipeline()
    .set('k', 'v')
    .exec()
    .then((results) => results?.length)
    .catch((error: Error) => error.message)
}

export async function treatsResultsAsRows(redis: Redis) {
  const [first, second] = (await redis.pipeline().set('a', 1).get('a').exec())!
  return { ok: first![1], value: second![1], error: second![0] }
}
