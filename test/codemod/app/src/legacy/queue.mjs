import Redis, { Command } from 'ioredis'

const connect = () => new Redis({ port: Number(process.env.REDIS_PORT), maxRetriesPerRequest: null })

export async function queueInAModule() {
  const queue = connect()
  await queue.lpush('queue', 'a', 'b')
  const [key, job] = await queue.brpop('queue', 1)
  await queue.quit()
  return { key, job, command: typeof Command }
}

export const lockInAModule = async () => {
  const client = connect()
  try {
    const first = await client.set('lock', 'a', 'PX', 60000, 'NX')
    const second = await client.set('lock', 'b', 'PX', 60000, 'NX')
    return [first, second]
  } finally {
    client.disconnect()
  }
}

export async function scoresInAModule() {
  const client = connect()
  await client.zadd('z', 1, 'a', 2, 'b')
  const flat = await client.zrevrange('z', 0, -1, 'WITHSCORES')
  const [cursor, keys] = await client.scan('0', 'MATCH', 'z*')
  await client.quit()
  return { flat, cursor, keys }
}
