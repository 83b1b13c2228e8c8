import { EventEmitter } from 'node:events'
import Redis from 'ioredis'

const port = Number(process.env.REDIS_PORT)

export async function blocksLongerThanFiveSeconds(redis: Redis) {
  const client = redis.duplicate()
  const nothing = await client.blpop('never', 6)
  client.disconnect()
  return nothing
}

export async function addsOptionsConditionally(redis: Redis) {
  async function save(key: string, ttl?: number): Promise<string | null> {
    return redis.set(key, 'v', ...((ttl ? ['EX', ttl] : []) as ['EX', number]))
  }
  return [await save('a'), await save('b', 66)]
}

export async function addsScoresFromObjects(redis: Redis) {
  const players = [
    { name: 'ada', score: 3 },
    { name: 'bob', score: 1 },
  ]
  const added = await redis.zadd('z', ...players.flatMap(({ name, score }) => [score, name]))
  return { added, all: await redis.zrange('z', 0, -1) }
}

export async function setsPairsFromEntries(redis: Redis) {
  await redis.mset(...Object.entries({ a: '1', b: '2' }).flat())
  return redis.mget('a', 'b')
}

export async function setsNestedEntriesByMistake(redis: Redis) {
  const added = await redis.hset('h', Object.entries({ a: '1', b: '2' }) as unknown as object)
  return { added, all: await redis.hgetall('h') }
}

export async function addsASetByMistake(redis: Redis) {
  await redis.sadd('s', new Set(['a']) as unknown as string)
  return redis.smembers('s')
}

export async function passesAnEmptyMap(redis: Redis) {
  return redis.hset('h', new Map())
}

export async function passesAnArrayAsKey(redis: Redis) {
  await redis.set('k', 'v')
  return redis.get(['k'] as unknown as string)
}

export async function passesAnUndefinedCallback(redis: Redis) {
  function read(key: string, done?: (error: Error | null | undefined, value?: string | null) => void) {
    return redis.get(key, done as never)
  }
  return read('k')
}

export async function leavesAFailureUnhandled(redis: Redis) {
  await redis.set('text', 'abc')
  void redis.incr('text')
  return redis.get('text')
}

export async function doesNotAwait(redis: Redis) {
  redis.set('later', '1')
  redis.incr('later')
  return redis.get('later')
}

export async function keepsTheOrderOfManyCalls(redis: Redis) {
  const replies: Promise<number>[] = []
  for (let i = 0; i < 500; i++) replies.push(redis.incr('n'))
  const all = await Promise.all(replies)
  return all.every((value, index) => value === index + 1)
}

export async function keepsTheOrderAroundATransaction(redis: Redis) {
  const [first, results, last] = await Promise.all([
    redis.rpush('l', 'a'),
    redis.multi().rpush('l', 'b').llen('l').exec(),
    redis.rpush('l', 'c'),
  ])
  return { first, results, last, all: await redis.lrange('l', 0, -1) }
}

export async function keepsTheOrderAroundAPipeline(redis: Redis) {
  const pipeline = redis.pipeline().append('s', 'b').append('s', 'c')
  const before = redis.append('s', 'a')
  const results = pipeline.exec()
  const after = redis.append('s', 'd')
  return [await before, await results, await after, await redis.get('s')]
}

export async function roundTripsLargeAndBinaryValues(redis: Redis) {
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
  const large = 'ä'.repeat(300_000)
  await redis.mset('bin', all, 'large', large)
  const [bin, text] = [await redis.getBuffer('bin'), await redis.get('large')]
  await redis.del('large')
  return [all.equals(bin!), text === large]
}

export async function runsThousandsInAPipeline(redis: Redis) {
  const pipeline = redis.pipeline()
  for (let i = 0; i < 5_000; i++) pipeline.incr('n')
  const results = await pipeline.exec()
  return [results!.length, results!.at(-1)]
}

export async function runsAnEmptyTransaction(redis: Redis) {
  return redis.multi().exec()
}

