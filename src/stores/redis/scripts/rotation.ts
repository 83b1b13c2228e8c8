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
local h = tonumber(ARGV[3])
if redis.call('GETRANGE', KEYS[1], h + 5, h + 16) ~= string.sub(ARGV[4], h + 6, h + 17) then return {0} end
if redis.call('STRLEN', KEYS[1]) ~= #ARGV[4] then return {0} end
redis.call('SETRANGE', KEYS[1], h, string.sub(ARGV[4], h + 1))
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
local reencrypted = 0
for i = 3, #ARGV, 2 do
  local current = redis.call('HGET', KEYS[1], ARGV[i])
  if current and #current == #ARGV[i + 1] and string.sub(current, 14, 25) == string.sub(ARGV[i + 1], 14, 25) then
    redis.call('HDEL', KEYS[1], '')
    redis.call('HSET', KEYS[1], ARGV[i], string.sub(current, 1, 8) .. string.sub(ARGV[i + 1], 9))
    reencrypted = reencrypted + 1
  end
end
return {reencrypted}
`,
)
