import type { Redis } from 'ioredis'

export async function addsMembers(redis: Redis) {
  const added = await redis.sadd('tags', 'a', 'b', 'c')
  const again = await redis.sadd('tags', 'a', 'd')
  return { added, again, size: await redis.scard('tags') }
}

export async function addsAList(redis: Redis) {
  const ids = [1, 2, 3]
  return [await redis.sadd('ids', ids), await redis.sadd('ids', ...ids.map(String), '4')]
}

export async function addsAJsSet(redis: Redis) {
  const seen = new Set(['x', 'y'])
  return redis.sadd('seen', ...seen)
}

export async function readsMembers(redis: Redis) {
  await redis.sadd('ids', 3, 1, 2)
  return [await redis.smembers('ids'), await redis.smembers('none')]
}

export async function checksMembers(redis: Redis) {
  await redis.sadd('ids', 1)
  const yes = await redis.sismember('ids', 1)
  const no = await redis.sismember('ids', 2)
  return { yes, no, both: await redis.smismember('ids', 1, 2), text: yes ? 'yes' : 'no' }
}

export async function removesMembers(redis: Redis) {
  await redis.sadd('ids', 1, 2, 3)
  return [await redis.srem('ids', 1, 9), await redis.srem('ids', ['2', '3']), await redis.exists('ids')]
}

export async function movesMembers(redis: Redis) {
  await redis.sadd('a', 'x')
  return [await redis.smove('a', 'b', 'x'), await redis.smove('a', 'b', 'y')]
}

export async function combinesSets(redis: Redis) {
  await redis.sadd('a', 1, 2, 3)
  await redis.sadd('b', 2, 3, 4)
  return {
    inter: (await redis.sinter('a', 'b')).sort(),
    union: (await redis.sunion('a', 'b', 'none')).sort(),
    diff: (await redis.sdiff('a', 'b')).sort(),
    list: (await redis.sinter(['a', 'b'])).sort(),
    count: await redis.sintercard(2, 'a', 'b'),
    limited: await redis.sintercard(2, 'a', 'b', 'LIMIT', 1),
  }
}

export async function storesCombinedSets(redis: Redis) {
  await redis.sadd('a', 1, 2, 3)
  await redis.sadd('b', 2, 3, 4)
  return [
    await redis.sinterstore('i', 'a', 'b'),
    await redis.sunionstore('u', 'a', 'b'),
    await redis.sdiffstore('d', 'a', 'b'),
    await redis.sunionstore('u2', ['a', 'b']),
  ]
}

export async function picksRandomMembers(redis: Redis) {
  const none = [await redis.spop('s'), await redis.srandmember('s'), await redis.srandmember('s', 2), await redis.spop('s', 2)]
  await redis.sadd('s', 'only')
  return [none, await redis.srandmember('s'), await redis.srandmember('s', 3), await redis.spop('s'), await redis.exists('s')]
}

export async function popsAll(redis: Redis) {
  await redis.sadd('s', 1, 2, 3)
  return (await redis.spop('s', 10)).sort()
}

export async function spreadsIntoASet(redis: Redis) {
  await redis.sadd('s', 'b', 'a')
  return [...new Set(await redis.smembers('s'))].sort()
}
