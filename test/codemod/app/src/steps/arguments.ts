import Redis from 'ioredis'

interface Profile {
  name: string
  nick?: string
  age: number | null
}

const profile: Profile = { name: 'Ada', age: null }

export async function storesNumbers(redis: Redis) {
  await redis.set('n', 5)
  await redis.set('f', 0.1 + 0.2)
  await redis.set('e', 1e21)
  await redis.set('neg', -0)
  return redis.mget('n', 'f', 'e', 'neg')
}

export async function storesNull(redis: Redis) {
  await redis.hset('user:1', 'age', profile.age as unknown as string)
  return redis.hgetall('user:1')
}

export async function storesUndefined(redis: Redis) {
  await redis.hset('user:1', 'nick', profile.nick as string)
  return redis.hget('user:1', 'nick')
}

export async function storesUndefinedInAnObject(redis: Redis) {
  await redis.hset('user:2', { ...profile })
  return redis.hgetall('user:2')
}

export async function storesBooleans(redis: Redis) {
  await redis.hset('flags', { on: true, off: false } as unknown as Record<string, string>)
  await redis.set('flag', String(true))
  return redis.hgetall('flags')
}

export async function storesABooleanValue(redis: Redis) {
  const enabled: boolean = Date.now() > 0
  await redis.set('enabled', enabled as unknown as string)
  return redis.get('enabled')
}

export async function storesADate(redis: Redis) {
  const when = new Date(0)
  await redis.hset('event', 'at', when.toISOString(), 'raw', when as unknown as string)
  return redis.hget('event', 'at')
}

export async function storesAnObjectByMistake(redis: Redis) {
  await redis.set('object', { a: 1 } as unknown as string)
  return redis.get('object')
}

export async function storesAnArrayByMistake(redis: Redis) {
  // ioredis flattens: the server sees SET list a b and refuses it.
  return redis.set('list', ['a', 'b'] as unknown as string)
}

export async function storesASingleElementArray(redis: Redis) {
  return [await redis.set('list', ['only'] as unknown as string), await redis.get('list')]
}

export async function storesBigInts(redis: Redis) {
  await redis.set('big', 12345678901234567890n as unknown as string)
  return redis.get('big')
}

export async function storesBuffers(redis: Redis) {
  await redis.set('bin', Buffer.from([0, 255, 128, 10]))
  return redis.getBuffer('bin')
}

export async function usesABinaryKey(redis: Redis) {
  const key = Buffer.from([1, 2, 250])
  await redis.set(key, 'value')
  return [await redis.get(key), await redis.exists(key)]
}

export async function usesANumberAsKey(redis: Redis) {
  const id = 42
  await redis.set(id as unknown as string, 'x')
  return redis.get(`${id}`)
}

export async function usesANumberAsField(redis: Redis) {
  await redis.hset('by-id', 7 as unknown as string, 'seven')
  return [await redis.hget('by-id', 7 as unknown as string), await redis.hexists('by-id', '7')]
}

export async function usesUndefinedAsKey(redis: Redis) {
  const key = (undefined as unknown) as string
  await redis.set(key, 'x')
  return redis.get('')
}

export async function omitsAnOptionalArgument(redis: Redis) {
  async function save(key: string, value: string, ttl?: number): Promise<string | null> {
    if (ttl === undefined) return redis.set(key, value)
    return redis.set(key, value, 'EX', ttl)
  }
  return [await save('a', '1'), await save('b', '2', 77)]
}

export async function passesAnUndefinedTtl(redis: Redis) {
  const ttl = undefined as unknown as number
  return redis.set('k', 'v', 'EX', ttl)
}

export async function passesNaN(redis: Redis) {
  await redis.set('k', 'v')
  return redis.expire('k', Number('x'))
}

export async function incrementsByText(redis: Redis) {
  return [await redis.incrby('n', '5'), await redis.decrby('n', '2')]
}

export async function pushesMixedValues(redis: Redis) {
  await redis.rpush('mixed', 'a', 1, Buffer.from('b'), '2.50', '')
  return redis.lrange('mixed', 0, -1)
}

export async function nestsArrays(redis: Redis) {
  // ioredis flattens arrays, also inside spread arguments.
  return [await redis.rpush('nested', ...(['a', ['b', 'c']] as unknown as string[])), await redis.lrange('nested', 0, -1)]
}

export async function storesEmptyStrings(redis: Redis) {
  await redis.set('', 'empty key')
  await redis.hset('h', '', '')
  return [await redis.get(''), await redis.hget('h', '')]
}

export async function storesUnicode(redis: Redis) {
  await redis.set('emoji', '💾 ключ \u0000 end')
  return [await redis.get('emoji'), await redis.strlen('emoji')]
}

export async function storesALoneSurrogate(redis: Redis) {
  await redis.set('surrogate', 'a\ud800b')
  return redis.get('surrogate')
}

export async function readsBytesAsText(redis: Redis) {
  await redis.set('raw', Buffer.from([0x61, 0xff, 0x62]))
  return redis.get('raw')
}