export async function readsBuffersInATransaction(redis: Redis) {
  await redis.set('bin', Buffer.from([255, 0]))
  return redis.multi().getBuffer('bin').get('bin').hgetallBuffer('none').exec()
}

export async function stopsAScanStreamEarly(redis: Redis) {
  for (let i = 0; i < 30; i++) await redis.set(`k${i}`, i)
  for await (const keys of redis.scanStream({ count: 5 })) {
    if ((keys as string[]).length > 0) return 'found some'
  }
  return 'found none'
}

export async function collectsAScanStream(redis: Redis) {
  await redis.mset('a1', 1, 'a2', 2)
  const batches: string[][] = await redis.scanStream({ match: 'a*' }).toArray()
  return batches.flat().sort()
}

export async function waitsForOneOfTwo(redis: Redis) {
  const blocked = redis.duplicate()
  const winner = await Promise.race([blocked.blpop('never', 0), redis.ping()])
  blocked.disconnect()
  return winner
}

export async function acceptsFieldsFromAHash(redis: Redis) {
  await redis.hset('h', { a: '1' })
  const hash: Record<string, unknown> = await redis.hgetall('h')
  hash.extra = { ...hash, b: 2 }
  return ['a' in hash, Object.hasOwn(hash, 'toString'), 'toString' in hash, hash]
}

export async function returnsWithoutAwait(redis: Redis) {
  const read = (key: string) => redis.get(key)
  const write = async (key: string) => void (await redis.set(key, 'x'))
  return [await write('k'), await read('k')]
}

export async function usesResultsInExpressions(redis: Redis) {
  await redis.set('n', 41)
  const next = Number((await redis.get('n')) ?? 0) + 1
  const label = `${await redis.strlen('n')} characters`
  const big = (await redis.exists('n')) > 0 && !(await redis.exists('m'))
  return { next, label, big, type: typeof (await redis.ttl('n')) }
}

export class Cache extends EventEmitter {
  constructor(private readonly client: Redis) {
    super()
  }

  async get(key: string): Promise<string | null> {
    const value = await this.client.get(key)
    this.emit(value === null ? 'miss' : 'hit', key)
    return value
  }

  set(key: string, value: string): Promise<'OK'> {
    return this.client.set(key, value)
  }
}

export async function wrapsAClient(redis: Redis) {
  const cache = new Cache(redis)
  const events: string[] = []
  cache.on('hit', (key: string) => events.push(`hit ${key}`)).on('miss', (key: string) => events.push(`miss ${key}`))
  await cache.set('k', 'v')
  return [await cache.get('k'), await cache.get('none'), events]
}

export async function usesAFreshClientPerCall() {
  async function withClient<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis({ port, lazyConnect: false })
    try {
      return await work(client)
    } finally {
      client.disconnect()
    }
  }
  return [await withClient((client) => client.set('k', 1)), await withClient((client) => client.incr('k'))]
}

export async function comparesWithStrictEquality(redis: Redis) {
  await redis.set('k', 1)
  return [
    (await redis.get('k')) === '1',
    (await redis.expire('k', 10)) === 1,
    (await redis.sismember('s', 'a')) === 0,
    (await redis.del('k')) === 1,
    (await redis.hget('h', 'f')) === null,
    (await redis.zscore('z', 'm')) === null,
    (await redis.set('k', 1)) === 'OK',
    (await redis.set('k', 1, 'NX')) === null,
  ]
}

export async function runsInAnArrowChain(redis: Redis) {
  const ids = ['a', 'b']
  await Promise.all(ids.map(async (id, index) => redis.hset(`u:${id}`, 'n', index)))
  const users = await Promise.all(ids.map((id) => redis.hgetall(`u:${id}`)))
  return users.map((user) => user.n)
}

export async function shadowsTheName(redis: Redis) {
  const map = new Map([['k', 'local']])
  {
    const redis = map
    redis.get('k')
  }
  const read = (redis: Map<string, string>) => redis.get('k')
  await redis.set('k', 'remote')
  return [read(map), await redis.get('k')]
}
