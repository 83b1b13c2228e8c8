import type { Redis } from 'ioredis'

async function places(redis: Redis): Promise<number> {
  return redis.geoadd('sicily', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania')
}

export async function addsPlaces(redis: Redis) {
  return [await places(redis), await redis.geoadd('sicily', 'NX', 13.5, 38, 'Palermo')]
}

export async function readsPlaces(redis: Redis) {
  await places(redis)
  return {
    positions: await redis.geopos('sicily', 'Palermo', 'none'),
    hashes: await redis.geohash('sicily', 'Palermo', 'Catania'),
    distance: await redis.geodist('sicily', 'Palermo', 'Catania'),
    km: await redis.geodist('sicily', 'Palermo', 'Catania', 'KM'),
    none: await redis.geodist('sicily', 'Palermo', 'none'),
  }
}

export async function searchesPlaces(redis: Redis) {
  await places(redis)
  return {
    members: await redis.geosearch('sicily', 'FROMLONLAT', 15, 37, 'BYRADIUS', 200, 'km', 'ASC'),
    around: await redis.geosearch('sicily', 'FROMMEMBER', 'Palermo', 'BYBOX', 400, 400, 'km', 'DESC', 'COUNT', 1),
    full: await redis.geosearch('sicily', 'FROMLONLAT', 15, 37, 'BYRADIUS', 200, 'km', 'ASC', 'WITHCOORD', 'WITHDIST'),
    radius: await redis.georadius('sicily', 15, 37, 200, 'km', 'WITHDIST', 'ASC'),
    stored: await redis.geosearchstore('near', 'sicily', 'FROMLONLAT', 15, 37, 'BYRADIUS', 100, 'km'),
  }
}

export async function setsBits(redis: Redis) {
  return [
    await redis.setbit('bits', 7, 1),
    await redis.setbit('bits', 7, 0),
    await redis.setbit('bits', 9, '1'),
    await redis.getbit('bits', 9),
    await redis.bitcount('bits'),
    await redis.bitcount('bits', 0, 0),
    await redis.bitpos('bits', 1),
    await redis.bitpos('none', 1),
  ]
}

export async function combinesBits(redis: Redis) {
  await redis.mset('a', 'foobar', 'b', 'abcdef')
  return [await redis.bitop('AND', 'and', 'a', 'b'), await redis.bitop('NOT', 'not', 'a'), await redis.getBuffer('not')]
}

export async function usesBitfields(redis: Redis) {
  return [
    await redis.bitfield('bf', 'INCRBY', 'i5', 100, 1),
    await redis.bitfield('bf', 'OVERFLOW', 'FAIL', 'SET', 'u8', '#0', 255),
    await redis.bitfield('bf', 'GET', 'u8', 0),
    await redis.bitfield_ro('bf', 'GET', 'u8', 0),
  ]
}

export async function countsUniques(redis: Redis) {
  const changed = await redis.pfadd('visitors', 'a', 'b', 'c')
  const same = await redis.pfadd('visitors', 'a')
  await redis.pfadd('others', 'c', 'd')
  const merged = await redis.pfmerge('all', 'visitors', 'others')
  return { changed, same, merged, count: await redis.pfcount('visitors', 'others'), all: await redis.pfcount('all') }
}

export async function countsDailyActives(redis: Redis) {
  const day = '2026-01-01'
  const ids = [1, 5, 9]
  await Promise.all(ids.map((id) => redis.setbit(`active:${day}`, id, 1)))
  const total = await redis.bitcount(`active:${day}`)
  return `${total} active`
}
