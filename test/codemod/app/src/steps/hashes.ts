import type { Redis } from 'ioredis'

export async function setsFields(redis: Redis) {
  const added = await redis.hset('user:1', 'name', 'Ada', 'age', 36)
  return { added, all: await redis.hgetall('user:1') }
}

export async function setsAnObject(redis: Redis) {
  const added = await redis.hset('user:1', { name: 'Ada', age: 36, score: 1.5 })
  return { added, all: await redis.hgetall('user:1') }
}

export async function setsAMap(redis: Redis) {
  const fields = new Map<string, string | number>([
    ['name', 'Ada'],
    ['age', 36],
  ])
  return [await redis.hset('user:1', fields), await redis.hget('user:1', 'age')]
}

export async function setsEntries(redis: Redis) {
  const user = { b: '2', a: '1' }
  return [await redis.hset('user:1', ...Object.entries(user).flat()), Object.keys(await redis.hgetall('user:1'))]
}

export async function keepsTheOrderOfIntegerLikeFields(redis: Redis) {
  await redis.hset('order', 'b', '1', '10', '2', '9', '3', 'a', '4')
  return Object.keys(await redis.hgetall('order'))
}

export async function hmset(redis: Redis) {
  const reply = await redis.hmset('user:1', { name: 'Ada', city: 'London' })
  return [reply, await redis.hmget('user:1', 'name', 'city', 'none')]
}

export async function hmsetFlat(redis: Redis) {
  return [await redis.hmset('user:1', 'name', 'Ada', 'city', 'London'), await redis.hlen('user:1')]
}

export async function hmsetMap(redis: Redis) {
  return redis.hmset('user:1', new Map([['x', '1']]))
}

export async function readsAnEmptyHash(redis: Redis) {
  const user = await redis.hgetall('user:none')
  return { user, empty: Object.keys(user).length === 0, own: user.hasOwnProperty('x') }
}

export async function checksTheHash(redis: Redis) {
  await redis.hset('user:1', 'name', 'Ada')
  const user = await redis.hgetall('user:1')
  return [user instanceof Object, String(user), user.name, JSON.stringify(user)]
}

export async function overwritesPrototypeNames(redis: Redis) {
  await redis.hset('odd', 'constructor', 'x', '__proto__', 'y', 'toString', 'z')
  const all = await redis.hgetall('odd')
  return [Object.keys(all), all.constructor as unknown]
}

export async function setsAnEmptyObject(redis: Redis) {
  return redis.hset('user:1', {})
}

export async function hmgetList(redis: Redis) {
  await redis.hset('h', { a: 1, b: 2 })
  const fields = ['a', 'b', 'c']
  return [await redis.hmget('h', fields as unknown as string), await redis.hmget('h', ...fields)]
}

export async function deletesFields(redis: Redis) {
  await redis.hset('h', { a: 1, b: 2, c: 3 })
  return [await redis.hdel('h', 'a', 'b'), await redis.hdel('h', ...['c', 'd']), await redis.exists('h')]
}

export async function checksFields(redis: Redis) {
  await redis.hset('h', 'a', '')
  const has = await redis.hexists('h', 'a')
  const hasNot = await redis.hexists('h', 'b')
  return { has, hasNot, strict: has === 1, value: await redis.hget('h', 'a'), none: await redis.hget('h', 'b') }
}

export async function hsetnx(redis: Redis) {
  return [await redis.hsetnx('h', 'a', '1'), await redis.hsetnx('h', 'a', '2')]
}

export async function countsInAHash(redis: Redis) {
  const n = await redis.hincrby('h', 'visits', 3)
  const f = await redis.hincrbyfloat('h', 'sum', 1.25)
  return { n, f, kind: typeof f }
}

export async function listsFields(redis: Redis) {
  await redis.hset('h', { a: 1, b: 2 })
  return {
    keys: await redis.hkeys('h'),
    values: await redis.hvals('h'),
    length: await redis.hlen('h'),
    size: await redis.hstrlen('h', 'a'),
  }
}

export async function picksRandomFields(redis: Redis) {
  const none = await redis.hrandfield('h')
  await redis.hset('h', 'only', 'one')
  return [none, await redis.hrandfield('h'), await redis.hrandfield('h', 2), await redis.hrandfield('h', 1, 'WITHVALUES')]
}

export async function maps(redis: Redis) {
  await redis.hset('h', { x: '1', y: '2' })
  const entries = Object.entries(await redis.hgetall('h')).map(([key, value]) => [key, parseInt(value, 10)] as const)
  return Object.fromEntries(entries)
}

export async function destructures(redis: Redis) {
  await redis.hset('h', { name: 'Ada', mail: 'ada@example.org' })
  const { name, mail = 'none', phone = 'none' } = await redis.hgetall('h')
  return { name, mail, phone }
}
