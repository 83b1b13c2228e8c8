import type { Redis } from 'ioredis'

export async function readsConfig(redis: Redis) {
  const reply = (await redis.config('GET', 'maxmemory-policy')) as string[]
  const several = await redis.config('GET', 'save', 'appendonly')
  return { policy: reply[1], reply, several }
}

export async function writesConfig(redis: Redis) {
  const set = await redis.config('SET', 'slowlog-max-len', '64')
  const back = await redis.config('GET', 'slowlog-max-len')
  const reset = await redis.config('RESETSTAT')
  return { set, back, reset }
}

export async function readsInfo(redis: Redis) {
  const info = await redis.info('server')
  const version = /redis_version:(\S+)/.exec(info)?.[1]
  return { kind: typeof info, version, all: (await redis.info()).includes('# Clients') }
}

export async function readsSeveralInfoSections(redis: Redis) {
  return (await redis.info('keyspace', 'cluster')).includes('cluster_enabled:0')
}

export async function managesClients(redis: Redis) {
  const own = redis.duplicate()
  const set = await own.client('SETNAME', 'worker')
  const name = await own.client('GETNAME')
  const id = await own.client('ID')
  const list = (await redis.client('LIST', 'ID', id as number)) as string
  const killed = await redis.client('KILL', 'ID', id as number)
  own.on('error', () => undefined)
  own.disconnect()
  return { set, name, kind: typeof id, listed: list.includes('name=worker'), killed }
}

export async function pausesClients(redis: Redis) {
  return [await redis.client('UNPAUSE'), await redis.client('NO-EVICT', 'OFF')]
}

export async function inspectsObjects(redis: Redis) {
  await redis.set('n', 1)
  await redis.set('s', 'some text')
  return [
    await redis.object('ENCODING', 'n'),
    await redis.object('ENCODING', 's'),
    await redis.object('REFCOUNT', 's'),
    await redis.object('IDLETIME', 's'),
    await redis.object('ENCODING', 'none'),
  ]
}

export async function measuresMemory(redis: Redis) {
  await redis.set('s', 'x'.repeat(100))
  const usage = await redis.memory('USAGE', 's')
  return { known: typeof usage, none: await redis.memory('USAGE', 'none'), sampled: typeof (await redis.memory('USAGE', 's', 'SAMPLES', 0)) }
}

export async function looksUpCommands(redis: Redis) {
  const count = await redis.command('COUNT')
  const keys = await redis.call('COMMAND', 'GETKEYS', 'MSET', 'a', '1', 'b', '2')
  return { known: Number(count) > 200, keys }
}

export async function readsTheTime(redis: Redis) {
  const [seconds, microseconds] = await redis.time()
  return [typeof seconds, typeof microseconds, Number(seconds) > 1_600_000_000]
}

export async function readsTheSlowlog(redis: Redis) {
  return [await redis.slowlog('RESET'), await redis.slowlog('LEN'), await redis.slowlog('GET', 1)]
}

export async function readsTheRole(redis: Redis) {
  const role = (await redis.role()) as unknown[]
  return [role[0], role[2]]
}

export async function usesAcl(redis: Redis) {
  const who = await redis.acl('WHOAMI')
  const set = await redis.acl('SETUSER', 'temp', 'on', '>pw', '~t:*', '+get')
  const list = ((await redis.acl('USERS')) as string[]).sort()
  const gone = await redis.acl('DELUSER', 'temp')
  return { who, set, list, gone }
}

export async function latencyAndModules(redis: Redis) {
  return [await redis.latency('RESET'), await redis.module('LIST')]
}

export async function callsAnything(redis: Redis) {
  const set = await redis.call('SET', 'called', 'v', 'EX', 100)
  const get = await redis.call('GET', 'called')
  const missing = await redis.call('GET', 'none')
  const list = await redis.call('LRANGE', 'none', 0, -1)
  const hash = await redis.call('HSET', ['h', 'a', 1])
  const all = await redis.call('HGETALL', 'h')
  const lower = await redis.call('zadd', 'z', 1.5, 'm')
  const range = await redis.call('ZRANGE', 'z', '0', '-1', 'WITHSCORES')
  return { set, get, missing, list, hash, all, lower, range }
}

export async function callsAndFails(redis: Redis) {
  try {
    return await redis.call('NOSUCHCOMMAND', 'a')
  } catch (error) {
    return (error as Error).message.slice(0, 27)
  }
}

export async function monitors(redis: Redis) {
  const monitor = await redis.monitor()
  const seen = new Promise((resolve) => {
    monitor.on('monitor', (time, args, source, database) => {
      if (args[0].toLowerCase() === 'get') resolve({ time: typeof time, args, source: typeof source, database })
    })
  })
  await redis.get('watched')
  const line = await seen
  monitor.disconnect()
  return line
}

export async function swapsDatabases(redis: Redis) {
  await redis.set('here', '1')
  const swapped = await redis.swapdb(0, 9)
  return [swapped, await redis.exists('here')]
}

export async function savesNothing(redis: Redis) {
  return [typeof (await redis.lastsave()), await redis.dbsize()]
}
