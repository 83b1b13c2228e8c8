/**
 * Scripts of the old-record driver: strings of another library, in that library's own keys. Each reply repeats the token of its call,
 * because an old value is not sealed. So a reply of another call cannot pass for this one.
 */
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'

/** A key of another type counts as missing. Any other server error becomes the reply. */
const READ = `${PROLOGUE}
local key, call = KEYS[1], ARGV[3]
local current = redis.pcall('GET', key)
if type(current) == 'table' then
  if string.sub(current.err, 1, 9) ~= 'WRONGTYPE' then return current end
  current = false
end
`

/**
 * KEYS 1 old key
 * ARGV 3 token of the call
 * Replies {'found', token, value, ttl ms or -1} · {'missing', token}
 */
export const READ_OLD: RedisScript = defineScript(
  'old-record.read',
  `${READ}
if not current then return {'missing', call} end
return {'found', call, current, redis.call('PTTL', key)}
`,
)

/**
 * KEYS 1 old key
 * ARGV 3 token of the call · 4 expected value · 5 new value · 6 ttl ms, or '' to keep the remaining life
 * Replies {'written', token} · {'changed', token, current value, ttl ms or -1} · {'missing', token} · {'late'}
 */
export const REPLACE_OLD: RedisScript = defineScript(
  'old-record.replace',
  `${READ}
local expected, value, ttl = ARGV[4], ARGV[5], ARGV[6]
if not current then return {'missing', call} end
if current ~= expected and current ~= value then return {'changed', call, current, redis.call('PTTL', key)} end
if ttl == '' then redis.call('SET', key, value, 'KEEPTTL')
else redis.call('SET', key, value, 'PX', ttl) end
return {'written', call}
`,
)

/**
 * KEYS 1 old key
 * ARGV 3 token of the call · 4 value · 5 ttl ms, or '' for no expiry
 * Replies {'written', token} · {'changed', token, current value, ttl ms or -1} · {'missing', token}: another type · {'late'}
 */
export const CREATE_OLD: RedisScript = defineScript(
  'old-record.create',
  `${READ}
local value, ttl = ARGV[4], ARGV[5]
if current == value then return {'written', call} end
if current then return {'changed', call, current, redis.call('PTTL', key)} end
local stored
if ttl == '' then stored = redis.call('SET', key, value, 'NX')
else stored = redis.call('SET', key, value, 'NX', 'PX', ttl) end
return {stored and 'written' or 'missing', call}
`,
)

/**
 * KEYS 1 old key
 * ARGV 3 token of the call · 4 ttl ms
 * Replies {'done', token, moved 0 or 1} · {'late'}
 */
export const EXPIRE_OLD: RedisScript = defineScript(
  'old-record.expire',
  `${READ}
local ttl = ARGV[4]
if not current then return {'done', call, 0} end
return {'done', call, redis.call('PEXPIRE', key, ttl)}
`,
)

/**
 * KEYS 1 old key
 * ARGV 3 token of the call · 4 whether the value matters: 1 or 0 · 5 expected value
 * Replies {'done', token, removed 0 or 1}
 */
export const REMOVE_OLD: RedisScript = defineScript(
  'old-record.remove',
  `${READ}
local matters, expected = ARGV[4] == '1', ARGV[5]
if not current or (matters and current ~= expected) then return {'done', call, 0} end
return {'done', call, redis.call('DEL', key)}
`,
)
