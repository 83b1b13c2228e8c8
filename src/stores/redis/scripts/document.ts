/** Scripts of the document driver. An ended document leaves one byte under its name, shorter than any record. */
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'
import { recordParts } from './record-parts.ts'

/**
 * KEYS 1 document
 * ARGV 3 expected: a nonce, 'absent' or '' · 4 record · 5 ttl ms or ''
 * Replies {'done'} · {'conflict', current record} · {'gone'} · {'ended'} · {'late'}
 */
export const WRITE_DOCUMENT: RedisScript = defineScript(
  'document.write',
  `${PROLOGUE}${recordParts(0)}
local document = KEYS[1]
local expected, record, ttl = ARGV[3], ARGV[4], ARGV[5]
local current = redis.call('GET', document)
if current and #current == 1 then return {'ended'} end
local nonce = current and nonce_of(current)
if nonce == nonce_of(record) then return {'done'} end
if expected ~= '' then
  if expected ~= 'absent' and not current then return {'gone'} end
  if current and nonce ~= expected then return {'conflict', current} end
end
if ttl == '' then redis.call('SET', document, record)
else redis.call('SET', document, record, 'PX', ttl) end
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
local document = KEYS[1]
local current = redis.call('GET', document)
if not current or #current == 1 then return {'done'} end
redis.call('DEL', document)
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
local document = KEYS[1]
local marker_life, marks_unknown = ARGV[3], ARGV[4]
local length = redis.call('STRLEN', document)
redis.call('DEL', document)
if length > 0 or marks_unknown == '1' then redis.call('SET', document, 'x', 'PX', marker_life) end
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
local document = KEYS[1]
if redis.call('STRLEN', document) == 1 then redis.call('DEL', document) end
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
local counter = KEYS[1]
local ttl = ARGV[3]
local count = redis.call('INCR', counter)
if count == 1 or redis.call('PTTL', counter) < 0 then redis.call('PEXPIRE', counter, ttl) end
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
local set = KEYS[1]
local member, ttl = ARGV[3], ARGV[4]
redis.call('ZREMRANGEBYSCORE', set, '-inf', now)
redis.call('ZADD', set, ttl == '' and '+inf' or now + ttl, member)
local last = redis.call('ZREVRANGE', set, 0, 0, 'WITHSCORES')
if last[2] == 'inf' then redis.call('PERSIST', set)
else redis.call('PEXPIREAT', set, string.format('%.0f', last[2]) - time_shift) end
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
local set = KEYS[1]
return redis.call('ZREVRANGEBYSCORE', set, '+inf', '(' .. string.format('%.0f', now))
`,
)
