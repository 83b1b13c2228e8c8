/**
 * Scripts that re-encrypt a record in place. They only overwrite the very record that was re-encrypted, which its nonce identifies, and
 * only its sealed part. A re-encrypted record keeps its length and nonce, so its TTL, its index entry and nonce comparisons are unaffected.
 * A record that changed meanwhile stays as it is.
 */
import { END_OF_LIFE_BYTES, NONCE_AT, SEALED_HEAD_BYTES } from '../../../keyring/record-layout.ts'
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'
import { recordParts } from './record-parts.ts'

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
if redis.call('GETRANGE', record_key, h + ${NONCE_AT}, h + ${SEALED_HEAD_BYTES - 1}) ~= string.sub(record, h + ${NONCE_AT + 1}, h + ${SEALED_HEAD_BYTES}) then return {0} end
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
  `${PROLOGUE}${recordParts(END_OF_LIFE_BYTES)}
local hash = KEYS[1]
local reencrypted = 0
for i = 3, #ARGV, 2 do
  local field, record = ARGV[i], ARGV[i + 1]
  local current = redis.call('HGET', hash, field)
  if current and #current == #record and nonce_of(current) == nonce_of(record) then
    redis.call('HDEL', hash, '')
    redis.call('HSET', hash, field, with_head(head_of(current), record))
    reencrypted = reencrypted + 1
  end
end
return {reencrypted}
`,
)
