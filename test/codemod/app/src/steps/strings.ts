import type { Redis } from 'ioredis'

export async function readsWhatItWrote(redis: Redis) {
  await redis.set('user:1:name', 'Ada')
  return await redis.get('user:1:name')
}

export async function readsAMissingKey(redis: Redis) {
  return redis.get('user:404')
}

export async function setsForAMinute(redis: Redis) {
  return redis.set('session:1', JSON.stringify({ user: 1 }), 'EX', 60)
}

export async function setsForMilliseconds(redis: Redis) {
  return redis.set('session:2', 'x', 'PX', 90_000)
}

export async function setsUntilASecond(redis: Redis) {
  return redis.set('offer', 'on', 'EXAT', 4_102_444_800)
}

export async function setsUntilAMillisecond(redis: Redis) {
  return redis.set('offer', 'on', 'PXAT', 4_102_444_800_000)
}

export async function locksOnce(redis: Redis) {
  const first = await redis.set('lock:job', 'me', 'EX', 30, 'NX')
  const second = await redis.set('lock:job', 'you', 'EX', 30, 'NX')
  return { first, second }
}

export async function locksInMilliseconds(redis: Redis) {
  const acquired = await redis.set('lock:report', process.title && 'token', 'PX', 10_000, 'NX')
  if (acquired !== 'OK') return 'busy'
  return 'locked'
}

export async function locksWithTheOldOrder(redis: Redis) {
  // The order of the arguments that the first documentation of SET NX showed.
  // @ts-ignore the overloads know only the other order
  return [await redis.set('lock:a', '1', 'NX', 'EX', 20), await redis.set('lock:a', '2', 'NX', 'PX', 20_000)]
}

export async function replacesOnlyExisting(redis: Redis) {
  const missing = await redis.set('counter', 5, 'XX')
  await redis.set('counter', 1)
  const there = await redis.set('counter', 5, 'XX')
  return [missing, there]
}

export async function keepsTheTtl(redis: Redis) {
  await redis.set('token', 'a', 'EX', 500)
  await redis.set('token', 'b', 'KEEPTTL')
  return redis.ttl('token')
}

export async function returnsTheOldValue(redis: Redis) {
  await redis.set('leader', 'one')
  const old = await redis.set('leader', 'two', 'GET')
  const none = await redis.set('follower', 'three', 'GET')
  return { old, none }
}

export async function returnsTheOldValueWithTtl(redis: Redis) {
  await redis.set('leader', 'one')
  return redis.set('leader', 'two', 'EX', 40, 'GET')
}

export async function usesLowerCaseOptions(redis: Redis) {
  // @ts-expect-error the types know only upper case, the server both
  await redis.set('lower', '1', 'ex', 45)
  return redis.ttl('lower')
}

export async function usesAVariableOption(redis: Redis) {
  const unit: 'EX' | 'PX' = Date.now() > 0 ? 'EX' : 'PX'
  if (unit === 'EX') await redis.set('by-variable', 'v', unit, 70)
  return redis.ttl('by-variable')
}

export async function spreadsOptions(redis: Redis) {
  const options = ['EX', 80] as const
  await redis.set('spread', 'v', ...options)
  return redis.ttl('spread')
}

export async function passesTtlAsString(redis: Redis) {
  await redis.set('ttl-text', 'v', 'EX', '120')
  return redis.ttl('ttl-text')
}

export async function setex(redis: Redis) {
  await redis.setex('cache:page', 300, '<html>')
  return redis.get('cache:page')
}

export async function psetex(redis: Redis) {
  return redis.psetex('cache:fragment', 40_000, 'x')
}

export async function setnx(redis: Redis) {
  const first = await redis.setnx('once', 'a')
  const second = await redis.setnx('once', 'b')
  if (first === 1 && second === 0) return 'ok'
  return [first, second]
}

export async function deletesSeveral(redis: Redis) {
  await redis.mset('a', '1', 'b', '2', 'c', '3')
  return redis.del('a', 'b', 'missing')
}

export async function deletesAList(redis: Redis) {
  await redis.mset({ a: '1', b: '2', c: '3' })
  const keys = ['a', 'c']
  return redis.del(keys)
}

export async function deletesSpread(redis: Redis) {
  await redis.mset({ a: '1', b: '2', c: '3' })
  const keys = ['a', 'b', 'c']
  return redis.del(...keys)
}

export async function deletesAnEmptyList(redis: Redis) {
  await redis.set('kept', '1')
  const keys: string[] = []
  return redis.del(...keys)
}

export async function deletesAnEmptyArray(redis: Redis) {
  return redis.del([])
}

