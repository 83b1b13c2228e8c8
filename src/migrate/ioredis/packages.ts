/** What to do where a client of ioredis was given to another package. */

const ADVICE: Readonly<Record<string, string>> = {
  bullmq:
    'Give BullMQ createNodeRedisClient(client), which it exports since 5.77, with a client of createClient(). Older versions take ioredis only.',
  bull: 'Bull works with ioredis only. Keep an ioredis client for it, or move to BullMQ with connection options.',
  'rate-limiter-flexible': 'Give rate-limiter-flexible the client as storeClient, with useRedisPackage: true.',
  'connect-redis':
    'Update connect-redis to 9 or later: it takes the client of createRedis. Older versions read the scans of node-redis 4.',
  'rate-limit-redis': 'Give rate-limit-redis: sendCommand: (...args) => redis.sendCommand(args).',
  'express-rate-limit': 'Give the store sendCommand: (...args) => redis.sendCommand(args).',
  '@socket.io/redis-adapter': 'The adapter takes clients of node-redis: connect both before use. Check its version.',
  'socket.io-redis': 'Move to @socket.io/redis-adapter with clients of node-redis.',
  '@socket.io/redis-streams-adapter': 'The adapter takes a client of node-redis: connect it before use.',
  redlock: 'redlock 5 works with ioredis only. Keep an ioredis client for it.',
  'graphql-redis-subscriptions': 'graphql-redis-subscriptions works with ioredis only. Keep ioredis clients for it.',
  'cache-manager': 'Use @keyv/redis, which takes a client of node-redis.',
  '@keyv/redis': '@keyv/redis takes a client of node-redis. Check its version.',
  keyv: 'Use @keyv/redis, which takes a client of node-redis.',
  '@nestjs-modules/ioredis':
    '@nestjs-modules/ioredis makes ioredis clients. Provide a client of createRedis under a token of your own.',
  '@liaoliaots/nestjs-redis':
    '@liaoliaots/nestjs-redis makes ioredis clients. Provide a client of createRedis under a token of your own.',
  '@fastify/redis': 'Give @fastify/redis no client: register a client of createRedis with decorate().',
  '@fastify/rate-limit': '@fastify/rate-limit works with ioredis only. Keep an ioredis client for it.',
  'express-session': 'Give the store a client of node-redis. See its documentation.',
}

/** @param name of the package that gets the client */
export function packageAdvice(name: string): string {
  return ADVICE[name] ?? `The package ${name} gets a client of node-redis from now on. Check that it supports one.`
}

/** Packages that make clients of ioredis for the application. */
const MAKERS = new Set([
  '@nestjs-modules/ioredis',
  '@liaoliaots/nestjs-redis',
  '@songkeys/nestjs-redis',
  '@svtslv/nestjs-ioredis',
  'nestjs-ioredis',
  'nestjs-redis',
  '@fastify/redis',
  'fastify-redis',
  'egg-redis',
])

export function makesIoredisClients(name: string): boolean {
  return MAKERS.has(name)
}
