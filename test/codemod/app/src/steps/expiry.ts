import { Redis } from 'ioredis'

export async function expires(redis: Redis) {
  await redis.set('k', 'v')
  const set = await redis.expire('k', 60)
  const missing = await redis.expire('none', 60)
  return { set, missing, ttl: await redis.ttl('k') }
}

export async function expiresWithCondition(redis: Redis) {
  await redis.set('k', 'v', 'EX', 1000)
  return [await redis.expire('k', 50, 'GT'), await redis.expire('k', 2000, 'GT'), await redis.expire('k', 1, 'NX')]
}

export async function pexpires(redis: Redis) {
  await redis.set('k', 'v')
  return [await redis.pexpire('k', 100_000), await redis.pexpire('k', '120000')]
}

export async function expiresAt(redis: Redis) {
  await redis.mset('a', 1, 'b', 1)
  return [await redis.expireat('a', 4_102_444_800), await redis.pexpireat('b', 4_102_444_800_000)]
}

export async function readsExpireTimes(redis: Redis) {
  await redis.set('a', 1, 'EXAT', 4_102_444_800)
  return [await redis.expiretime('a'), await redis.pexpiretime('a')]
}

export async function persists(redis: Redis) {
  await redis.setex('k', 60, 'v')
  const was = await redis.persist('k')
  const again = await redis.persist('k')
  return [was, again, await redis.ttl('k'), await redis.pttl('missing'), await redis.ttl('missing')]
}

export async function expiresByTruthiness(redis: Redis) {
  await redis.set('k', 'v')
  if (!(await redis.expire('k', 90))) throw new Error('gone')
  return (await redis.exists('k')) ? 'there' : 'gone'
}

export async function expiresInAFractionOfASecond(redis: Redis) {
  await redis.set('k', 'v')
  // 1.5 is not an integer for the server.
  return redis.expire('k', 1.5)
}

export async function deletesByExpireZero(redis: Redis) {
  await redis.set('k', 'v')
  return [await redis.expire('k', 0), await redis.exists('k')]
}

export async function touches(redis: Redis) {
  await redis.mset('a', 1, 'b', 2)
  return redis.touch('a', 'b', 'c')
}

export async function movesBetweenDatabases(redis: Redis) {
  await redis.set('wanderer', 'v')
  return [await redis.move('wanderer', 4), await redis.exists('wanderer')]
}

export async function dumpsAndRestores(redis: Redis) {
  await redis.set('orig', 'value')
  const dump = await redis.dumpBuffer('orig')
  return redis.restore('copy', 5000_000, dump)
}

export async function restoresOverExisting(redis: Redis) {
  await redis.set('orig', 'value')
  await redis.set('copy', 'other')
  const dump = await redis.dumpBuffer('orig')
  return redis.restore('copy', 0, dump, 'REPLACE')
}

export async function readsRandomKey(redis: Redis) {
  const none = await redis.randomkey()
  await redis.set('only', 1)
  return [none, await redis.randomkey(), await redis.dbsize()]
}

export async function selectsADatabase(redis: Redis) {
  const other = redis.duplicate()
  await other.select(5)
  await other.set('in-five', 'v')
  await other.quit()
  return redis.exists('in-five')
}
