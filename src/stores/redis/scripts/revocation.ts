/**
 * Lua scripts of the worker that revokes refresh tokens. The index is one zset of user keys, by the time at which a worker should check
 * their outbox. Why scripts: only one of many processes may take an entry. It returns the entry only if no other process changed it.
 */
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'

/** KEYS 1 index · ARGV 3 user key · 4 due in ms · 5 life of the index in ms · Reply {1}. The earlier due time wins. */
export const ANNOUNCE: RedisScript = defineScript(
  'revocation.announce',
  `${PROLOGUE}
local due = now + tonumber(ARGV[4])
local score = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[3]) or due)
redis.call('ZADD', KEYS[1], math.min(score, due), ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {1}
`,
)

/** KEYS 1 index · ARGV 3 maximum number · 4 claim time in ms · Reply {claim, user keys…}: no other worker gets them before that time */
export const CLAIM: RedisScript = defineScript(
  'revocation.claim',
  `${PROLOGUE}
local claim = now + tonumber(ARGV[4])
local reply = {string.format('%.0f', claim)}
for _, user in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[3])) do
  redis.call('ZADD', KEYS[1], claim, user)
  reply[#reply + 1] = user
end
return reply
`,
)

/** KEYS 1 index · ARGV 3 user key · 4 claim · 5 due in ms, or -1: done · Reply {1}. An entry that changed meanwhile stays as it is. */
export const COMPLETE_CLAIM: RedisScript = defineScript(
  'revocation.complete-claim',
  `${PROLOGUE}
local score = redis.call('ZSCORE', KEYS[1], ARGV[3])
if not score or tonumber(score) ~= tonumber(ARGV[4]) then return {0} end
if ARGV[5] == '-1' then redis.call('ZREM', KEYS[1], ARGV[3])
else redis.call('ZADD', KEYS[1], now + tonumber(ARGV[5]), ARGV[3]) end
return {1}
`,
)
