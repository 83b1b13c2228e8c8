/**
 * The script of the read counts: one hash for all origins. Fields: `since|o`, `read|o`, `mode|o|m` (times in epoch ms), `prefix|o`,
 * `keys|o|tags` (the last report with these tags, with commas) and `count|o|outcome|hour`; `swept` is the hour of the last sweep. The origin `o` contains no `|`.
 */
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'

/**
 * KEYS 1 counts
 * ARGV 3 ms to keep · 4 origin · 5 mode · 6 key prefix, or '' without one · 7 whether old records were in use: 1 or 0 · 8 tags of
 * encryption keys, with commas · then outcome, count, …
 * Replies {'done'} · {'late'}. Once an hour it removes counts that are too old.
 */
export const ADD_READS: RedisScript = defineScript(
  'migration.count',
  `${PROLOGUE}
local key = KEYS[1]
local kept, origin, mode, prefix, used, key_tags = tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local hour, stamp = math.floor(now / 3600000), string.format('%.0f', now)
local since = 'since|' .. origin
if not redis.call('HGET', key, since) then redis.call('HSET', key, since, stamp) end
redis.call('HSET', key, 'mode|' .. origin .. '|' .. mode, stamp, 'prefix|' .. origin, prefix)
if key_tags ~= '' then redis.call('HSET', key, 'keys|' .. origin .. '|' .. key_tags, stamp) end
if used == '1' then redis.call('HSET', key, 'read|' .. origin, stamp) end
for i = 9, #ARGV, 2 do
  local outcome, count = ARGV[i], ARGV[i + 1]
  redis.call('HINCRBY', key, 'count|' .. origin .. '|' .. outcome .. '|' .. string.format('%.0f', hour), count)
end
redis.call('PEXPIRE', key, kept)
if tonumber(redis.call('HGET', key, 'swept') or '-1') >= hour then return {'done'} end
redis.call('HSET', key, 'swept', string.format('%.0f', hour))
local fields, alive = redis.call('HGETALL', key), {}
for i = 1, #fields, 2 do
  local of, at = string.match(fields[i], '^mode|([^|]*)|'), tonumber(fields[i + 1])
  if of and at >= now - kept then alive[of] = true
  elseif of then redis.call('HDEL', key, fields[i]) end
end
for i = 1, #fields, 2 do
  local counted = tonumber(string.match(fields[i], '^count|.*|(%d+)$') or '')
  local of = string.match(fields[i], '^%a+|([^|]*)')
  local is_old_count = counted and counted < hour - kept / 3600000
  local is_old_report = string.match(fields[i], '^keys|') and (tonumber(fields[i + 1]) or 0) < now - kept
  if is_old_count or is_old_report or (of and not alive[of]) then redis.call('HDEL', key, fields[i]) end
end
return {'done'}
`,
)
