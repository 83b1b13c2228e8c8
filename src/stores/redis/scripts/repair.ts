/**
 * Scripts that remove orphans. Each script checks in the same step that the key is still an orphan. A key that was created or repaired
 * after the scan found it stays.
 */
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
local head = redis.call('GETRANGE', KEYS[1], 0, 7)
if head == '' or head == string.rep('\\0', 8) or head == redis.call('GETRANGE', KEYS[2], 0, 7) then return {0} end
return {redis.call('UNLINK', KEYS[1])}
`,
)

/**
 * Removes an index whose user has no generation, so its sessions cannot be valid.
 * KEYS 1 generation · 2 index · Reply {1 removed, 0 not an orphan}
 */
export const DROP_STRAY_INDEX: RedisScript = defineScript(
  'repair.drop-stray-index',
  `${PROLOGUE}
if redis.call('EXISTS', KEYS[1]) == 1 then return {0} end
return {redis.call('UNLINK', KEYS[2])}
`,
)

/** KEYS 1 a key that should expire · ARGV 3 life in ms · Reply {1 expiry set, 0 it had one} */
export const END_SOME_TIME: RedisScript = defineScript(
  'repair.end-some-time',
  `${PROLOGUE}
if redis.call('PTTL', KEYS[1]) ~= -1 then return {0} end
return {redis.call('PEXPIRE', KEYS[1], ARGV[3])}
`,
)

/**
 * Removes the index entry of a live session whose record is gone: evicted, or deleted by hand.
 * KEYS 1 record · 2 generation · 3 index · ARGV 3 id · Reply {1 removed, 0 not an orphan}
 */
export const DROP_LOST_ENTRY: RedisScript = defineScript(
  'repair.drop-lost-entry',
  `${PROLOGUE}${SESSION_INDEX}
if redis.call('EXISTS', KEYS[1]) == 1 then return {0} end
local user = user_of(KEYS[2], KEYS[3])
if not user or not leave(user, ARGV[3]) then return {0} end
store(user, 0)
return {1}
`,
)
