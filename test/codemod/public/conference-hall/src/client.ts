import { disconnectRedis, getRedisClient } from './redis.server.js'

export const redis = getRedisClient()

export const shutdown = disconnectRedis
