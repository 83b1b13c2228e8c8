/** Scripts of the document driver. An ended document leaves one byte under its name, shorter than any record. */
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'

/**
 * KEYS 1 document
 * ARGV 3 expected: a nonce, 'absent' or '' · 4 record · 5 ttl ms or ''
 * Replies {'done'} · {'conflict', current record} · {'gone'} · {'ended'} · {'late'}
 */
export const WRITE_DOCUMENT: RedisScript = defineScript(
  'document.write',
  `${PROLOGUE}
local current = redis.call('GET', KEYS[1])
if current and #current == 1 then return {'ended'} end
local nonce = current and string.sub(current, 6, 17)
if nonce == string.sub(ARGV[4], 6, 17) then return {'done'} end
if ARGV[3] ~= '' then
  if ARGV[3] ~= 'absent' and not current then return {'gone'} end
  if current and nonce ~= ARGV[3] then return {'conflict', current} end
end
if ARGV[5] == '' then redis.call('SET', KEYS[1], ARGV[4])
else redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5]) end
return {'done'}
`,
)

/**
 * KEYS 1 document
 * Replies {'done', record or nothing}: read and removed. The marker of an ended document stays. · {'late'}
 */
export const TAKE_DOCUMENT: RedisScript = defineScript(
  'document.take',
  `${PROLOGUE}
local current = redis.call('GET', KEYS[1])
if not current or #current == 1 then return {'done'} end
redis.call('DEL', KEYS[1])
return {'done', current}
`,
)

/**
 * KEYS 1 document
 * ARGV 3 life of the ended marker ms · 4 whether to set the marker for a document that was not stored: 1 or 0
 * Replies {'done', ended 0 or 1}
 */
export const END_DOCUMENT: RedisScript = defineScript(
  'document.end',
  `${PROLOGUE}
local length = redis.call('STRLEN', KEYS[1])
redis.call('DEL', KEYS[1])
if length > 0 or ARGV[4] == '1' then redis.call('SET', KEYS[1], 'x', 'PX', ARGV[3]) end
return {'done', length > 1 and 1 or 0}
`,
)

/**
 * KEYS 1 document
 * Replies {'done'}: the ended marker is gone. A stored document stays. · {'late'}
 */
export const REOPEN_DOCUMENT: RedisScript = defineScript(
  'document.reopen',
  `${PROLOGUE}
if redis.call('STRLEN', KEYS[1]) == 1 then redis.call('DEL', KEYS[1]) end
return {'done'}
`,
)

/**
 * KEYS 1 counter
 * ARGV 3 ttl ms
 * Replies {'done', count} · {'late'}
 */
export const COUNT: RedisScript = defineScript(
  'document.count',
  `${PROLOGUE}
local count = redis.call('INCR', KEYS[1])
if count == 1 or redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return {'done', count}
`,
)

/**
 * KEYS 1 set
 * ARGV 3 member · 4 ttl ms or ''
 * Replies {'done'} · {'late'}. The key lives as long as its longest-living member.
 */
export const ENTER: RedisScript = defineScript(
  'document.enter',
  `${PROLOGUE}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], ARGV[4] == '' and '+inf' or now + ARGV[4], ARGV[3])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] == 'inf' then redis.call('PERSIST', KEYS[1])
else redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last[2]) - tonumber(ARGV[2])) end
return {'done'}
`,
)

/**
 * KEYS 1 set
 * Replies members, the longest-living first
 */
export const MEMBERS: RedisScript = defineScript(
  'document.members',
  `${PROLOGUE}
return redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', '(' .. string.format('%.0f', now))
`,
)
