import type { Redis } from 'ioredis'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    takeDue(delayed: string, waiting: string, nowMs: number, limit: number): Result<number, Context>
    releaseLock(key: string, owner: string): Result<number, Context>
    counters(...fields: (string | number)[]): Result<[string, string][], Context>
  }
}

const TAKE_DUE = `
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(due) do
  redis.call('ZREM', KEYS[1], id)
  redis.call('LPUSH', KEYS[2], id)
end
return #due`

export function withScripts(redis: Redis): Redis {
  redis.defineCommand('takeDue', { numberOfKeys: 2, lua: TAKE_DUE })
  redis.defineCommand('releaseLock', {
    numberOfKeys: 1,
    lua: "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0",
  })
  redis.defineCommand('counters', {
    lua: "local all = {} for i, key in ipairs(KEYS) do all[i] = { key, redis.call('INCRBY', key, ARGV[1]) .. '' } end return all",
  })
  return redis
}
