import type { Redis } from 'ioredis'

async function seed(redis: Redis): Promise<void> {
  await redis.zadd('board', 10, 'ada', 20, 'bob', 30.5, 'cleo')
}

export async function addsScores(redis: Redis) {
  const added = await redis.zadd('board', 1, 'a', 2, 'b')
  const changed = await redis.zadd('board', 'XX', 'CH', 5, 'a')
  const skipped = await redis.zadd('board', 'NX', 9, 'a')
  const greater = await redis.zadd('board', 'GT', 'CH', 1, 'a')
  const incremented = await redis.zadd('board', 'INCR', 2.5, 'a')
  return { added, changed, skipped, greater, incremented }
}

export async function addsOneScore(redis: Redis) {
  return redis.zadd('timeline', Date.parse('2026-01-01T00:00:00Z'), 'post:1')
}

export async function addsAList(redis: Redis) {
  const pairs = [
    ['1', 'a'],
    ['2', 'b'],
  ]
  return redis.zadd('board', ...pairs.flat())
}

export async function addsInfinity(redis: Redis) {
  await redis.zadd('z', '+inf', 'last', '-inf', 'first', 1e100, 'big')
  return [await redis.zscore('z', 'last'), await redis.zrange('z', 0, -1, 'WITHSCORES')]
}

export async function readsScores(redis: Redis) {
  await seed(redis)
  const score = await redis.zscore('board', 'cleo')
  return { score, kind: typeof score, none: await redis.zscore('board', 'x'), many: await redis.zmscore('board', 'ada', 'x') }
}

export async function comparesScoresAsText(redis: Redis) {
  await seed(redis)
  return (await redis.zscore('board', 'ada')) === '10'
}

export async function incrementsScores(redis: Redis) {
  await seed(redis)
  const now = await redis.zincrby('board', 5, 'ada')
  return { now, number: parseFloat(now) + 1, text: now + '!' }
}

