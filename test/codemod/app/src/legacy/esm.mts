import { Redis, type RedisOptions } from 'ioredis'

const options: RedisOptions = { port: Number(process.env.REDIS_PORT), host: '127.0.0.1', keyPrefix: 'esm:' }

export async function worksInAnEcmaScriptModule() {
  const client = new Redis(options)
  await client.mset({ a: 1, b: 2 })
  const values = await client.mget(['a', 'b', 'c'])
  const count = await client.exists('a', 'b', 'c')
  await client.quit()
  return { values, count }
}