export async function unlinks(redis: Redis) {
  await redis.mset(new Map([['k1', 'v1'], ['k2', 'v2']]))
  return redis.unlink('k1', 'k2')
}

export async function countsExisting(redis: Redis) {
  await redis.set('here', '')
  return [await redis.exists('here', 'there', 'here'), await redis.exists('there'), await redis.exists(['here'])]
}

export async function readsMany(redis: Redis) {
  await redis.mset('m1', 1, 'm2', 2)
  return redis.mget('m1', 'm2', 'm3')
}

export async function readsManyFromAList(redis: Redis) {
  await redis.mset(['m1', 'x', 'm2', 'y'])
  const ids = [1, 2, 3]
  return redis.mget(ids.map((id) => `m${id}`))
}

export async function readsManyMixed(redis: Redis) {
  await redis.mset('m1', 'x', 'm2', 'y')
  const rest = ['m2', 'm3']
  return redis.mget('m1', ...rest)
}

export async function readsNothing(redis: Redis) {
  const keys: string[] = []
  return redis.mget(keys)
}

export async function msetnx(redis: Redis) {
  const first = await redis.msetnx('n1', 'a', 'n2', 'b')
  const second = await redis.msetnx({ n2: 'c', n3: 'd' })
  return [first, second]
}

export async function countsUp(redis: Redis) {
  await redis.incr('hits')
  await redis.incrby('hits', 41)
  await redis.decr('hits')
  return redis.decrby('hits', 1)
}

export async function countsFloats(redis: Redis) {
  const sum = await redis.incrbyfloat('balance', 10.5)
  const more = await redis.incrbyfloat('balance', '0.1')
  return { sum, more, type: typeof more }
}

export async function countsBeyondSafeIntegers(redis: Redis) {
  await redis.set('big', '9007199254740993')
  const next = await redis.incr('big')
  return { next, text: await redis.get('big') }
}

export async function appendsAndCuts(redis: Redis) {
  await redis.append('log', 'hello ')
  const length = await redis.append('log', 'world')
  const part = await redis.getrange('log', 0, 4)
  const after = await redis.setrange('log', 6, 'redis')
  return { length, part, after, total: await redis.strlen('log'), sub: await redis.substr('log', 6, -1) }
}

export async function getset(redis: Redis) {
  return [await redis.getset('state', 'on'), await redis.getset('state', 'off')]
}

export async function getdel(redis: Redis) {
  await redis.set('code', '123')
  return [await redis.getdel('code'), await redis.getdel('code')]
}

export async function getex(redis: Redis) {
  await redis.set('slide', 'v')
  const plain = await redis.getex('slide')
  const touched = await redis.getex('slide', 'EX', 55)
  const ttl = await redis.ttl('slide')
  await redis.getex('slide', 'PERSIST')
  return { plain, touched, ttl, after: await redis.ttl('slide') }
}

export async function copiesAndRenames(redis: Redis) {
  await redis.set('src', 'v')
  const copied = await redis.copy('src', 'dst')
  const again = await redis.copy('src', 'dst')
  const replaced = await redis.copy('src', 'dst', 'REPLACE')
  const renamed = await redis.rename('src', 'moved')
  const nx = await redis.renamenx('moved', 'dst')
  return { copied, again, replaced, renamed, nx, type: await redis.type('dst') }
}

export async function comparesStrings(redis: Redis) {
  await redis.mset('s1', 'ohmytext', 's2', 'mynewtext')
  return { lcs: await redis.lcs('s1', 's2'), len: await redis.lcs('s1', 's2', 'LEN') }
}

export async function chainsPromises(redis: Redis) {
  return redis
    .set('chained', '1')
    .then(() => redis.get('chained'))
    .then((value) => Number(value) + 1)
    .catch(() => -1)
    .finally(() => redis.del('chained'))
}

export async function runsInParallel(redis: Redis) {
  await Promise.all([redis.set('p1', 'a'), redis.set('p2', 'b', 'EX', 100), redis.incr('p3')])
  const [one, two, three] = await Promise.all([redis.get('p1'), redis.ttl('p2'), redis.get('p3')])
  return { one, two, three }
}

export async function settlesAll(redis: Redis) {
  await redis.set('text', 'abc')
  const results = await Promise.allSettled([redis.incr('text'), redis.get('text')])
  return results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.message))
}

export async function cacheAside(redis: Redis) {
  async function load(id: number): Promise<{ id: number; name: string }> {
    const cached = await redis.get(`user:${id}`)
    if (cached) return JSON.parse(cached)
    const fresh = { id, name: 'Grace' }
    await redis.set(`user:${id}`, JSON.stringify(fresh), 'EX', 3600)
    return fresh
  }
  return [await load(7), await load(7)]
}
