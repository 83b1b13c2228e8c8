/**
 * Lua scripts of tokens. They touch one key, the user's token hash. Why scripts: a refresh token may only replace the one that it was
 * refreshed from, several fields change in one step, and the life of the hash depends on all fields.
 *
 * Common to all
 * - ARGV 1 and 2, see prologue.ts. `not_after` is 0 for the script that deletes.
 * - A record's head is the end of its life (epoch ms, big-endian), which these scripts write. See record-parts.ts.
 */
import { END_OF_LIFE_BYTES } from '../../../keyring/record-layout.ts'
import { LEASE_HOLDER_AT, LEASE_HOLDER_BYTES, LEASE_VALIDITY_AT } from '../../../token/token-driver.ts'
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { OUTBOX } from './outbox.ts'
import { PROLOGUE } from './prologue.ts'
import { recordParts } from './record-parts.ts'

const RECORD_PARTS = recordParts(END_OF_LIFE_BYTES)

// Removes fields by prefix (ARGV from `first` on) except those in `kept`, and expired fields. Then the hash lives as long as its
// longest-living remaining field.
const PRUNE = `
local function end_of_life(value)
  if #value < ${END_OF_LIFE_BYTES} then return 0 end
  return struct.unpack('>I8', value)
end
local function prune(key, first, kept)
  local removed, latest = 0, 0
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local matches = false
    for p = first, #ARGV do
      local prefix = ARGV[p]
      if string.sub(all[i], 1, #prefix) == prefix then matches = not kept[all[i]] end
    end
    local ends = end_of_life(all[i + 1])
    if matches or ends <= now then
      redis.call('HDEL', key, all[i])
      if matches then removed = removed + 1 end
    elseif ends > latest then
      latest = ends
    end
  end
  if latest > 0 then redis.call('PEXPIRE', key, latest - now) end
  return removed
end
`

const LEASE_HOLDER = `
local function holder_of(lease) return string.sub(lease, ${LEASE_HOLDER_AT + 1}, ${LEASE_HOLDER_AT + LEASE_HOLDER_BYTES}) end
`

// A lease: end of life, end of validity, holder. See token/token-driver.ts. `valid` returns the current holder, or nil. A validity longer
// than the maximum lease was written by a clock that ran ahead, so it does not count. `store_lease` works on a full server if there are
// tokens, like the replacement below: without a lease, no rotated grant could be stored there.
const LEASE = `${LEASE_HOLDER}local max_validity, remembered = 60000, 60000
local function valid(lease)
  if not lease or #lease ~= ${LEASE_HOLDER_AT + LEASE_HOLDER_BYTES} then return nil end
  local ends = struct.unpack('>I8', lease, ${LEASE_VALIDITY_AT + 1})
  if ends <= now or ends > now + max_validity then return nil end
  return holder_of(lease)
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
local tokens = KEYS[1]
local lease_field, holder, validity, mode = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local lease = redis.call('HGET', tokens, lease_field)
local ours = lease and holder_of(lease) == holder
if not ours and (mode == '0' or (lease and mode == '1') or valid(lease)) then return {0} end
store_lease(tokens, lease_field, holder, validity)
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
  `${PROLOGUE}${LEASE_HOLDER}${WAKE}
local tokens = KEYS[1]
local lease_field, holder = ARGV[3], ARGV[4]
local lease = redis.call('HGET', tokens, lease_field)
if not lease or holder_of(lease) ~= holder then return {0} end
redis.call('HDEL', tokens, lease_field)
wake(tokens)
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
  `${PROLOGUE}${RECORD_PARTS}${PRUNE}${LEASE}${WAKE}
local tokens = KEYS[1]
local expected_field, expected_nonce, lease_field, lease_holder, set_count = ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local first_set = 8
local remove_count_at = first_set + set_count * 3
local first_remove = remove_count_at + 1
local first_prefix = first_remove + tonumber(ARGV[remove_count_at])
if expected_field ~= '' then
  local current = redis.call('HGET', tokens, expected_field)
  if current and end_of_life(current) <= now then current = false end
  local nonce = current and nonce_of(current) or ''
  if nonce ~= expected_nonce then
    for i = first_set, remove_count_at - 1, 3 do
      local field, record = ARGV[i], ARGV[i + 1]
      if field == expected_field and nonce == nonce_of(record) then return {'done'} end
    end
    return {'conflict', current}
  end
  local holder = lease_field ~= '' and valid(redis.call('HGET', tokens, lease_field))
  if holder and holder ~= lease_holder then return {'conflict', current} end
  if current then redis.call('HDEL', tokens, '') end
end
local kept = {}
for i = first_set, remove_count_at - 1, 3 do
  local field, record, life = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  kept[field] = true
  redis.call('HSET', tokens, field, with_head(struct.pack('>I8', now + life), record))
end
for i = first_remove, first_prefix - 1 do
  local field = ARGV[i]
  if not kept[field] then redis.call('HDEL', tokens, field) end
end
if lease_field ~= '' then
  local lease = redis.call('HGET', tokens, lease_field)
  if lease and holder_of(lease) == lease_holder then redis.call('HDEL', tokens, lease_field) end
end
prune(tokens, first_prefix, kept)
if lease_field ~= '' then wake(tokens) end
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
  `${PROLOGUE}${RECORD_PARTS}${PRUNE}${OUTBOX}
local tokens, outbox = KEYS[1], KEYS[2]
local expected_field, expected_nonce, outbox_life, provider_count = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
if expected_field ~= '' then
  local current = redis.call('HGET', tokens, expected_field)
  if not current or nonce_of(current) ~= expected_nonce then return {0} end
end
local first_provider = 7
local field_count_at = first_provider + provider_count
local field_count = tonumber(ARGV[field_count_at])
local first_prefix = field_count_at + field_count + 1
local grants = grants_of(tokens, first_provider, field_count_at - 1)
local removed = 0
if field_count < 0 then
  removed = redis.call('HLEN', tokens)
  redis.call('UNLINK', tokens)
else
  for i = field_count_at + 1, first_prefix - 1 do removed = removed + redis.call('HDEL', tokens, ARGV[i]) end
  removed = removed + prune(tokens, first_prefix, {})
end
post(outbox, outbox_life, grants)
return {removed}
`,
)
