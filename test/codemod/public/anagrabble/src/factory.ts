import { Redis, type RedisOptions } from 'ioredis'

export interface CreateClientOptions {
  url: string
  redisOptions?: RedisOptions
}

/** One factory for all clients of the game server, so that they agree on their settings. */
export function createGameClient({ url, redisOptions }: CreateClientOptions): Redis {
  return new Redis(url, { maxRetriesPerRequest: 3, ...redisOptions })
}

export type { Redis }
