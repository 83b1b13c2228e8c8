import Redis, { Cluster, type ClusterOptions } from 'ioredis'

const ports = (process.env.REDIS_CLUSTER_PORTS ?? '').split(',').map(Number)

function connect(options: ClusterOptions = {}): Cluster {
  return new Cluster(
    ports.map((port) => ({ host: '127.0.0.1', port })),
    options,
  )
}

export async function writesToAllNodes() {
  const cluster = connect()
  const replies = await Promise.all(Array.from({ length: 20 }, (_, n) => cluster.set(`k:${n}`, n, 'EX', 100)))
  const values = await Promise.all(Array.from({ length: 20 }, (_, n) => cluster.get(`k:${n}`)))
  await cluster.quit()
  return { replies: new Set(replies).size, sum: values.map(Number).reduce((a, b) => a + b) }
}

export async function usesTheStaticClass() {
  const cluster = new Redis.Cluster([{ host: '127.0.0.1', port: ports[0] as number }], { redisOptions: { connectTimeout: 5000 } })
  await cluster.hset('{u}:1', { name: 'Ada', age: 36 })
  const user = await cluster.hgetall('{u}:1')
  const many = await cluster.mget('{u}:a', '{u}:b')
  cluster.disconnect()
  return { user, many }
}

export async function startsFromUrls() {
  const cluster = new Cluster([`redis://127.0.0.1:${ports[1]}`])
  const pong = await cluster.ping()
  const added = await cluster.sadd('{s}', 'a', 'b', 'a')
  await cluster.quit()
  return { pong, added }
}

export async function refusesKeysOfSeveralSlots() {
  const cluster = connect()
  const outcome = await cluster.mget('a', 'b').catch((error: Error) => error.message)
  cluster.disconnect()
  return outcome
}

export async function runsAPipelineInOneSlot() {
  const cluster = connect()
  const results = await cluster.pipeline().set('{p}:1', 'a').incr('{p}:n').get('{p}:1').exec()
  await cluster.quit()
  return results
}

export async function runsATransactionInOneSlot() {
  const cluster = connect()
  const results = await cluster.multi().set('{m}:1', 'x').get('{m}:1').incr('{m}:1').exec()
  await cluster.quit()
  return results?.map(([error, value]) => [error?.message ?? null, value])
}

export async function evaluatesOnTheNodeOfTheKey() {
  const cluster = connect()
  const value = await cluster.eval('redis.call("set", KEYS[1], ARGV[1]) return redis.call("get", KEYS[1])', 1, 'scripted', 5)
  await cluster.quit()
  return value
}

export async function countsNodes() {
  const cluster = connect()
  await cluster.ping()
  const masters = cluster.nodes('master').length
  await cluster.quit()
  return masters
}

export async function publishesThroughACluster() {
  const sub = connect()
  const pub = connect()
  const got = new Promise((resolve) => sub.on('message', (channel, message) => resolve([channel, message])))
  await sub.subscribe('news')
  await pub.publish('news', 'hello')
  const message = await got
  sub.disconnect()
  pub.disconnect()
  return message
}

export async function worksOnEither() {
  async function remember(client: Redis | Cluster): Promise<unknown> {
    await client.setex('either', 60, 'v')
    return [await client.get('either'), await client.ttl('either'), await client.exists('either')]
  }
  const cluster = connect()
  const value = await remember(cluster)
  await cluster.quit()
  return value
}
