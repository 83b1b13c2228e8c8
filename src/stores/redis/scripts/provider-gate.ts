/**
 * Lua scripts of the provider gate. One key per provider, a hash: `failures`, `until` (end of the pause, epoch ms), `trial` (end of the
 * current trial), `outcome`.
 * Why scripts: after a pause, exactly one of all processes may try, by the server's clock.
 */
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'

/**
 * KEYS 1 gate · ARGV 3 length of a trial in ms
 * Replies {1, failures in a row}: open · {0, ms to wait, outcome of the last failure} · {'late'}
 */
export const ENTER_GATE: RedisScript = defineScript(
  'provider-gate.enter',
  `${PROLOGUE}
local stored = redis.call('HMGET', KEYS[1], 'failures', 'until', 'outcome', 'trial')
local till = math.max(tonumber(stored[2] or '0'), tonumber(stored[4] or '0'))
if till > now then return {0, till - now, stored[3] or ''} end
if stored[2] then redis.call('HSET', KEYS[1], 'trial', now + tonumber(ARGV[3])) end
return {1, tonumber(stored[1] or '0')}
`,
)

/** KEYS 1 gate · ARGV 3 pause in ms · 4 outcome · 5 life of the record in ms · Reply {failures in a row} */
export const FAIL_GATE: RedisScript = defineScript(
  'provider-gate.fail',
  `${PROLOGUE}
local pause = tonumber(ARGV[3])
local till = tonumber(redis.call('HGET', KEYS[1], 'until') or '0')
redis.call('HDEL', KEYS[1], 'trial')
redis.call('HSET', KEYS[1], 'outcome', ARGV[4])
if pause > 0 then redis.call('HSET', KEYS[1], 'until', math.max(till, now + pause)) end
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[5]) + pause)
return {redis.call('HINCRBY', KEYS[1], 'failures', 1)}
`,
)
