import { Redis } from 'ioredis'

const port = Number(process.env.REDIS_PORT ?? 6379)

/** The shared connection of the application. */
export const redis = new Redis(port, '127.0.0.1')

redis.on('error', (error) => {
  console.error('redis:', error.message)
})

export async function shutdown(): Promise<void> {
  await redis.quit()
}
