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
local gate = KEYS[1]
local trial_ms = tonumber(ARGV[3])
local stored = redis.call('HMGET', gate, 'failures', 'until', 'outcome', 'trial')
local till = math.max(tonumber(stored[2] or '0'), tonumber(stored[4] or '0'))
if till > now then return {0, till - now, stored[3] or ''} end
if stored[2] then redis.call('HSET', gate, 'trial', now + trial_ms) end
return {1, tonumber(stored[1] or '0')}
`,
)

/** KEYS 1 gate · ARGV 3 pause in ms · 4 outcome · 5 life of the record in ms · Reply {failures in a row} */
export const FAIL_GATE: RedisScript = defineScript(
  'provider-gate.fail',
  `${PROLOGUE}
local gate = KEYS[1]
local pause, outcome, life = tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local till = tonumber(redis.call('HGET', gate, 'until') or '0')
redis.call('HDEL', gate, 'trial')
redis.call('HSET', gate, 'outcome', outcome)
if pause > 0 then redis.call('HSET', gate, 'until', math.max(till, now + pause)) end
redis.call('PEXPIRE', gate, life + pause)
return {redis.call('HINCRBY', gate, 'failures', 1)}
`,
)
