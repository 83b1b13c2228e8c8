import { Redis, type RedisOptions } from 'ioredis'

const base: RedisOptions = {
  host: '127.0.0.1',
  port: Number(process.env.REDIS_PORT ?? 6379),
  maxRetriesPerRequest: null,
  enableReadyCheck: true,
  retryStrategy: (times) => Math.min(times * 50, 2000),
}

export function connect(overrides: RedisOptions = {}): Redis {
  const client = new Redis({ ...base, ...overrides })
  client.on('error', (error: Error) => console.error('queue:', error.message))
  return client
}

/** The shared connection of the application. */
export const redis = connect()

export async function shutdown(): Promise<void> {
  try {
    await redis.quit()
  } catch {
    redis.disconnect()
  }
}
