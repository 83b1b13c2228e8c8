/**
 * Scripts that remove orphans. Each script checks in the same step that the key is still an orphan. A key that was created or repaired
 * after the scan found it stays.
 */
import { GENERATION_BYTES } from '../../../keyring/record-layout.ts'
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'
import { SESSION_INDEX } from './session-index.ts'

/**
 * Removes a record whose generation is not the user's current one. Records of anonymous sessions begin with zeros and have no generation.
 * KEYS 1 record · 2 generation · Reply {1 removed, 0 not an orphan}
 */
export const DROP_DEAD_RECORD: RedisScript = defineScript(
  'repair.drop-dead-record',
  `${PROLOGUE}
local record_key, generation_key = KEYS[1], KEYS[2]
local head = redis.call('GETRANGE', record_key, 0, ${GENERATION_BYTES - 1})
if head == '' or head == string.rep('\\0', ${GENERATION_BYTES}) or head == redis.call('GETRANGE', generation_key, 0, ${GENERATION_BYTES - 1}) then return {0} end
return {redis.call('UNLINK', record_key)}
`,
)

/**
 * Removes an index whose user has no generation, so its sessions cannot be valid.
 * KEYS 1 generation · 2 index · Reply {1 removed, 0 not an orphan}
 */
export const DROP_STRAY_INDEX: RedisScript = defineScript(
  'repair.drop-stray-index',
  `${PROLOGUE}
local generation_key, index_key = KEYS[1], KEYS[2]
if redis.call('EXISTS', generation_key) == 1 then return {0} end
return {redis.call('UNLINK', index_key)}
`,
)

/** KEYS 1 a key that should expire · ARGV 3 life in ms · Reply {1 expiry set, 0 it had one} */
export const END_SOME_TIME: RedisScript = defineScript(
  'repair.end-some-time',
  `${PROLOGUE}
local key = KEYS[1]
local life = ARGV[3]
if redis.call('PTTL', key) ~= -1 then return {0} end
return {redis.call('PEXPIRE', key, life)}
`,
)

/**
 * Removes the index entry of a live session whose record is gone: evicted, or deleted by hand.
 * KEYS 1 record · 2 generation · 3 index · ARGV 3 id · Reply {1 removed, 0 not an orphan}
 */
export const DROP_LOST_ENTRY: RedisScript = defineScript(
  'repair.drop-lost-entry',
  `${PROLOGUE}${SESSION_INDEX}
local record_key, generation_key, index_key = KEYS[1], KEYS[2], KEYS[3]
local id = ARGV[3]
if redis.call('EXISTS', record_key) == 1 then return {0} end
local user = user_of(generation_key, index_key)
if not user or not leave(user, id) then return {0} end
store(user, 0)
return {1}
`,
)
