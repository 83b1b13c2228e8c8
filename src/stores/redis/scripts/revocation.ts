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
local index = KEYS[1]
local user, due_in, life = ARGV[3], tonumber(ARGV[4]), ARGV[5]
local due = now + due_in
local score = tonumber(redis.call('ZSCORE', index, user) or due)
redis.call('ZADD', index, math.min(score, due), user)
redis.call('PEXPIRE', index, life)
return {1}
`,
)

/** KEYS 1 index · ARGV 3 maximum number · 4 claim time in ms · Reply {claim, user keys…}: no other worker gets them before that time */
export const CLAIM: RedisScript = defineScript(
  'revocation.claim',
  `${PROLOGUE}
local index = KEYS[1]
local max, claim_ms = ARGV[3], tonumber(ARGV[4])
local claim = now + claim_ms
local reply = {string.format('%.0f', claim)}
for _, user in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, max)) do
  redis.call('ZADD', index, claim, user)
  reply[#reply + 1] = user
end
return reply
`,
)

/** KEYS 1 index · ARGV 3 user key · 4 claim · 5 due in ms, or -1: done · Reply {1}. An entry that changed meanwhile stays as it is. */
export const COMPLETE_CLAIM: RedisScript = defineScript(
  'revocation.complete-claim',
  `${PROLOGUE}
local index = KEYS[1]
local user, claim, retry_in = ARGV[3], tonumber(ARGV[4]), ARGV[5]
local score = redis.call('ZSCORE', index, user)
if not score or tonumber(score) ~= claim then return {0} end
if retry_in == '-1' then redis.call('ZREM', index, user)
else redis.call('ZADD', index, now + tonumber(retry_in), user) end
return {1}
`,
)
