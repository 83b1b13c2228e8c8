import type { Redis } from 'ioredis'

const bytes = Buffer.from([0xde, 0xad, 0xbe, 0xef])

export async function getBuffer(redis: Redis) {
  await redis.set('bin', bytes)
  const found = await redis.getBuffer('bin')
  return { found, none: await redis.getBuffer('none'), length: found?.length, isBuffer: Buffer.isBuffer(found) }
}

export async function hashBuffers(redis: Redis) {
  await redis.hset('h', 'a', bytes)
  await redis.hset('h', { b: bytes })
  return {
    all: await redis.hgetallBuffer('h'),
    one: await redis.hgetBuffer('h', 'a'),
    many: await redis.hmgetBuffer('h', 'a', 'none'),
    values: await redis.hvalsBuffer('h'),
    keys: await redis.hkeysBuffer('h'),
  }
}

export async function mgetBuffer(redis: Redis) {
  await redis.mset('a', bytes, 'b', 'text')
  return redis.mgetBuffer('a', 'b', 'c')
}

export async function listBuffers(redis: Redis) {
  await redis.rpush('l', bytes, 'text')
  return [
    await redis.lrangeBuffer('l', 0, -1),
    await redis.lindexBuffer('l', 0),
    await redis.lpopBuffer('l'),
    await redis.brpopBuffer('l', 1),
    await redis.rpopBuffer('l'),
  ]
}

export async function setBuffers(redis: Redis) {
  await redis.sadd('s', bytes)
  return [await redis.smembersBuffer('s'), await redis.sismember('s', bytes), await redis.spopBuffer('s')]
}

export async function sortedSetBuffers(redis: Redis) {
  await redis.zadd('z', 1, bytes)
  return [await redis.zrangeBuffer('z', 0, -1), await redis.zrangeBuffer('z', 0, -1, 'WITHSCORES'), await redis.zscoreBuffer('z', bytes)]
}

export async function setsWithABufferReply(redis: Redis) {
  return redis.setBuffer('k', 'v', 'GET')
}

export async function getsetBuffer(redis: Redis) {
  await redis.set('k', bytes)
  return [await redis.getsetBuffer('k', 'new'), await redis.getdelBuffer('k')]
}

export async function streamBuffers(redis: Redis) {
  await redis.xadd('x', '1-0', 'data', bytes)
  return [await redis.xrangeBuffer('x', '-', '+'), await redis.xreadBuffer('STREAMS', 'x', '0')]
}

export async function callBuffer(redis: Redis) {
  await redis.set('k', bytes)
  return redis.callBuffer('GET', 'k')
}

export async function evalBuffer(redis: Redis) {
  await redis.set('k', bytes)
  return redis.callBuffer('EVAL', 'return redis.call("get", KEYS[1])', 1, 'k')
}

export async function scanBuffers(redis: Redis) {
  await redis.set(bytes, 'v')
  const [cursor, keys] = await redis.scanBuffer(0)
  return { cursor, keys, all: await redis.keysBuffer('*') }
}

export async function comparesBuffers(redis: Redis) {
  await redis.set('k', bytes)
  const found = await redis.getBuffer('k')
  return found !== null && bytes.equals(found)
}

export async function storesABase64Image(redis: Redis) {
  await redis.set('img', bytes.toString('base64'), 'EX', 100)
  return Buffer.from((await redis.get('img'))!, 'base64')
}

export async function storesAUint8Array(redis: Redis) {
  await redis.set('u8', Buffer.from(new Uint8Array([1, 2, 3])))
  return redis.getrangeBuffer('u8', 0, 1)
}
