/**
 * Lua scripts of tokens. They touch one key, the user's token hash. Why scripts: a refresh token may only replace the one that it was
 * refreshed from, several fields change in one step, and the life of the hash depends on all fields.
 *
 * Common to all
 * - ARGV[1] `notAfter` and ARGV[2], see prologue.ts. `notAfter` is 0 for the script that deletes.
 * - Record bytes (Lua counts from 1): 1..8 end of life (epoch ms, big-endian, written here), 14..25 nonce. See token/token-driver.ts.
 */
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { OUTBOX } from './outbox.ts'
import { PROLOGUE } from './prologue.ts'

// Removes fields by prefix (ARGV from `first` on) except those in `kept`, and expired fields. Then the hash lives as long as its
// longest-living remaining field.
const PRUNE = `
local function ends(value)
  if #value < 8 then return 0 end
  return struct.unpack('>I8', value)
end
local function prune(key, first, kept)
  local removed, latest = 0, 0
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local matches = false
    for p = first, #ARGV do
      if string.sub(all[i], 1, #ARGV[p]) == ARGV[p] then matches = not kept[all[i]] end
    end
    local life = ends(all[i + 1])
    if matches or life <= now then
      redis.call('HDEL', key, all[i])
      if matches then removed = removed + 1 end
    elseif life > latest then
      latest = life
    end
  end
  if latest > 0 then redis.call('PEXPIRE', key, latest - now) end
  return removed
end
`

// A lease: 8 bytes end of life, 8 bytes end of validity, 16 bytes holder. `valid` returns the current holder, or nil. A validity longer
// than the maximum lease was written by a clock that ran ahead, so it does not count. `store_lease` works on a full server if there are tokens,
// like the replacement below: without a lease, no rotated grant could be stored there.
const LEASE = `
local longest, remembered = 60000, 60000
local function valid(lease)
  if not lease or #lease ~= 32 then return nil end
  local ends = struct.unpack('>I8', lease, 9)
  if ends <= now or ends > now + longest then return nil end
  return string.sub(lease, 17, 32)
end
local function store_lease(key, field, holder, ttl)
  local ends = now + tonumber(ttl)
  if redis.call('EXISTS', key) == 1 then redis.call('HDEL', key, '') end
  redis.call('HSET', key, field, struct.pack('>I8>I8', ends + remembered, ends) .. holder)
  if redis.call('PTTL', key) < ends + remembered - now then redis.call('PEXPIRE', key, ends + remembered - now) end
end
`

// Wakes processes that wait for a lease. If the user's ACL forbids channels, the error is ignored, and waiting only takes longer.
const WAKE = `
local function wake(key) redis.pcall('PUBLISH', key, '') end
`

/**
 * KEYS 1 token hash
 * ARGV 3 lease field · 4 holder · 5 validity in ms · 6 '2': take the lease if it is free; '1': only if no lease exists; '0': only renew the
 * holder's own lease
 * Replies {1} the holder has the lease · {0} the holder does not have it · {'late'}
 */
export const TAKE_LEASE: RedisScript = defineScript(
  'token.take-lease',
  `${PROLOGUE}${LEASE}
local lease = redis.call('HGET', KEYS[1], ARGV[3])
local ours = lease and string.sub(lease, 17, 32) == ARGV[4]
if not ours and (ARGV[6] == '0' or (lease and ARGV[6] == '1') or valid(lease)) then return {0} end
store_lease(KEYS[1], ARGV[3], ARGV[4], ARGV[5])
return {1}
`,
)

/**
 * KEYS 1 token hash
 * ARGV 3 lease field · 4 holder
 * Replies {number of leases released}
 */
export const RELEASE_LEASE: RedisScript = defineScript(
  'token.release-lease',
  `${PROLOGUE}${WAKE}
local lease = redis.call('HGET', KEYS[1], ARGV[3])
if not lease or string.sub(lease, 17, 32) ~= ARGV[4] then return {0} end
redis.call('HDEL', KEYS[1], ARGV[3])
wake(KEYS[1])
return {1}
`,
)

/**
 * KEYS 1 token hash
 * ARGV 3 expected field ('': none expected) · 4 its nonce ('': absent) · 5 lease field ('': none) · 6 its holder · 7 number of fields to
 * set, then for each: field, record, life in ms · number of fields to remove, then these · prefixes to remove
 * Replies {'done'} · {'conflict', current record or nil} · {'late'}
 *
 * Setting comes before removing, so that a refusal by a full server changes nothing. The replacement of the expected record works on a full
 * server: once a script has run a write command, here one without effect, Redis lets it finish. The new record has the size of the old one.
 * Without this, the only copy of a rotated refresh token would be lost.
 */
export const WRITE_TOKENS: RedisScript = defineScript(
  'token.write',
  `${PROLOGUE}${PRUNE}${LEASE}${WAKE}
local key = KEYS[1]
local last = 7 + tonumber(ARGV[7]) * 3
if ARGV[3] ~= '' then
  local current = redis.call('HGET', key, ARGV[3])
  if current and ends(current) <= now then current = false end
  local nonce = current and string.sub(current, 14, 25) or ''
  if nonce ~= ARGV[4] then
    for i = 8, last, 3 do
      if ARGV[i] == ARGV[3] and nonce == string.sub(ARGV[i + 1], 14, 25) then return {'done'} end
    end
    return {'conflict', current}
  end
  local holder = ARGV[5] ~= '' and valid(redis.call('HGET', key, ARGV[5]))
  if holder and holder ~= ARGV[6] then return {'conflict', current} end
  if current then redis.call('HDEL', key, '') end
end
local kept = {}
for i = 8, last, 3 do
  kept[ARGV[i]] = true
  redis.call('HSET', key, ARGV[i], struct.pack('>I8', now + tonumber(ARGV[i + 2])) .. string.sub(ARGV[i + 1], 9))
end
local prefixes = last + 2 + tonumber(ARGV[last + 1])
for i = last + 2, prefixes - 1 do
  if not kept[ARGV[i]] then redis.call('HDEL', key, ARGV[i]) end
end
if ARGV[5] ~= '' then
  local lease = redis.call('HGET', key, ARGV[5])
  if lease and string.sub(lease, 17, 32) == ARGV[6] then redis.call('HDEL', key, ARGV[5]) end
end
prune(key, prefixes, kept)
if ARGV[5] ~= '' then wake(key) end
return {'done'}
`,
)

/**
 * KEYS 1 token hash · 2 outbox of grants (with providers only)
 * ARGV 3 expected field ('': none expected) · 4 its nonce · 5 life of the outbox in ms · 6 number of providers whose grants go there, then
 * these · number of fields, then these · prefixes. Number -1: everything goes.
 * Replies {number of fields that existed}; 0 also if the expected field does not match
 */
export const DELETE_TOKENS: RedisScript = defineScript(
  'token.delete',
  `${PROLOGUE}${PRUNE}${OUTBOX}
local key = KEYS[1]
if ARGV[3] ~= '' then
  local current = redis.call('HGET', key, ARGV[3])
  if not current or string.sub(current, 14, 25) ~= ARGV[4] then return {0} end
end
local at = 7 + tonumber(ARGV[6])
local count = tonumber(ARGV[at])
local grants = grants_of(key, 7, at - 1)
local removed = 0
if count < 0 then
  removed = redis.call('HLEN', key)
  redis.call('UNLINK', key)
else
  for i = at + 1, at + count do removed = removed + redis.call('HDEL', key, ARGV[i]) end
  removed = removed + prune(key, at + count + 1, {})
end
post(KEYS[2], ARGV[5], grants)
return {removed}
`,
)
