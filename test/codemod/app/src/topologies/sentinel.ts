import Redis from 'ioredis'

const sentinels = (process.env.REDIS_SENTINEL_PORTS ?? '').split(',').map((port) => ({ host: '127.0.0.1', port: Number(port) }))

export async function connectsThroughSentinels() {
  const client = new Redis({ sentinels, name: 'mymaster' })
  const set = await client.set('via', 'sentinel', 'EX', 60)
  const value = await client.get('via')
  await client.quit()
  return { set, value }
}

export async function selectsADatabaseBehindSentinels() {
  const client = new Redis({ sentinels, name: 'mymaster', db: 2, role: 'master' })
  await client.hset('h', 'a', 1, 'b', 2)
  const all = await client.hgetall('h')
  client.disconnect()
  return all
}

export async function runsAPipelineBehindSentinels() {
  const client = new Redis({ sentinels, name: 'mymaster', connectTimeout: 5000 })
  const results = await client.pipeline().incr('n').incrby('n', 4).get('n').exec()
  await client.quit()
  return results
}

export async function readsFromAReplica() {
  const client = new Redis({ sentinels, name: 'mymaster', role: 'slave' })
  const [role] = (await client.role()) as unknown[]
  await client.quit()
  return role
}
