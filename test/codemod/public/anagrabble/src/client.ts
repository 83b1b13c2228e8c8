import { createGameClient } from './factory.js'

export const redis = createGameClient({ url: process.env.REDIS_URL as string })

redis.on('error', (error) => console.error('[redis]', error.message))

export async function shutdown(): Promise<void> {
  await redis.quit()
}
