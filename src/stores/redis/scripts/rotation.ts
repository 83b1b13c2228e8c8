/**
 * Scripts that re-encrypt a record in place. They only overwrite the very record that was re-encrypted, which its nonce identifies, and
 * only its sealed part. A re-encrypted record keeps its length and nonce, so its TTL, its index entry and nonce comparisons are unaffected.
 * A record that changed meanwhile stays as it is.
 *
 * Sealed bytes (Lua counts from 1), after a headroom of h bytes: h+1 format · h+2..h+5 key tag · h+6..h+17 nonce · rest.
 */
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'

/**
 * KEYS 1 record
 * ARGV 3 headroom in bytes · 4 re-encrypted record
 * Reply {1 re-encrypted, 0 changed meanwhile or gone}
 */
export const REENCRYPT_RECORD: RedisScript = defineScript(
  'rotation.reencrypt-record',
  `${PROLOGUE}
local record_key = KEYS[1]
local h, record = tonumber(ARGV[3]), ARGV[4]
if redis.call('GETRANGE', record_key, h + 5, h + 16) ~= string.sub(record, h + 6, h + 17) then return {0} end
if redis.call('STRLEN', record_key) ~= #record then return {0} end
redis.call('SETRANGE', record_key, h, string.sub(record, h + 1))
return {1}
`,
)

/**
 * Re-encrypts values with 8 bytes of headroom in one hash. Works on a full server, like the replacement of tokens: see token.ts.
 *
 * KEYS 1 hash
 * ARGV from 3 on pairs of field, re-encrypted value
 * Reply {number of values re-encrypted}
 */
export const REENCRYPT_FIELDS: RedisScript = defineScript(
  'rotation.reencrypt-fields',
  `${PROLOGUE}
local hash = KEYS[1]
local reencrypted = 0
for i = 3, #ARGV, 2 do
  local field, record = ARGV[i], ARGV[i + 1]
  local current = redis.call('HGET', hash, field)
  if current and #current == #record and string.sub(current, 14, 25) == string.sub(record, 14, 25) then
    redis.call('HDEL', hash, '')
    redis.call('HSET', hash, field, string.sub(current, 1, 8) .. string.sub(record, 9))
    reencrypted = reencrypted + 1
  end
end
return {reencrypted}
`,
)