export async function ranges(redis: Redis) {
  await seed(redis)
  return {
    plain: await redis.zrange('board', 0, -1),
    top: await redis.zrange('board', 0, 1, 'REV'),
    scores: await redis.zrange('board', 0, -1, 'WITHSCORES'),
    byScore: await redis.zrange('board', 10, 20, 'BYSCORE'),
    exclusive: await redis.zrange('board', '(10', '+inf', 'BYSCORE', 'LIMIT', 0, 1),
    revByScore: await redis.zrange('board', '+inf', '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, 2),
    none: await redis.zrange('none', 0, -1, 'WITHSCORES'),
  }
}

export async function rangesWithLowerCase(redis: Redis) {
  await seed(redis)
  // @ts-expect-error lower case is not in the types
  return redis.zrange('board', 0, -1, 'withscores')
}

export async function pairsUpScores(redis: Redis) {
  await seed(redis)
  const flat = await redis.zrevrange('board', 0, 9, 'WITHSCORES')
  const rows: { name: string; score: number }[] = []
  for (let i = 0; i < flat.length; i += 2) rows.push({ name: flat[i]!, score: Number(flat[i + 1]) })
  return rows
}

export async function reversedRanges(redis: Redis) {
  await seed(redis)
  return [await redis.zrevrange('board', 0, 0), await redis.zrevrange('board', 0, -1, 'WITHSCORES')]
}

export async function rangesByScore(redis: Redis) {
  await seed(redis)
  return {
    all: await redis.zrangebyscore('board', '-inf', '+inf'),
    some: await redis.zrangebyscore('board', 10, '(30.5'),
    scored: await redis.zrangebyscore('board', 0, 100, 'WITHSCORES'),
    limited: await redis.zrangebyscore('board', 0, 100, 'LIMIT', 1, 1),
    both: await redis.zrangebyscore('board', 0, 100, 'WITHSCORES', 'LIMIT', 0, 2),
    reversed: await redis.zrevrangebyscore('board', '+inf', 20),
    reversedScored: await redis.zrevrangebyscore('board', 100, 0, 'WITHSCORES'),
    reversedLimited: await redis.zrevrangebyscore('board', '+inf', '-inf', 'LIMIT', 0, 1),
  }
}

export async function rangesByLex(redis: Redis) {
  await redis.zadd('words', 0, 'apple', 0, 'banana', 0, 'cherry')
  return {
    lex: await redis.zrangebylex('words', '-', '[banana'),
    limited: await redis.zrangebylex('words', '-', '+', 'LIMIT', 1, 1),
    reversed: await redis.zrevrangebylex('words', '+', '-'),
    count: await redis.zlexcount('words', '[b', '+'),
    byLex: await redis.zrange('words', '[a', '[c', 'BYLEX'),
    removed: await redis.zremrangebylex('words', '[a', '[b'),
  }
}

export async function counts(redis: Redis) {
  await seed(redis)
  return [await redis.zcard('board'), await redis.zcount('board', '(10', 30.5), await redis.zcount('board', '-inf', '+inf')]
}

export async function ranks(redis: Redis) {
  await seed(redis)
  return [await redis.zrank('board', 'bob'), await redis.zrevrank('board', 'bob'), await redis.zrank('board', 'x')]
}

export async function removes(redis: Redis) {
  await seed(redis)
  return [await redis.zrem('board', 'ada', 'x'), await redis.zrem('board', ['bob']), await redis.zcard('board')]
}

export async function trims(redis: Redis) {
  await redis.zadd('log', 1, 'a', 2, 'b', 3, 'c', 4, 'd')
  return [await redis.zremrangebyscore('log', '-inf', '(2'), await redis.zremrangebyrank('log', 0, 0)]
}

export async function popsScores(redis: Redis) {
  await redis.zadd('z', 1, 'a', 2, 'b', 3, 'c')
  return [await redis.zpopmin('z'), await redis.zpopmax('z', 1), await redis.zpopmin('none'), await redis.zpopmin('z', 5)]
}

export async function popsBlocking(redis: Redis) {
  await redis.zadd('z', 1, 'a', 2.5, 'b')
  return [await redis.bzpopmin('y', 'z', 1), await redis.bzpopmax('z', 1), await redis.bzpopmin('none', 0.01)]
}

export async function popsFromSeveral(redis: Redis) {
  await redis.zadd('z', 1, 'a', 2, 'b')
  return [await redis.zmpop(2, 'y', 'z', 'MIN'), await redis.zmpop(1, 'none', 'MAX')]
}

export async function picksRandom(redis: Redis) {
  await redis.zadd('z', 1.5, 'a')
  return [await redis.zrandmember('z'), await redis.zrandmember('z', 2), await redis.zrandmember('z', 1, 'WITHSCORES')]
}

export async function combines(redis: Redis) {
  await redis.zadd('a', 1, 'x', 2, 'y')
  await redis.zadd('b', 10, 'y', 20, 'z')
  return {
    union: await redis.zunion(2, 'a', 'b'),
    unionScored: await redis.zunion(2, 'a', 'b', 'WITHSCORES'),
    inter: await redis.zinter(2, 'a', 'b', 'WEIGHTS', 2, 3, 'WITHSCORES'),
    diff: await redis.zdiff(2, 'a', 'b'),
    diffScored: await redis.zdiff(2, 'a', 'b', 'WITHSCORES'),
    card: await redis.zintercard(2, 'a', 'b'),
  }
}

export async function storesCombinations(redis: Redis) {
  await redis.zadd('a', 1, 'x', 2, 'y')
  await redis.zadd('b', 10, 'y', 20, 'z')
  return [
    await redis.zunionstore('u', 2, 'a', 'b'),
    await redis.zunionstore('uw', 2, 'a', 'b', 'WEIGHTS', 1, 2, 'AGGREGATE', 'MAX'),
    await redis.zinterstore('i', 2, ['a', 'b'] as unknown as string),
    await redis.zdiffstore('d', 2, 'a', 'b'),
    await redis.zrangestore('r', 'a', 0, 0),
  ]
}

export async function slidingWindow(redis: Redis) {
  const now = 1_700_000_000_000
  const key = 'rate:ip'
  await redis.zremrangebyscore(key, 0, now - 60_000)
  await redis.zadd(key, now, `${now}-1`)
  await redis.zadd(key, now + 1, `${now}-2`)
  await redis.pexpire(key, 60_000)
  return redis.zcard(key)
}

export async function floatScores(redis: Redis) {
  await redis.zadd('f', 0.1, 'a', 1e-7, 'b', 123456789012345680, 'c', 3, 'd')
  return redis.zrange('f', 0, -1, 'WITHSCORES')
}
