import type { Redis } from './factory.js'

const CHANNEL = 'game:events'

export interface GameEvent {
  gameId: string
  type: string
}

export async function createBroadcaster(redis: Redis) {
  const subscriber = redis.duplicate()
  subscriber.on('error', (error) => console.error('[redis] subscriber', error.message))
  const rooms = new Map<string, Set<(event: GameEvent) => void>>()

  subscriber.on('message', (channel, message) => {
    if (channel !== CHANNEL) return
    const event = JSON.parse(message) as GameEvent
    for (const send of rooms.get(event.gameId) ?? []) send(event)
  })
  await subscriber.subscribe(CHANNEL)

  return {
    join(gameId: string, send: (event: GameEvent) => void) {
      if (!rooms.has(gameId)) rooms.set(gameId, new Set())
      rooms.get(gameId)?.add(send)
    },
    async publish(event: GameEvent): Promise<number> {
      return redis.publish(CHANNEL, JSON.stringify(event))
    },
    async close(): Promise<void> {
      await subscriber.quit()
    },
  }
}
